/** Static members: what is theirs waits for them while they restart. */
import { ErrorCode, protocolError } from '@millrace/wire'
import type { GroupDraft } from './group-draft'
import {
  assignmentRecord,
  type ConsumerMember,
  JOIN_EPOCH,
  metadataRecord,
  STATIC_LEAVE_EPOCH,
} from './member'
import { type OwnedPartitions, OWNS_NOTHING, topicPartitionsOf } from './partitions'
import { removeMember } from './tombstones'

/**
 * A static member came back under a new id, and takes over all that its former self had (GROUP-3). Only after that one said
 * goodbye, unless `mayTakeOver`: two processes may have been given the same instance id. @throws ProtocolError UNRELEASED_INSTANCE_ID
 */
export function replaceStatic(
  draft: GroupDraft,
  former: ConsumerMember,
  memberId: string,
  { mayTakeOver }: { mayTakeOver: boolean },
): ConsumerMember {
  if (former.epoch !== STATIC_LEAVE_EPOCH && !mayTakeOver) {
    throw protocolError(
      ErrorCode.UNRELEASED_INSTANCE_ID,
      `Static member ${memberId} with instance id ${former.instanceId} cannot join the group because the instance id is ` +
        `owned by ${former.id} member.`,
    )
  }
  const { groupId } = draft
  const target = topicPartitionsOf(draft.group.target(former.id))
  const member = { ...former, id: memberId, epoch: JOIN_EPOCH, previousEpoch: JOIN_EPOCH }
  if (former.id !== memberId) {
    removeMember(draft, former.id)
    draft.whenDurable(({ timers }) => timers.stopAll(former.id))
  }
  draft.write(metadataRecord(groupId, member))
  draft.write({ type: 'target-member', groupId, memberId, value: { topicPartitions: target } })
  draft.write(assignmentRecord(groupId, member))
  return member
}

/** A static member leaves for a while. It keeps its session, in which it, or its next self, comes back. */
export function leaveForAWhile(draft: GroupDraft, member: ConsumerMember): void {
  const assigned = fromEpochZero(member.assigned)
  const left = { ...member, epoch: STATIC_LEAVE_EPOCH, assigned, pendingRevocation: OWNS_NOTHING }
  draft.write(assignmentRecord(draft.groupId, left))
}

/** For the next self, which starts at epoch 0, everything is there from the beginning. */
function fromEpochZero(owned: OwnedPartitions): OwnedPartitions {
  const topics = [...owned].map(
    ([topicId, epochs]) => [topicId, new Map([...epochs.keys()].map((p) => [p, 0]))] as const,
  )
  return new Map(topics)
}
