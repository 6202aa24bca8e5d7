import type { ConsumerGroupHeartbeatResponse, InferInput } from '@millrace/wire'
import { ErrorCode } from '@millrace/wire'
import { checkEpoch, checkRoom, memberOrThrow } from './checks'
import type { ConsumerGroup } from './consumer-group'
import type { ConsumerGroupContext } from './context'
import type { GroupDraft } from './group-draft'
import { raiseEpoch } from './group-epoch'
import {
  assignmentRecord,
  type ConsumerMember,
  isSameAssignment,
  isSameMetadata,
  isSameSet,
  JOIN_EPOCH,
  MemberState,
  metadataRecord,
  newConsumerMember,
} from './member'
import { isSameOwned, type TopicPartitions, topicPartitionsOf } from './partitions'
import { checkPattern, isRefreshDue, refreshPatterns } from './patterns'
import { reconcile } from './reconcile'
import { replaceStatic } from './static-member'
import { topicIdsOf, topicNamesOf } from './subscription'
import { updateTargetAssignment } from './target-assignment'

/** A heartbeat; null stands for "as before". */
export interface HeartbeatCommand {
  readonly memberId: string
  readonly memberEpoch: number
  readonly instanceId: string | null
  readonly rackId: string | null
  /** -1: as before. */
  readonly rebalanceTimeoutMs: number
  readonly subscribedTopicNames: readonly string[] | null
  readonly subscribedTopicRegex: string | null
  readonly serverAssignor: string | null
  /** What the member owns by its own account. */
  readonly topicPartitions: readonly TopicPartitions[] | null
  readonly clientId: string
  readonly clientHost: string
  mayDescribe(topic: string): boolean
}
export type HeartbeatAnswer = InferInput<typeof ConsumerGroupHeartbeatResponse>

/** Takes a member in, or hears from it: brings the group up to date, and the member a step nearer to its target. @throws ProtocolError */
export function heartbeat(
  draft: GroupDraft,
  command: HeartbeatCommand,
  context: ConsumerGroupContext,
): HeartbeatAnswer {
  checkRoom(draft.group, command, context.options.maxSize)
  const before = memberFor(draft, command)
  const updated = withCommand(before, command)
  const hasSubscriptionChanged = updateMember(draft, { before, updated }, command, context)
  const after = reconcileMember(draft, updated.id, context, {
    told: command.topicPartitions,
    hasSubscriptionChanged,
  })
  const { sessionTimeoutMs, heartbeatIntervalMs } = context.options
  draft.whenDurable(({ timers }) =>
    timers.start('session', after.id, context.clock.monotonicMs() + sessionTimeoutMs),
  )
  const isToldAssignment =
    command.memberEpoch === JOIN_EPOCH ||
    isFullRequest(command) ||
    !isSameOwned(before.assigned, after.assigned)
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    memberId: after.id,
    memberEpoch: after.epoch,
    heartbeatIntervalMs,
    assignment: isToldAssignment ? { topicPartitions: topicPartitionsOf(after.assigned) } : null,
  }
}

/**
 * Writes what is new of a member, and raises the group's epoch if it, or the topics, changed what there is to assign. Then
 * makes a new target assignment. True if the member subscribes to other topics than before.
 */
export function updateMember(
  draft: GroupDraft,
  { before, updated }: { before: ConsumerMember; updated: ConsumerMember },
  { mayDescribe }: Pick<HeartbeatCommand, 'mayDescribe'>,
  context: ConsumerGroupContext,
): boolean {
  const isNew = !draft.group.members.has(updated.id)
  const isUnchanged = !isNew && isSameMetadata(before, updated)
  if (isUnchanged && isUpToDate(draft.group, context)) {
    updateTargetAssignment(draft, context)
    return false
  }
  const topicsBefore = topicNamesOf(before, draft.group)
  if (updated.subscribedTopicRegex !== before.subscribedTopicRegex) {
    checkPattern(updated.subscribedTopicRegex)
  }
  if (!isUnchanged) draft.write(metadataRecord(draft.groupId, updated))
  refreshPatterns(draft, context, mayDescribe)
  const hasSubscriptionChanged = !isSameSet(topicsBefore, topicNamesOf(updated, draft.group))
  raiseEpoch(draft, context, { isForced: hasSubscriptionChanged })
  updateTargetAssignment(draft, context)
  const version = context.topics.version()
  draft.whenDurable(({ seenTopics }) => (seenTopics.version = version))
  return hasSubscriptionChanged
}

/** Most heartbeats say and find nothing new: those look at nothing but this. */
function isUpToDate(group: ConsumerGroup, context: ConsumerGroupContext): boolean {
  return group.seenTopics.version === context.topics.version() && !isRefreshDue(group, context)
}

/** Brings a member a step nearer to its target. @throws ProtocolError FENCED_MEMBER_EPOCH */
export function reconcileMember(
  draft: GroupDraft,
  memberId: string,
  context: ConsumerGroupContext,
  given: { told: readonly TopicPartitions[] | null; hasSubscriptionChanged: boolean },
): ConsumerMember {
  const { group } = draft
  const member = group.members.get(memberId)!
  const targetEpoch = group.assignmentEpoch
  const isThere = member.state === MemberState.STABLE && member.epoch === targetEpoch
  if (isThere && !given.hasSubscriptionChanged) return member
  const after = reconcile(member, {
    ...given,
    targetEpoch,
    target: group.target(memberId),
    subscribedTopicIds: topicIdsOf(member, group, context.topics),
    isOwned: (topicId, partition) => group.isOwned(topicId, partition),
  })
  if (isSameAssignment(member, after)) return member
  draft.write(assignmentRecord(draft.groupId, after))
  draft.whenDurable(({ timers }) => {
    // Members of the classic protocol have to join and sync in time instead.
    const mustRevoke = after.state === MemberState.UNREVOKED_PARTITIONS && after.classic === null
    const dueMs = context.clock.monotonicMs() + member.rebalanceTimeoutMs
    if (mustRevoke) timers.start('rebalance', memberId, dueMs)
    else timers.stop('rebalance', memberId)
  })
  return after
}

function memberFor(draft: GroupDraft, command: HeartbeatCommand): ConsumerMember {
  const { group } = draft
  const { memberId, memberEpoch, instanceId } = command
  const holder = instanceId === null ? undefined : group.memberOfInstance(instanceId)
  if (memberEpoch === JOIN_EPOCH) {
    if (holder)
      return replaceStatic(draft, holder, memberId, { mayTakeOver: holder.classic !== null })
    return group.members.get(memberId) ?? newConsumerMember(memberId)
  }
  const member = memberOrThrow(group, memberId, instanceId)
  checkEpoch(member, command)
  return member
}

function withCommand(member: ConsumerMember, command: HeartbeatCommand): ConsumerMember {
  const { rebalanceTimeoutMs, subscribedTopicNames } = command
  return {
    ...member,
    instanceId: command.instanceId ?? member.instanceId,
    rackId: command.rackId ?? member.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : rebalanceTimeoutMs,
    serverAssignor: command.serverAssignor ?? member.serverAssignor,
    subscribedTopicNames: subscribedTopicNames
      ? new Set(subscribedTopicNames)
      : member.subscribedTopicNames,
    subscribedTopicRegex: command.subscribedTopicRegex ?? member.subscribedTopicRegex,
    clientId: command.clientId,
    clientHost: command.clientHost,
    classic: null,
  }
}

/** A member that tells everything of itself wants to be told everything: it missed an answer. */
function isFullRequest(command: HeartbeatCommand): boolean {
  const hasSubscription =
    command.subscribedTopicNames !== null || command.subscribedTopicRegex !== null
  return command.rebalanceTimeoutMs !== -1 && hasSubscription && command.topicPartitions !== null
}
