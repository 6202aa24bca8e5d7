import type { Timer } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import {
  type ConsumerGroupDescribeResponse,
  type ConsumerGroupHeartbeatRequest,
  type ConsumerGroupHeartbeatResponse,
  type DescribeGroupsRequest,
  type DescribeGroupsResponse,
  ErrorCode,
  type HeartbeatRequest,
  type HeartbeatResponse,
  type Infer,
  type InferInput,
  type JoinGroupRequest,
  type JoinGroupResponse,
  type LeaveGroupRequest,
  type LeaveGroupResponse,
  type ListGroupsRequest,
  type ListGroupsResponse,
  type OffsetCommitRequest,
  type OffsetCommitResponse,
  type OffsetFetchRequest,
  type OffsetFetchResponse,
  type SyncGroupRequest,
  type SyncGroupResponse,
  ProtocolError,
  type TxnOffsetCommitRequest,
  type TxnOffsetCommitResponse,
} from '@millrace/wire'
import { coordinatorErrorOf } from './append-error'
import { ClassicRequests, joinAnswer } from './classic-requests'
import type { Client } from './client'
import type { GroupOptions } from './config'
import {
  ConsumerRequests,
  type ConsumerRequestsDeps,
  heartbeatError,
  noConsumerGroup,
} from './consumer-requests'
import type { CoordinatorLog, TransactionMarker } from './coordinator-log'
import { GroupCounters, type LoadState } from './coordinator-metrics'
import { deleteGroup, deleteOffsets, deleteOffsetsOfTopic, expire } from './deletion'
import { describeGroup, isListed, listedGroup, unknownGroup } from './describe'
import { onEachShard } from './each-shard'
import { joinError, syncError } from './group/classic/answers'
import { checkCommit, checkFetch } from './group/commit-check'
import type { Group } from './group/group'
import { partitionOfKey } from './java-hash-code'
import { commitResponse, type Commit, commitsOf } from './offset-commit'
import { fetchAll, fetchGroups, fetchNamed } from './offset-fetch'
import { Shard } from './shard'
import { commitInTransaction, txnCommitResponse } from './txn-offset-commit'

/** Version from which a request knows the field or the behaviour. */
const COMMIT_GROUP_NOT_FOUND_VERSION = 9
const DESCRIBE_GROUP_NOT_FOUND_VERSION = 6

export interface GroupCoordinatorDeps extends ConsumerRequestsDeps {
  readonly log: CoordinatorLog
  readonly logger: Logger
}

/**
 * Answers all group requests of the partitions of the offsets topic that this broker leads. Every method resolves with a
 * response: failures are error codes in it. Until `start` and after `stop` that is COORDINATOR_NOT_AVAILABLE.
 */
export class GroupCoordinator {
  readonly #deps: GroupCoordinatorDeps
  readonly #options: GroupOptions
  readonly #consumers: ConsumerRequests
  readonly #classic: ClassicRequests
  readonly #shards = new Map<number, Shard>()
  readonly counters = new GroupCounters()
  #partitionCount: number
  #isActive = false
  #expiryTimer: Timer | null = null

  constructor(deps: GroupCoordinatorDeps, options: GroupOptions) {
    this.#deps = deps
    this.#options = options
    this.#consumers = new ConsumerRequests(deps, options)
    this.#classic = new ClassicRequests(
      { random: deps.random, consumers: this.#consumers },
      options,
    )
    this.#partitionCount = options.offsetsTopicPartitions
  }

  /** `partitionCount` is that of the offsets topic if it exists: it never changes once groups live in it. */
  start(partitionCount: number = this.#options.offsetsTopicPartitions): void {
    this.#partitionCount = partitionCount
    this.#isActive = true
    this.#scheduleExpiry()
  }

  /** Answers everything that is parked. */
  stop(): void {
    this.#isActive = false
    this.#expiryTimer?.cancel()
    for (const shard of this.#shards.values()) shard.close(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    this.#shards.clear()
  }

  /** This broker leads the partition from now on: resolves when its groups are loaded. */
  async onPartitionElected(partition: number): Promise<void> {
    if (!this.#isActive || this.#shards.has(partition)) return
    const deps = { ...this.#deps, keeper: this.#consumers, counters: this.counters }
    const shard = new Shard(deps, this.#options, partition)
    this.#shards.set(partition, shard)
    await shard.load()
  }

  /** Another broker leads the partition: its members are told to look for it. */
  onPartitionResigned(partition: number): void {
    this.#shards.get(partition)?.close(ErrorCode.NOT_COORDINATOR)
    this.#shards.delete(partition)
  }

  /** The partition of the offsets topic that holds the group: Kafka's rule, so its tools agree. */
  partitionFor(groupId: string): number {
    return partitionOfKey(groupId, this.#partitionCount)
  }

  /** May be parked as long as the members' rebalance timeout. */
  async joinGroup(
    request: Infer<typeof JoinGroupRequest>,
    client: Client,
  ): Promise<InferInput<typeof JoinGroupResponse>> {
    const { shard, error } = this.#shardOfMembers(request.groupId)
    const result = shard
      ? await this.#classic.join(shard, request, client)
      : joinError(request.memberId, error)
    return joinAnswer(result, client.apiVersion)
  }

  /** May be parked until the leader's assignment is durable. */
  async syncGroup(
    request: Infer<typeof SyncGroupRequest>,
  ): Promise<InferInput<typeof SyncGroupResponse>> {
    const { shard, error } = this.#shardOfMembers(request.groupId)
    return shard ? this.#classic.sync(shard, request) : syncError(error)
  }

  heartbeat(request: Infer<typeof HeartbeatRequest>): InferInput<typeof HeartbeatResponse> {
    const { shard, error } = this.#shardOfMembers(request.groupId)
    // While groups are loaded their members cannot be judged; an error would make all of them rejoin.
    if (error === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) return { errorCode: ErrorCode.NONE }
    return { errorCode: shard ? this.#classic.heartbeat(shard, request) : error }
  }

  async leaveGroup(
    request: Infer<typeof LeaveGroupRequest>,
    client: Pick<Client, 'apiVersion'>,
  ): Promise<InferInput<typeof LeaveGroupResponse>> {
    const { shard, error } = this.#shardOfMembers(request.groupId)
    return shard
      ? this.#classic.leave(shard, request, client.apiVersion)
      : { errorCode: error, members: [] }
  }

  /** `mayDescribe` tells which topics a pattern may stand for; those that are named were checked by the caller. */
  async consumerGroupHeartbeat(
    request: Infer<typeof ConsumerGroupHeartbeatRequest>,
    client: Client & { mayDescribe: (topic: string) => boolean },
  ): Promise<InferInput<typeof ConsumerGroupHeartbeatResponse>> {
    if (!this.#isActive) return heartbeatError(ErrorCode.COORDINATOR_NOT_AVAILABLE, null)
    const refusal = this.#consumers.validate(request, client.apiVersion)
    if (refusal) return refusal
    const { shard, error } = this.#shardOf(request.groupId)
    return shard ? this.#consumers.heartbeat(shard, request, client) : heartbeatError(error, null)
  }

  consumerGroupDescribe(
    groupIds: readonly string[],
  ): InferInput<typeof ConsumerGroupDescribeResponse>['groups'] {
    return groupIds.map((groupId) => {
      const { shard, error } = this.#shardOfMembers(groupId)
      return shard
        ? this.#consumers.describe(groupId, shard.group(groupId))
        : noConsumerGroup(groupId, error, null)
    })
  }

  /** The caller has set the topic names in version 10; topics that do not exist are its business. */
  async offsetCommit(
    request: Infer<typeof OffsetCommitRequest>,
    client: Pick<Client, 'apiVersion'>,
  ): Promise<InferInput<typeof OffsetCommitResponse>> {
    const refuse = (error: number) => commitResponse(request, () => error)
    const { groupId } = request
    const { shard, error } = this.#shardOf(groupId)
    if (!shard) return refuse(error)
    const refusal = this.#checkCommit(shard.group(groupId), request, client.apiVersion)
    if (refusal !== ErrorCode.NONE) return refuse(refusal)
    const now = this.#deps.clock.now()
    const commits = commitsOf(request, {
      now,
      metadataMaxBytes: this.#options.offsetMetadataMaxBytes,
    })
    const accepted = commits.filter((commit): commit is Commit => commit !== null)
    try {
      if (accepted.length > 0) await shard.commit(groupId, accepted)
    } catch (failure) {
      return refuse(coordinatorErrorOf(failure))
    }
    let index = 0
    return commitResponse(request, () =>
      commits[index++] ? ErrorCode.NONE : ErrorCode.OFFSET_METADATA_TOO_LARGE,
    )
  }

  /** The caller has had the transaction verified; `verification` is the log's guard from before that. */
  async txnOffsetCommit(
    request: Infer<typeof TxnOffsetCommitRequest>,
    verification: number | undefined,
  ): Promise<InferInput<typeof TxnOffsetCommitResponse>> {
    const { shard, error } = this.#shardOfMembers(request.groupId)
    if (!shard) return txnCommitResponse(request, () => error)
    const now = this.#deps.clock.now()
    const { offsetMetadataMaxBytes: metadataMaxBytes } = this.#options
    const { topics } = this.#deps
    const options = { now, metadataMaxBytes, verification, apiVersion: 0, topics }
    return commitInTransaction(shard, request, options)
  }

  /** Ends a producer's transaction in a partition of the offsets topic; the answer is an error code of the log. */
  async endTransaction(partition: number, marker: TransactionMarker): Promise<number> {
    const shard = this.#shards.get(partition)
    // Before all groups are loaded the marker would be taken in twice: by the replay, and as it is written.
    if (!shard || shard.error !== ErrorCode.NONE) return ErrorCode.NOT_LEADER_OR_FOLLOWER
    try {
      await shard.endTransaction(marker)
      return ErrorCode.NONE
    } catch (failure) {
      return failure instanceof ProtocolError ? failure.errorCode : ErrorCode.UNKNOWN_SERVER_ERROR
    }
  }

  /** The caller has set the topic names in version 10. */
  offsetFetch(
    request: Infer<typeof OffsetFetchRequest>,
    client: Pick<Client, 'apiVersion'>,
  ): InferInput<typeof OffsetFetchResponse> {
    return fetchGroups(request, client.apiVersion, (query) => {
      const { groupId, topics, memberId = null, memberEpoch = -1 } = query
      const { shard, error } = this.#shardOf(groupId)
      if (!shard) return { error, topics: [] }
      const refusal = checkFetch(shard.group(groupId), { memberId, memberEpoch })
      if (refusal !== ErrorCode.NONE) return { error: refusal, topics: [] }
      const offsets = shard.offsets(groupId)
      const found =
        topics === null
          ? fetchAll(offsets, request.requireStable)
          : fetchNamed(offsets, topics, request.requireStable)
      return { error: ErrorCode.NONE, topics: found }
    })
  }

  describeGroups(
    request: Infer<typeof DescribeGroupsRequest>,
    client: Pick<Client, 'apiVersion'>,
  ): InferInput<typeof DescribeGroupsResponse> {
    const isErrorKnown = client.apiVersion >= DESCRIBE_GROUP_NOT_FOUND_VERSION
    const groups = request.groups.map((groupId) => {
      const { shard, error } = this.#shardOf(groupId)
      if (!shard) return unknownGroup(groupId, error, '')
      const group = shard.group(groupId)
      if (group?.type === 'classic') return describeGroup(group)
      const text = group ? 'is not a classic group.' : 'not found.'
      return isErrorKnown
        ? unknownGroup(groupId, ErrorCode.GROUP_ID_NOT_FOUND, `Group ${groupId} ${text}`)
        : unknownGroup(groupId, ErrorCode.NONE, 'Dead')
    })
    return { groups }
  }

  listGroups(request: Infer<typeof ListGroupsRequest>): InferInput<typeof ListGroupsResponse> {
    if (!this.#isActive) return { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, groups: [] }
    const groups = []
    for (const shard of this.#shards.values()) {
      if (shard.error === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) {
        return { errorCode: shard.error, groups: [] }
      }
      for (const groupId of shard.groupIds()) {
        const group = shard.group(groupId)
        if (group && isListed(group, request)) groups.push(listedGroup(group))
      }
    }
    return { errorCode: ErrorCode.NONE, groups }
  }

  /** For the metrics: how many groups of a type are in each of its states. */
  countByState(type: Group['type']): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const shard of this.#shards.values()) {
      for (const groupId of shard.groupIds()) {
        const group = shard.group(groupId)
        if (group?.type === type) counts.set(group.state, (counts.get(group.state) ?? 0) + 1)
      }
    }
    return counts
  }

  /** For the metrics: what is there now. */
  get offsetCount(): number {
    let count = 0
    for (const shard of this.#shards.values()) count += shard.offsetCount
    return count
  }

  /** For the metrics: the partitions that are led, by how far they are loaded. */
  get loadStates(): LoadState[] {
    return Array.from(this.#shards.values(), ({ loadState }) => loadState)
  }

  /** Removes empty groups with their offsets; an error code for each. */
  deleteGroups(groupIds: readonly string[]): Promise<{ groupId: string; errorCode: number }[]> {
    return Promise.all(
      groupIds.map(async (groupId) => {
        const { shard, error } = this.#shardOf(groupId)
        return { groupId, errorCode: shard ? await deleteGroup(shard, groupId) : error }
      }),
    )
  }

  /** Removes offsets of topics that no member reads any more; an error code for all, or for each partition. */
  async deleteOffsets(
    groupId: string,
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<{ errorCode: number; partitionErrors: number[] }> {
    const { shard, error } = this.#shardOfMembers(groupId)
    return shard
      ? deleteOffsets(shard, groupId, partitions)
      : { errorCode: error, partitionErrors: [] }
  }

  /** A deleted topic takes the offsets of all groups with it. Never rejects: the topic is gone, whatever becomes of them. */
  removeOffsetsOfTopic(topic: string): Promise<void> {
    return this.#onEachShard('remove the offsets of a deleted topic', (shard) =>
      deleteOffsetsOfTopic(shard, topic),
    )
  }

  /** For requests of members. An empty group id has none: only offsets, from clients that never set one. */
  #shardOfMembers(groupId: string): FoundShard {
    return groupId === ''
      ? { shard: null, error: ErrorCode.INVALID_GROUP_ID }
      : this.#shardOf(groupId)
  }

  /** The shard of a group if it serves, else null and why. */
  #shardOf(groupId: string): FoundShard {
    if (!this.#isActive) return { shard: null, error: ErrorCode.COORDINATOR_NOT_AVAILABLE }
    const shard = this.#shards.get(this.partitionFor(groupId))
    if (!shard) return { shard: null, error: ErrorCode.NOT_COORDINATOR }
    return shard.error === ErrorCode.NONE
      ? { shard, error: ErrorCode.NONE }
      : { shard: null, error: shard.error }
  }

  #checkCommit(
    group: Group | null,
    request: Infer<typeof OffsetCommitRequest>,
    apiVersion: number,
  ): number {
    const { groupInstanceId: instanceId, generationIdOrMemberEpoch: generationId } = request
    const claim = { ...request, instanceId, generationId, isTransactional: false, apiVersion }
    if (group) return checkCommit(group, claim, this.#deps.topics)
    if (generationId < 0) return ErrorCode.NONE // a consumer that assigns itself, or a tool
    return apiVersion >= COMMIT_GROUP_NOT_FOUND_VERSION
      ? ErrorCode.GROUP_ID_NOT_FOUND
      : ErrorCode.ILLEGAL_GENERATION
  }

  #scheduleExpiry(): void {
    const { offsetsRetentionCheckIntervalMs } = this.#options
    this.#expiryTimer = this.#deps.clock.schedule(offsetsRetentionCheckIntervalMs, () => {
      void this.#expire()
    })
  }

  async #expire(): Promise<void> {
    await this.#onEachShard('drop expired offsets', expire)
    if (this.#isActive) this.#scheduleExpiry()
  }

  #onEachShard(task: string, run: (shard: Shard) => Promise<void>): Promise<void> {
    return onEachShard({ shards: this.#shards.values(), logger: this.#deps.logger }, task, run)
  }
}

type FoundShard = { shard: Shard; error: 0 } | { shard: null; error: number }
