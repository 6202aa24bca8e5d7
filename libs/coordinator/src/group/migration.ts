/** From one protocol to the other and back, with or without members. */
import type { Clock } from '@millrace/base'
import { ErrorCode, protocolError } from '@millrace/wire'
import type { GroupMetadataValue } from '../records/group-metadata'
import type { TopicsView } from '../topics-view'
import type { ClassicGroup } from './classic/classic-group'
import { UNSETTLED } from './classic/group-record'
import { type Member, metadataOf } from './classic/member'
import { Members } from './classic/members'
import { decodeAssignment, decodeSubscription, encodeAssignment } from './consumer-protocol'
import { isAllClassic } from './consumer/classic-member'
import { ConsumerGroup } from './consumer/consumer-group'
import { GroupDraft } from './consumer/group-draft'
import {
  assignmentRecord,
  type ConsumerMember,
  heldPartitions,
  metadataRecord,
  newConsumerMember,
} from './consumer/member'
import { type OwnedPartitions, topicPartitionsOf } from './consumer/partitions'
import { metadataHash } from './consumer/subscription'
import { removeGroup } from './consumer/tombstones'

/** Of `group.consumer.migration.policy`. */
export type MigrationPolicy = 'bidirectional' | 'upgrade' | 'downgrade' | 'disabled'

export interface MigrationContext {
  readonly clock: Clock
  readonly topics: TopicsView
  readonly policy: MigrationPolicy
  readonly consumerMaxSize: number
  readonly classicMaxSize: number
}

/**
 * A group of the consumer protocol in the place of a classic one. Its members stay what they are, with what they have, until
 * they come back as members of the consumer protocol one by one. @throws ProtocolError GROUP_ID_NOT_FOUND if that cannot be
 */
export function upgrade(classic: ClassicGroup, context: MigrationContext): GroupDraft {
  const { groupId } = classic
  const wasStored = classic.protocolType !== null
  const records = wasStored ? [{ type: 'group' as const, groupId, value: null }] : []
  const draft = new GroupDraft(new ConsumerGroup(groupId), records)
  if (classic.members.length === 0) return draft
  checkUpgrade(classic, context)
  const epoch = classic.generationId
  for (const member of upgradedMembers(classic, context.topics)) {
    draft.write(metadataRecord(groupId, member))
    const value = { topicPartitions: topicPartitionsOf(member.assigned) }
    draft.write({ type: 'target-member', groupId, memberId: member.id, value })
    draft.write(assignmentRecord(groupId, member))
  }
  const hash = metadataHash(draft.group, context.topics)
  draft.write({ type: 'consumer-group', groupId, value: { epoch, metadataHash: hash } })
  const target = { assignmentEpoch: epoch, assignmentTimestamp: 0 }
  draft.write({ type: 'target-epoch', groupId, value: target })
  draft.whenDurable(({ timers, members }) => {
    const nowMs = context.clock.monotonicMs()
    for (const { id, classic: metadata } of members.values()) {
      if (metadata) timers.start('session', id, nowMs + metadata.sessionTimeoutMs)
    }
  })
  return draft
}

/**
 * Makes a group classic again once no member of the consumer protocol is left in it, if that is wanted. Its members rebalance:
 * one of them will assign. True if it did.
 */
export function maybeDowngrade(draft: GroupDraft, context: MigrationContext): boolean {
  const { group } = draft
  const { policy, classicMaxSize } = context
  const isWanted = policy === 'bidirectional' || policy === 'downgrade'
  const isPossible = !group.isEmpty && isAllClassic(group) && group.members.size <= classicMaxSize
  if (!isWanted || !isPossible) return false
  const value = downgradedValue(group, context)
  removeGroup(draft)
  draft.writeClassic(value)
  return true
}

function checkUpgrade(classic: ClassicGroup, context: MigrationContext): void {
  const { policy, consumerMaxSize } = context
  const refuse = (reason: string) =>
    protocolError(
      ErrorCode.GROUP_ID_NOT_FOUND,
      `Cannot upgrade classic group ${classic.groupId} to consumer group because ${reason}.`,
    )
  if (policy !== 'bidirectional' && policy !== 'upgrade') {
    throw refuse('online upgrade is disabled')
  }
  if (classic.protocolType !== 'consumer') {
    throw refuse('the group does not use the consumer embedded protocol')
  }
  if (classic.members.length > consumerMaxSize) {
    throw refuse('the group size exceeds the consumer group maximum size')
  }
  for (const member of classic.members) {
    const assignment = assignmentOf(member)
    if (!assignment || !decodeSubscription(metadataOfGroup(member, classic))) {
      throw refuse('the embedded consumer protocol is malformed')
    }
    // What an assignor of the clients keeps for itself would be lost.
    if (assignment.userData && assignment.userData.length > 0) {
      throw refuse('an unsupported custom assignor is in use')
    }
  }
}

/** Before the first generation there is no protocol yet: all of a member's carry the same subscription. */
function metadataOfGroup(member: Member, classic: ClassicGroup): Buffer {
  return classic.protocolName === null
    ? member.protocols[0].metadata
    : metadataOf(member, classic.protocolName)
}

function upgradedMembers(classic: ClassicGroup, topics: TopicsView): ConsumerMember[] {
  const epoch = classic.generationId
  const owned = ownedByMember(classic, topics)
  return classic.members.map((member) => {
    const { subscription } = decodeSubscription(metadataOfGroup(member, classic))!
    return {
      ...newConsumerMember(member.id),
      instanceId: member.instanceId,
      rackId: subscription.rackId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: new Set(subscription.topics),
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      classic: {
        sessionTimeoutMs: member.sessionTimeoutMs,
        supportedProtocols: [...member.protocols],
      },
      epoch,
      previousEpoch: epoch,
      assigned: owned.get(member.id)!,
    }
  })
}

/**
 * GROUP-6: what a member was assigned, and what it said when it joined that it keeps: in a cooperative rebalance it goes on with
 * that until it is told otherwise, and if that fails there is no assignment. Of a partition that is given to two, which
 * assignors of clients may do, the first is the owner.
 */
function ownedByMember(classic: ClassicGroup, topics: TopicsView): Map<string, OwnedPartitions> {
  const epoch = classic.generationId
  const taken = new Set<string>()
  const owned = new Map(
    classic.members.map(({ id }) => [id, new Map<string, Map<number, number>>()]),
  )
  for (const claimsOf of [assignedTo, keptBy]) {
    for (const member of classic.members) {
      for (const { topic, partitions } of claimsOf(member, classic)) {
        const topicId = topics.topicId(topic)
        const free = partitions.filter((partition) => !taken.has(`${topic} ${partition}`))
        if (topicId === null || free.length === 0) continue
        const ofMember = owned.get(member.id)!
        const epochs = ofMember.get(topicId) ?? new Map<number, number>()
        ofMember.set(topicId, epochs)
        for (const partition of free) {
          taken.add(`${topic} ${partition}`)
          epochs.set(partition, epoch)
        }
      }
    }
  }
  return owned
}

/** Null if it cannot be read. */
function assignmentOf({ assignment }: Member) {
  if (assignment.length === 0) return { assignedPartitions: [], userData: null }
  return decodeAssignment(assignment)
}

function assignedTo(member: Member) {
  return assignmentOf(member)!.assignedPartitions
}

function keptBy(member: Member, classic: ClassicGroup) {
  return decodeSubscription(metadataOfGroup(member, classic))!.subscription.ownedPartitions
}

function downgradedValue(
  group: ConsumerGroup,
  { clock, topics }: Pick<MigrationContext, 'clock' | 'topics'>,
): GroupMetadataValue {
  const members = new Members(clock)
  for (const member of group.members.values()) members.add(classicMemberOf(member, topics))
  const protocol = members.electProtocol()
  return {
    protocolType: 'consumer',
    generation: group.epoch,
    protocol,
    leader: members.leaderId,
    // What those had that are gone is nobody's: should the broker die before they have rebalanced, the next one goes on with it.
    currentStateTimestamp: UNSETTLED,
    members: [...members.all()].map((member) => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeout: member.rebalanceTimeoutMs,
      sessionTimeout: member.sessionTimeoutMs,
      subscription: metadataOf(member, protocol),
      assignment: member.assignment,
    })),
  }
}

function classicMemberOf(member: ConsumerMember, topics: TopicsView): Member {
  const { sessionTimeoutMs, supportedProtocols } = member.classic!
  // Not its target, as in Kafka: were the group upgraded again before the member knows, others would get what it still reads.
  const assignedPartitions = topicPartitionsOf(heldPartitions(member)).flatMap(
    ({ topicId, partitions }) => {
      const topic = topics.nameOf(topicId)
      return topic === null ? [] : [{ topic, partitions }]
    },
  )
  const version = decodeSubscription(supportedProtocols[0].metadata)?.version ?? 0
  return {
    id: member.id,
    instanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    sessionTimeoutMs,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    protocols: supportedProtocols,
    assignment: encodeAssignment(assignedPartitions, version),
    parkedJoin: null,
    parkedSync: null,
    isNew: false,
    sessionDeadlineMs: Infinity,
  }
}
