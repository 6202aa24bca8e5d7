import type { Clock, Random } from '@millrace/base'
import {
  ErrorCode,
  OffsetCommitRequest,
  OffsetCommitResponse,
  OffsetFetchRequest,
  OffsetFetchResponse,
} from '@millrace/wire'
import type { Cluster } from '../cluster'
import type { TopicPartition, TopicPartitionOffset } from '../options'
import { retry } from '../retry'
import { askCoordinator, isElsewhere } from './coordinator-request'
import { refusal } from '../refusal'

/** How long one commit goes on trying: heartbeats go on meanwhile, but nothing is fetched. */
const COMMIT_TIMEOUT_MS = 10_000
/** Later versions name topics by id, or ask for several groups. */
const COMMIT_MAX_VERSION = 8
const FETCH_MAX_VERSION = 7

export interface GroupOffsetsDeps {
  readonly clock: Clock
  readonly random: Random
  readonly cluster: Cluster
}

export interface GroupOffsetsOptions {
  readonly groupId: string
  readonly groupInstanceId: string | null
  /** Whether offsets that an open transaction may still change are waited for. */
  readonly isStableRequired: boolean
  /** Ends retries. */
  readonly signal: AbortSignal
}

/** Who commits. A consumer outside of group management has no member id, and generation -1. */
export interface Committer {
  readonly memberId: string
  readonly generationId: number
  /** Turns an error code of the coordinator into the error to throw. */
  refused(errorCode: number): Error
}

/** How far a group has read, as its coordinator stores it. */
export class GroupOffsets {
  readonly #deps: GroupOffsetsDeps
  readonly #options: GroupOffsetsOptions

  constructor(deps: GroupOffsetsDeps, options: GroupOffsetsOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** Stores offsets; they are durable when it resolves. @throws the committer's error; PlatformError CLIENT_* */
  async commit(offsets: readonly TopicPartitionOffset[], committer: Committer): Promise<void> {
    if (offsets.length === 0) return
    const { signal } = this.#options
    await retry(this.#deps, { signal, timeoutMs: COMMIT_TIMEOUT_MS }, () =>
      this.#commitOnce(offsets, committer),
    ).catch((error: unknown) => {
      throw error instanceof RefusedCommit ? error.reason : error
    })
  }

  /** What is stored for the partitions; those without an offset are absent. @throws ProtocolError; PlatformError CLIENT_* */
  async fetch(partitions: readonly TopicPartition[]): Promise<TopicPartitionOffset[]> {
    const { groupId, isStableRequired } = this.#options
    const { cluster } = this.#deps
    const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, group]) => ({
      name,
      partitionIndexes: group.map(({ partition }) => partition),
    }))
    const reply = await askCoordinator(
      cluster,
      { groupId, purpose: 'main', maxVersion: FETCH_MAX_VERSION },
      OffsetFetchRequest,
      OffsetFetchResponse,
      { groupId, topics, requireStable: isStableRequired },
    )
    this.#check(reply.errorCode)
    const found: TopicPartitionOffset[] = []
    for (const { name: topic, partitions: answers } of reply.topics) {
      for (const { partitionIndex, committedOffset, metadata, errorCode } of answers) {
        if (errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) continue
        this.#check(errorCode)
        if (committedOffset < 0) continue
        found.push({ topic, partition: partitionIndex, offset: committedOffset, metadata })
      }
    }
    return found
  }

  async #commitOnce(offsets: readonly TopicPartitionOffset[], committer: Committer): Promise<void> {
    const { groupId, groupInstanceId } = this.#options
    const topics = [...Map.groupBy(offsets, ({ topic }) => topic)].map(([name, group]) => ({
      name,
      partitions: group.map(({ partition, offset, metadata = '' }) => ({
        partitionIndex: partition,
        committedOffset: offset,
        committedMetadata: metadata,
      })),
    }))
    const reply = await askCoordinator(
      this.#deps.cluster,
      { groupId, purpose: 'main', maxVersion: COMMIT_MAX_VERSION, timeoutMs: COMMIT_TIMEOUT_MS },
      OffsetCommitRequest,
      OffsetCommitResponse,
      {
        groupId,
        generationIdOrMemberEpoch: committer.generationId,
        memberId: committer.memberId,
        groupInstanceId,
        topics,
      },
    )
    for (const { name, partitions } of reply.topics) {
      for (const { partitionIndex, errorCode } of partitions) {
        if (isMembershipError(errorCode)) throw new RefusedCommit(committer.refused(errorCode))
        this.#check(errorCode, `${name}-${partitionIndex}`)
      }
    }
  }

  #check(errorCode: number, about?: string): void {
    if (errorCode === ErrorCode.NONE) return
    const { groupId } = this.#options
    if (isElsewhere(errorCode)) this.#deps.cluster.forgetCoordinator(groupId)
    const subject = about === undefined ? `group ${groupId}` : `group ${groupId}, ${about}`
    throw refusal(errorCode, subject)
  }
}

/** Not retriable in itself, unlike the error it stands for: first the group must be joined again. */
class RefusedCommit extends Error {
  readonly reason: Error

  constructor(reason: Error) {
    super(reason.message)
    this.reason = reason
  }
}

function isMembershipError(errorCode: number): boolean {
  return (
    errorCode === ErrorCode.UNKNOWN_MEMBER_ID ||
    errorCode === ErrorCode.ILLEGAL_GENERATION ||
    errorCode === ErrorCode.REBALANCE_IN_PROGRESS ||
    errorCode === ErrorCode.FENCED_INSTANCE_ID
  )
}
