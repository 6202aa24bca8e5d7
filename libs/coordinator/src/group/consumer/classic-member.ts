/**
 * Members of the classic protocol in a group of the consumer protocol, while a group moves from one to the other. They are
 * assigned to by the broker like all others: a rebalance is them joining again, one after the other, without waiting.
 */
import { ErrorCode, protocolError } from '@millrace/wire'
import { joinError } from '../classic/answers'
import type { JoinCommand, SyncCommand } from '../classic/commands'
import type { JoinResult, SyncResult } from '../classic/member'
import { decodeSubscription, encodeAssignment, type Subscription } from '../consumer-protocol'
import { checkRoom, memberOrThrow } from './checks'
import type { ConsumerGroup } from './consumer-group'
import type { ConsumerGroupContext } from './context'
import type { GroupDraft } from './group-draft'
import { reconcileMember, updateMember } from './heartbeat'
import { type ClassicMetadata, type ConsumerMember, MemberState, newConsumerMember } from './member'
import { type TopicPartitions, topicPartitionsOf } from './partitions'
import { replaceStatic } from './static-member'
import { isAssignmentDue } from './target-assignment'

const PROTOCOL_TYPE = 'consumer'

type Claim = Pick<SyncCommand, 'memberId' | 'instanceId' | 'generationId'>

/** Takes a member in, or brings it a step nearer to its target. @throws ProtocolError */
export function joinAsClassic(
  draft: GroupDraft,
  command: JoinCommand,
  context: ConsumerGroupContext,
): JoinResult {
  const { instanceId, protocols } = command
  const memberId = command.memberId === '' ? command.newMemberId : command.memberId
  checkRoom(draft.group, { memberId, instanceId }, context.options.maxSize)
  const subscription = subscriptionOf(command)
  if (!subscription || !isSupported(draft.group, command)) {
    throw protocolError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  }
  if (command.memberId === '' && instanceId === null && command.isMemberIdRequired) {
    return joinError(memberId, ErrorCode.MEMBER_ID_REQUIRED)
  }
  const before = memberFor(draft, command, memberId)
  const updated: ConsumerMember = {
    ...before,
    instanceId: instanceId ?? before.instanceId,
    rackId: subscription.rackId || before.rackId,
    rebalanceTimeoutMs: command.rebalanceTimeoutMs,
    subscribedTopicNames: new Set(subscription.topics),
    subscribedTopicRegex: '',
    clientId: command.clientId,
    clientHost: command.clientHost,
    classic: { sessionTimeoutMs: command.sessionTimeoutMs, supportedProtocols: [...protocols] },
  }
  const hasSubscriptionChanged = updateMember(draft, { before, updated }, SEES_ALL, context)
  const told = toldPartitions(subscription, context)
  const after = reconcileMember(draft, memberId, context, { told, hasSubscriptionChanged })
  draft.whenDurable(({ timers }) => {
    const nowMs = context.clock.monotonicMs()
    timers.stop('join', memberId)
    timers.start('session', memberId, nowMs + command.sessionTimeoutMs)
    timers.start('sync', memberId, nowMs + command.rebalanceTimeoutMs)
  })
  return {
    errorCode: ErrorCode.NONE,
    generationId: after.epoch,
    protocolType: PROTOCOL_TYPE,
    protocolName: protocols[0].name,
    leader: '', // nobody: the broker assigns
    memberId,
    members: [],
  }
}

/** Hands a member what it has. @throws ProtocolError */
export function syncAsClassic(
  group: ConsumerGroup,
  command: SyncCommand,
  context: ConsumerGroupContext,
): SyncResult {
  const { member, classic } = classicMember(group, command)
  const { protocolType, protocolName } = command
  const offered = classic.supportedProtocols[0]
  const isForeign =
    (protocolType !== null && protocolType !== PROTOCOL_TYPE) ||
    (protocolName !== null && protocolName !== offered.name)
  if (isForeign) throw protocolError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  const mustRevoke = member.state === MemberState.UNREVOKED_PARTITIONS
  if (group.assignmentEpoch > member.epoch && !mustRevoke) {
    awaitJoin(group, member, context)
    throw protocolError(ErrorCode.REBALANCE_IN_PROGRESS)
  }
  group.timers.stop('sync', member.id)
  startSession(group, member.id, classic, context)
  const assignedPartitions = topicPartitionsOf(member.assigned).flatMap(
    ({ topicId, partitions }) => {
      const topic = context.topics.nameOf(topicId)
      return topic === null ? [] : [{ topic, partitions }]
    },
  )
  const version = decodeSubscription(offered.metadata)?.version ?? 0
  const assignment = encodeAssignment(assignedPartitions, version)
  return { errorCode: ErrorCode.NONE, protocolType, protocolName, assignment }
}

/** Returns an error code; REBALANCE_IN_PROGRESS tells the member to join again. @throws ProtocolError */
export function heartbeatAsClassic(
  group: ConsumerGroup,
  claim: Claim,
  context: ConsumerGroupContext,
): number {
  const { member, classic } = classicMember(group, claim)
  startSession(group, member.id, classic, context)
  // Only joins and heartbeats of the consumer protocol make an assignment: without any, somebody must join for it.
  const isBehind = member.epoch < group.assignmentEpoch || isAssignmentDue(group, context)
  const mustRevoke = member.state === MemberState.UNREVOKED_PARTITIONS
  const canGetMore =
    member.state === MemberState.UNRELEASED_PARTITIONS && !waitsForOthers(group, member)
  if (!isBehind && !mustRevoke && !canGetMore) return ErrorCode.NONE
  awaitJoin(group, member, context)
  return ErrorCode.REBALANCE_IN_PROGRESS
}

export function isAllClassic(group: ConsumerGroup): boolean {
  return [...group.members.values()].every(({ classic }) => classic !== null)
}

/** A member of the classic protocol has no pattern, so it is never asked what it may see. */
const SEES_ALL = { mayDescribe: () => true }

function memberFor(draft: GroupDraft, command: JoinCommand, memberId: string): ConsumerMember {
  const { group } = draft
  const { instanceId } = command
  if (instanceId === null) return group.members.get(memberId) ?? newConsumerMember(memberId)
  if (command.memberId !== '') return memberOrThrow(group, memberId, instanceId)
  const holder = group.memberOfInstance(instanceId)
  return holder
    ? replaceStatic(draft, holder, memberId, { mayTakeOver: true })
    : newConsumerMember(memberId)
}

/** All protocols carry the same subscription. Null if it cannot be read. */
function subscriptionOf({ protocolType, protocols }: JoinCommand): Subscription | null {
  if (protocolType !== PROTOCOL_TYPE || protocols.length === 0) return null
  return decodeSubscription(protocols[0].metadata)?.subscription ?? null
}

/** Whether one of the protocols is offered by all other members of the classic protocol. */
function isSupported(group: ConsumerGroup, { protocols }: JoinCommand): boolean {
  const others = [...group.members.values()].flatMap(({ classic }) => (classic ? [classic] : []))
  return protocols.some(({ name }) =>
    others.every(({ supportedProtocols }) => supportedProtocols.some((p) => p.name === name)),
  )
}

function toldPartitions(
  { ownedPartitions }: Subscription,
  { topics }: ConsumerGroupContext,
): TopicPartitions[] {
  return ownedPartitions.flatMap(({ topic, partitions }) => {
    const topicId = topics.topicId(topic)
    return topicId === null ? [] : [{ topicId, partitions }]
  })
}

/** GROUP-2, GROUP-3. @throws ProtocolError */
function classicMember(
  group: ConsumerGroup,
  { memberId, instanceId, generationId }: Claim,
): { member: ConsumerMember; classic: NonNullable<ClassicMetadata> } {
  const member = memberOrThrow(group, memberId, instanceId)
  const { classic } = member
  if (!classic) throw protocolError(ErrorCode.UNKNOWN_MEMBER_ID)
  if (generationId !== member.epoch) throw protocolError(ErrorCode.ILLEGAL_GENERATION)
  return { member, classic }
}

function waitsForOthers(group: ConsumerGroup, member: ConsumerMember): boolean {
  for (const [topicId, partitions] of group.target(member.id)) {
    for (const partition of partitions) {
      const isMine = member.assigned.get(topicId)?.has(partition) ?? false
      if (!isMine && group.isOwned(topicId, partition)) return true
    }
  }
  return false
}

function awaitJoin(
  group: ConsumerGroup,
  member: ConsumerMember,
  { clock }: ConsumerGroupContext,
): void {
  const dueMs = clock.monotonicMs() + member.rebalanceTimeoutMs
  group.timers.startIfNone('join', member.id, dueMs)
}

function startSession(
  group: ConsumerGroup,
  memberId: string,
  classic: NonNullable<ClassicMetadata>,
  { clock }: ConsumerGroupContext,
): void {
  group.timers.start('session', memberId, clock.monotonicMs() + classic.sessionTimeoutMs)
}
