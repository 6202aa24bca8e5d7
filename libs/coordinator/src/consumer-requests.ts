import type { Clock, Random } from '@millrace/base'
import {
  type ConsumerGroupDescribeResponse,
  type ConsumerGroupHeartbeatRequest,
  ErrorCode,
  errorText,
  type Infer,
  type InferInput,
  ProtocolError,
  protocolError,
} from '@millrace/wire'
import { coordinatorErrorOf } from './append-error'
import type { Client } from './client'
import { consumerGroupOptions } from './consumer-group-options'
import type { GroupOptions } from './config'
import { describeConsumerGroup } from './describe-consumer-group'
import { assignors } from './group/assignor'
import type { JoinCommand, SyncCommand } from './group/classic/commands'
import type { JoinResult, SyncResult } from './group/classic/member'
import { heartbeatAsClassic, joinAsClassic, syncAsClassic } from './group/consumer/classic-member'
import { memberOrThrow } from './group/consumer/checks'
import type { ConsumerGroup } from './group/consumer/consumer-group'
import type { ConsumerGroupContext } from './group/consumer/context'
import { GroupDraft } from './group/consumer/group-draft'
import { heartbeat, type HeartbeatAnswer } from './group/consumer/heartbeat'
import { JOIN_EPOCH, LEAVE_EPOCH, MemberState, STATIC_LEAVE_EPOCH } from './group/consumer/member'
import { leave, removeMembers, takeLate } from './group/consumer/removal'
import { removeGroup } from './group/consumer/tombstones'
import type { Group } from './group/group'
import { maybeDowngrade, type MigrationContext, upgrade } from './group/migration'
import { newUuid } from './member-id'
import type { Change, ConsumerGroupKeeper, Shard } from './shard'
import type { TopicsView } from './topics-view'

type HeartbeatRequest = Infer<typeof ConsumerGroupHeartbeatRequest>
type DescribedGroup = InferInput<typeof ConsumerGroupDescribeResponse>['groups'][number]

/** First version of the heartbeat whose members choose their own ids. */
const OWN_MEMBER_ID_VERSION = 1

export interface ConsumerRequestsDeps {
  readonly clock: Clock
  readonly random: Random
  readonly topics: TopicsView
  /** Configs that hold for a single group, over those of all groups. */
  readonly groupConfigs: (groupId: string) => Readonly<Record<string, string>>
}

/** Answers what members of both protocols ask of groups of the consumer protocol. */
export class ConsumerRequests implements ConsumerGroupKeeper {
  readonly #deps: ConsumerRequestsDeps
  readonly #options: GroupOptions

  constructor(deps: ConsumerRequestsDeps, options: GroupOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** What is wrong with a request by itself; null if nothing is. */
  validate(request: HeartbeatRequest, apiVersion: number): HeartbeatAnswer | null {
    const invalid = invalidReason(request, apiVersion)
    if (invalid) return heartbeatError(ErrorCode.INVALID_REQUEST, invalid)
    const { serverAssignor } = request
    const { consumerAssignors } = this.#options
    if (serverAssignor === null || consumerAssignors.includes(serverAssignor)) return null
    return heartbeatError(
      ErrorCode.UNSUPPORTED_ASSIGNOR,
      `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${consumerAssignors.join(', ')}.`,
    )
  }

  async heartbeat(
    shard: Shard,
    request: HeartbeatRequest,
    { clientId, clientHost, mayDescribe }: Client & { mayDescribe: (topic: string) => boolean },
  ): Promise<HeartbeatAnswer> {
    const { groupId, memberEpoch } = request
    const isLeaving = memberEpoch === LEAVE_EPOCH || memberEpoch === STATIC_LEAVE_EPOCH
    const memberId = request.memberId || newUuid(this.#deps.random)
    const command = { ...request, memberId, clientId, clientHost, mayDescribe }
    // A member was heard, or has left, though nobody waits for the answer. A join comes again, maybe with another id.
    const countsLate = memberEpoch !== JOIN_EPOCH
    const change = (group: Group): Change<HeartbeatAnswer> => {
      if (isLeaving) return this.#leave(this.#consumerGroup(group), command)
      const draft =
        memberEpoch === JOIN_EPOCH && group.type === 'classic'
          ? upgrade(group, this.#migration())
          : new GroupDraft(this.#consumerGroup(group))
      return { draft, answer: heartbeat(draft, command, this.#context(groupId)) }
    }
    try {
      return await shard.change(groupId, change, { countsLate })
    } catch (error) {
      return heartbeatError(coordinatorErrorOf(error), messageOf(error))
    }
  }

  /** A member of the classic protocol comes to a group that has members of the consumer protocol. */
  async joinAsClassic(shard: Shard, groupId: string, command: JoinCommand): Promise<JoinResult> {
    if (this.#options.consumerMigrationPolicy === 'disabled') {
      throw protocolError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    }
    return shard.change(groupId, (group) => {
      // It was one when the request came: whoever made something else of it told its members to join again.
      if (group.type === 'classic') throw protocolError(ErrorCode.REBALANCE_IN_PROGRESS)
      const draft = new GroupDraft(group)
      const answer = joinAsClassic(draft, command, this.#context(groupId))
      // The last member of the consumer protocol was replaced: all join again, to be assigned to by one of them.
      const isDowngraded = maybeDowngrade(draft, this.#migration())
      const rejoin = { ...answer, errorCode: ErrorCode.REBALANCE_IN_PROGRESS as number }
      return { draft, answer: isDowngraded ? rejoin : answer }
    })
  }

  /** @throws ProtocolError */
  syncAsClassic(shard: Shard, group: ConsumerGroup, command: SyncCommand): SyncResult {
    try {
      return syncAsClassic(group, command, this.#context(group.groupId))
    } finally {
      shard.onDeadlineMoved(group.groupId)
    }
  }

  /** Returns an error code. */
  heartbeatAsClassic(
    shard: Shard,
    group: ConsumerGroup,
    claim: { memberId: string; instanceId: string | null; generationId: number },
  ): number {
    try {
      return heartbeatAsClassic(group, claim, this.#context(group.groupId))
    } catch (error) {
      return coordinatorErrorOf(error)
    } finally {
      shard.onDeadlineMoved(group.groupId)
    }
  }

  /** An error code for each member, once they are gone. @throws ProtocolError */
  leaveAsClassic(
    shard: Shard,
    groupId: string,
    leaving: readonly { readonly memberId: string; readonly groupInstanceId: string | null }[],
  ): Promise<number[]> {
    return shard.change(groupId, (group) => {
      const draft = new GroupDraft(this.#consumerGroup(group))
      const left = new Set<string>()
      const answer = leaving.map(({ memberId, groupInstanceId: instanceId }) => {
        try {
          left.add(leavingMember(draft.group, memberId, instanceId))
          return ErrorCode.NONE
        } catch (error) {
          return coordinatorErrorOf(error)
        }
      })
      this.#remove(draft, left)
      return { draft, answer }
    })
  }

  /** Makes place for a classic group. @throws ProtocolError */
  async removeEmpty(shard: Shard, groupId: string): Promise<void> {
    await shard.change(groupId, (group) => {
      if (group.type === 'classic' || !group.isEmpty) return { draft: null, answer: undefined }
      const draft = new GroupDraft(group)
      removeGroup(draft)
      return { draft, answer: undefined }
    })
  }

  describe(groupId: string, group: Group | null): DescribedGroup {
    if (group?.type === 'consumer') {
      return describeConsumerGroup(
        group,
        this.#deps.topics,
        this.#context(groupId).options.assignors,
      )
    }
    const text = group ? `Group ${groupId} is not a consumer group.` : `Group ${groupId} not found.`
    return noConsumerGroup(groupId, ErrorCode.GROUP_ID_NOT_FOUND, text)
  }

  onLoaded(group: ConsumerGroup): void {
    const { timers, members } = group
    const nowMs = this.#deps.clock.monotonicMs()
    const { sessionTimeoutMs } = this.#context(group.groupId).options
    for (const { id, classic, state, rebalanceTimeoutMs } of members.values()) {
      timers.start('session', id, nowMs + (classic?.sessionTimeoutMs ?? sessionTimeoutMs))
      const mustRevoke = state === MemberState.UNREVOKED_PARTITIONS && classic === null
      if (mustRevoke) timers.start('rebalance', id, nowMs + rebalanceTimeoutMs)
    }
  }

  onDeadline(group: ConsumerGroup): GroupDraft | null {
    const late = takeLate(group, this.#deps.clock.monotonicMs())
    if (late.size === 0) return null
    const draft = new GroupDraft(group)
    this.#remove(draft, late)
    return draft
  }

  #leave(group: ConsumerGroup, command: HeartbeatRequest): Change<HeartbeatAnswer> {
    const { memberId, memberEpoch } = command
    const draft = new GroupDraft(group)
    const leavingId = leave(draft, command)
    if (leavingId !== null) this.#remove(draft, new Set([leavingId]))
    const nothingMore = { throttleTimeMs: 0, errorCode: ErrorCode.NONE, heartbeatIntervalMs: 0 }
    return { draft, answer: { ...nothingMore, memberId, memberEpoch } }
  }

  #remove(draft: GroupDraft, memberIds: ReadonlySet<string>): void {
    if (memberIds.size === 0) return
    removeMembers(draft, memberIds, this.#context(draft.groupId))
    maybeDowngrade(draft, this.#migration())
  }

  /** @throws ProtocolError GROUP_ID_NOT_FOUND */
  #consumerGroup(group: Group): ConsumerGroup {
    if (group.type === 'consumer') return group
    const text = `Group ${group.groupId} is not a consumer group.`
    throw protocolError(ErrorCode.GROUP_ID_NOT_FOUND, text)
  }

  #context(groupId: string): ConsumerGroupContext {
    const { clock, topics, groupConfigs } = this.#deps
    const options = consumerGroupOptions(this.#options, groupConfigs(groupId), assignors)
    return { clock, topics, options }
  }

  #migration(): MigrationContext {
    const { clock, topics } = this.#deps
    const { consumerMigrationPolicy: policy, consumerMaxSize, maxSize } = this.#options
    return { clock, topics, policy, consumerMaxSize, classicMaxSize: maxSize }
  }
}

export function heartbeatError(errorCode: number, errorMessage: string | null): HeartbeatAnswer {
  return { throttleTimeMs: 0, errorCode, errorMessage, memberEpoch: 0, heartbeatIntervalMs: 0 }
}

export function noConsumerGroup(
  groupId: string,
  errorCode: number,
  errorMessage: string | null,
): DescribedGroup {
  return {
    errorCode,
    errorMessage,
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
  }
}

function invalidReason(request: HeartbeatRequest, apiVersion: number): string | null {
  const { memberEpoch, instanceId, rackId, topicPartitions } = request
  const needsId =
    apiVersion >= OWN_MEMBER_ID_VERSION || memberEpoch > JOIN_EPOCH || memberEpoch === LEAVE_EPOCH
  if (needsId && isBlank(request.memberId)) return "MemberId can't be empty."
  if (isBlank(request.groupId)) return "GroupId can't be empty."
  if (instanceId !== null && isBlank(instanceId)) return "InstanceId can't be empty."
  if (rackId !== null && isBlank(rackId)) return "RackId can't be empty."
  if (memberEpoch < STATIC_LEAVE_EPOCH) return 'MemberEpoch is invalid.'
  if (memberEpoch === STATIC_LEAVE_EPOCH && instanceId === null) return "InstanceId can't be null."
  if (memberEpoch !== JOIN_EPOCH) return null
  if (request.rebalanceTimeoutMs === -1) {
    return 'RebalanceTimeoutMs must be provided in first request.'
  }
  if (topicPartitions === null || topicPartitions.length > 0) {
    return 'TopicPartitions must be empty when (re-)joining.'
  }
  return request.subscribedTopicNames === null && request.subscribedTopicRegex === null
    ? 'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.'
    : null
}

function isBlank(text: string): boolean {
  return text.trim() === ''
}

/** Tools take static members out by their instance alone. @throws ProtocolError */
function leavingMember(group: ConsumerGroup, memberId: string, instanceId: string | null): string {
  const holder = instanceId === null ? undefined : group.memberOfInstance(instanceId)
  return memberId === '' && holder ? holder.id : memberOrThrow(group, memberId, instanceId).id
}

function messageOf(error: unknown): string | null {
  return error instanceof ProtocolError ? error.message : errorText(ErrorCode.UNKNOWN_SERVER_ERROR)
}
