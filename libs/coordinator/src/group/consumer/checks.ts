/** What is refused to whom. All of these throw ProtocolError. */
import { ErrorCode, protocolError } from '@millrace/wire'
import type { ConsumerGroup } from './consumer-group'
import { type ConsumerMember, JOIN_EPOCH } from './member'
import { isSubset, type TopicPartitions } from './partitions'

/** GROUP_MAX_SIZE_REACHED, unless it is a member already, or takes the place of one. */
export function checkRoom(
  group: ConsumerGroup,
  { memberId, instanceId }: { memberId: string; instanceId: string | null },
  maxSize: number,
): void {
  if (group.members.size < maxSize || group.members.has(memberId)) return
  if (instanceId !== null && group.memberOfInstance(instanceId)) return
  throw protocolError(
    ErrorCode.GROUP_MAX_SIZE_REACHED,
    `The consumer group has reached its maximum capacity of ${maxSize} members.`,
  )
}

/** GROUP-5: refuses another epoch than that of the member's last answer; the one before is taken if that answer may be lost. */
export function checkEpoch(
  member: ConsumerMember,
  given: { memberEpoch: number; topicPartitions: readonly TopicPartitions[] | null },
): void {
  const { memberEpoch, topicPartitions } = given
  if (memberEpoch === JOIN_EPOCH || memberEpoch === member.epoch) return
  const isAnswerLost =
    memberEpoch < member.epoch &&
    memberEpoch === member.previousEpoch &&
    topicPartitions !== null &&
    isSubset(topicPartitions, member.assigned)
  if (isAnswerLost) return
  const comparison = memberEpoch > member.epoch ? 'greater' : 'smaller'
  throw protocolError(
    ErrorCode.FENCED_MEMBER_EPOCH,
    `The consumer group member has a ${comparison} member epoch (${memberEpoch}) than the one known by the group ` +
      `coordinator (${member.epoch}). The member must abandon all its partitions and rejoin.`,
  )
}

/** The member that a request of either protocol comes from: UNKNOWN_MEMBER_ID or FENCED_INSTANCE_ID if there is none (GROUP-3). */
export function memberOrThrow(
  group: ConsumerGroup,
  memberId: string,
  instanceId: string | null,
): ConsumerMember {
  if (instanceId === null) {
    const member = group.members.get(memberId)
    if (member) return member
    throw protocolError(
      ErrorCode.UNKNOWN_MEMBER_ID,
      `Member ${memberId} is not a member of group ${group.groupId}.`,
    )
  }
  const holder = group.memberOfInstance(instanceId)
  if (!holder) {
    throw protocolError(ErrorCode.UNKNOWN_MEMBER_ID, `Instance id ${instanceId} is unknown.`)
  }
  if (holder.id === memberId) return holder
  throw protocolError(
    ErrorCode.FENCED_INSTANCE_ID,
    `Static member ${memberId} with instance id ${instanceId} was fenced by member ${holder.id}.`,
  )
}
