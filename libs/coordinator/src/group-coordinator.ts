import { type Clock, errorMessage, type Random, type Timer } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import {
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
import type { GroupOptions } from './config'
import type { CoordinatorLog, TransactionMarker } from './coordinator-log'
import { deleteGroup, deleteOffsets, deleteOffsetsOfTopic } from './deletion'
import { describeGroup, isListed, listedGroup, unknownGroup } from './describe'
import { joinError, syncError } from './group/classic/answers'
import type { ClassicGroup } from './group/classic/classic-group'
import { partitionOfKey } from './java-hash-code'
import { newMemberId } from './member-id'
import { commitResponse, type Commit, commitsOf } from './offset-commit'
import { fetchAll, fetchGroups, fetchNamed } from './offset-fetch'
import { Shard } from './shard'
import { commitInTransaction, txnCommitResponse } from './txn-offset-commit'

export interface Client {
  readonly clientId: string
  /** As Kafka shows it: `/127.0.0.1`. */
  readonly clientHost: string
  /** Of the request. */
  readonly apiVersion: number
}

/** Version from which a request knows the field or the behaviour. */
const JOIN_MEMBER_ID_REQUIRED_VERSION = 4
const JOIN_NULL_PROTOCOL_VERSION = 7
const JOIN_SKIP_ASSIGNMENT_VERSION = 9
const LEAVE_BATCH_VERSION = 3
const COMMIT_GROUP_NOT_FOUND_VERSION = 9
const DESCRIBE_GROUP_NOT_FOUND_VERSION = 6

/**
 * Answers all group requests of the partitions of the offsets topic that this broker leads. Every method resolves with a
 * response: failures are error codes in it. Until `start` and after `stop` that is COORDINATOR_NOT_AVAILABLE.
 */
export class GroupCoordinator {
  readonly #deps: { log: CoordinatorLog; clock: Clock; random: Random; logger: Logger }
  readonly #options: GroupOptions
  readonly #shards = new Map<number, Shard>()
  #partitionCount: number
  #isActive = false
  #expiryTimer: Timer | null = null

  constructor(
    deps: { log: CoordinatorLog; clock: Clock; random: Random; logger: Logger },
    options: GroupOptions,
  ) {
    this.#deps = deps
    this.#options = options
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
    const shard = new Shard(this.#deps, this.#options, partition)
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
  joinGroup(
    request: Infer<typeof JoinGroupRequest>,
    client: Client,
  ): Promise<InferInput<typeof JoinGroupResponse>> {
    const { groupId, memberId, sessionTimeoutMs, rebalanceTimeoutMs } = request
    const { apiVersion } = client
    return new Promise((resolve) => {
      const reply = (result: InferInput<typeof JoinGroupResponse>) =>
        resolve(
          apiVersion < JOIN_NULL_PROTOCOL_VERSION && result.protocolName === null
            ? { ...result, protocolName: '' }
            : result,
        )
      const { shard, error } = this.#shardOfMembers(groupId)
      if (!shard) return reply(joinError(memberId, error))
      if (!this.#isSessionTimeoutAllowed(sessionTimeoutMs)) {
        return reply(joinError(memberId, ErrorCode.INVALID_SESSION_TIMEOUT))
      }
      const name = request.groupInstanceId ?? client.clientId
      const command = {
        memberId,
        newMemberId: newMemberId(name, this.#deps.random),
        instanceId: request.groupInstanceId,
        clientId: client.clientId,
        clientHost: client.clientHost,
        sessionTimeoutMs,
        rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
        protocolType: request.protocolType,
        // The request's buffer is reused: what the group keeps is copied.
        protocols: request.protocols.map((protocol) => ({
          name: protocol.name,
          metadata: Buffer.from(protocol.metadata),
        })),
        isMemberIdRequired: apiVersion >= JOIN_MEMBER_ID_REQUIRED_VERSION,
        canSkipAssignment: apiVersion >= JOIN_SKIP_ASSIGNMENT_VERSION,
      }
      const isCreator = memberId === ''
      const stored = shard.run(groupId, (group) => group.join(command, reply), { isCreator })
      if (stored === null) reply(joinError(memberId, ErrorCode.UNKNOWN_MEMBER_ID))
      stored?.catch(ignore)
    })
  }

  /** May be parked until the leader's assignment is durable. */
  syncGroup(
    request: Infer<typeof SyncGroupRequest>,
  ): Promise<InferInput<typeof SyncGroupResponse>> {
    return new Promise((reply) => {
      const { shard, error } = this.#shardOfMembers(request.groupId)
      if (!shard) return reply(syncError(error))
      const command = { ...request, instanceId: request.groupInstanceId }
      const stored = shard.run(request.groupId, (group) => group.sync(command, reply))
      if (stored === null) reply(syncError(ErrorCode.UNKNOWN_MEMBER_ID))
      stored?.catch(ignore)
    })
  }

  heartbeat(request: Infer<typeof HeartbeatRequest>): InferInput<typeof HeartbeatResponse> {
    const { groupId, memberId, groupInstanceId: instanceId, generationId } = request
    const { shard, error } = this.#shardOfMembers(groupId)
    // While groups are loaded their members cannot be judged; an error would make all of them rejoin.
    if (error === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) return { errorCode: ErrorCode.NONE }
    if (!shard) return { errorCode: error }
    const group = shard.group(groupId)
    if (!group) return { errorCode: ErrorCode.UNKNOWN_MEMBER_ID }
    return { errorCode: group.heartbeat({ memberId, instanceId, generationId }) }
  }

  async leaveGroup(
    request: Infer<typeof LeaveGroupRequest>,
    client: Pick<Client, 'apiVersion'>,
  ): Promise<InferInput<typeof LeaveGroupResponse>> {
    const isBatch = client.apiVersion >= LEAVE_BATCH_VERSION
    const members = isBatch
      ? request.members
      : [{ memberId: request.memberId, groupInstanceId: null }]
    const { shard, error } = this.#shardOfMembers(request.groupId)
    if (!shard) return { errorCode: error, members: [] }
    let errors = members.map(() => ErrorCode.UNKNOWN_MEMBER_ID as number)
    try {
      await shard.run(request.groupId, (group) => {
        const left = group.leave(members)
        errors = left.errors
        return left.write
      })
    } catch (failure) {
      return { errorCode: coordinatorErrorOf(failure), members: [] }
    }
    if (!isBatch) return { errorCode: errors[0], members: [] }
    return {
      errorCode: ErrorCode.NONE,
      members: members.map(({ memberId, groupInstanceId }, index) => ({
        memberId,
        groupInstanceId,
        errorCode: errors[index],
      })),
    }
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
    const refusal = checkCommit(shard.group(groupId), request, client.apiVersion)
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
    return commitInTransaction(shard, request, { now, metadataMaxBytes, verification })
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
    return fetchGroups(request, client.apiVersion, ({ groupId, topics }) => {
      const { shard, error } = this.#shardOf(groupId)
      if (!shard) return { error, topics: [] }
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
      if (group) return describeGroup(group)
      return isErrorKnown
        ? unknownGroup(groupId, ErrorCode.GROUP_ID_NOT_FOUND, `Group ${groupId} not found.`)
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

  /** Removes empty groups with their offsets; an error code for each. */
  deleteGroups(groupIds: readonly string[]): Promise<{ groupId: string; errorCode: number }[]> {
    return Promise.all(
      groupIds.map(async (groupId) => {
        const { shard, error } = this.#shardOfMembers(groupId)
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

  /** A deleted topic takes the offsets of all groups with it. */
  async removeOffsetsOfTopic(topic: string): Promise<void> {
    const serving = [...this.#shards.values()].filter((shard) => shard.error === ErrorCode.NONE)
    await Promise.all(serving.map((shard) => deleteOffsetsOfTopic(shard, topic)))
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

  #isSessionTimeoutAllowed(timeoutMs: number): boolean {
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#options
    return timeoutMs >= minSessionTimeoutMs && timeoutMs <= maxSessionTimeoutMs
  }

  #scheduleExpiry(): void {
    const { offsetsRetentionCheckIntervalMs } = this.#options
    this.#expiryTimer = this.#deps.clock.schedule(offsetsRetentionCheckIntervalMs, () => {
      void this.#expire()
    })
  }

  async #expire(): Promise<void> {
    for (const shard of this.#shards.values()) {
      if (shard.error !== ErrorCode.NONE) continue
      try {
        await shard.expire()
      } catch (error) {
        const { partition } = shard
        const reason = errorMessage(error)
        this.#deps.logger.warn('could not drop expired offsets', { partition, reason })
      }
    }
    if (this.#isActive) this.#scheduleExpiry()
  }
}

type FoundShard = { shard: Shard; error: 0 } | { shard: null; error: number }

/** The group and its members learned of the failure; the request was answered by the group. */
const ignore = () => undefined

function checkCommit(
  group: ClassicGroup | null,
  request: Infer<typeof OffsetCommitRequest>,
  apiVersion: number,
): number {
  const { memberId, groupInstanceId: instanceId, generationIdOrMemberEpoch: generationId } = request
  if (group) return group.checkCommit({ memberId, instanceId, generationId })
  if (generationId < 0) return ErrorCode.NONE // a consumer that assigns itself, or a tool
  return apiVersion >= COMMIT_GROUP_NOT_FOUND_VERSION
    ? ErrorCode.GROUP_ID_NOT_FOUND
    : ErrorCode.ILLEGAL_GENERATION
}
