/** Members that leave, or are late. */
import { memberOrThrow } from './checks'
import type { ConsumerGroup } from './consumer-group'
import type { ConsumerGroupContext } from './context'
import type { GroupDraft } from './group-draft'
import { raiseEpoch } from './group-epoch'
import { STATIC_LEAVE_EPOCH } from './member'
import { dropPatterns } from './patterns'
import { leaveForAWhile } from './static-member'
import { removeMember } from './tombstones'

/** A write that fails is tried again after this. */
const RETRY_MS = 1000

/** A heartbeat with a leaving epoch. Returns who leaves, for good; null if it is only for a while. @throws ProtocolError */
export function leave(
  draft: GroupDraft,
  command: { memberId: string; instanceId: string | null; memberEpoch: number },
): string | null {
  const { memberId, instanceId, memberEpoch } = command
  const member = memberOrThrow(draft.group, memberId, instanceId)
  if (instanceId === null || memberEpoch !== STATIC_LEAVE_EPOCH) return member.id
  leaveForAWhile(draft, member)
  return null
}

/** Those whose time is over. They are late again soon, if what follows cannot be written. */
export function takeLate(group: ConsumerGroup, nowMs: number): ReadonlySet<string> {
  const late = group.timers.lateAt(nowMs)
  for (const memberId of late) {
    group.timers.stopAll(memberId)
    if (group.members.has(memberId)) group.timers.start('session', memberId, nowMs + RETRY_MS)
    else late.delete(memberId)
  }
  return late
}

/** Takes members out; the others get a new assignment with their next heartbeats. */
export function removeMembers(
  draft: GroupDraft,
  memberIds: ReadonlySet<string>,
  context: Pick<ConsumerGroupContext, 'topics'>,
): void {
  if (memberIds.size === 0) return
  for (const memberId of memberIds) removeMember(draft, memberId)
  dropPatterns(draft)
  raiseEpoch(draft, context, { isForced: true })
  draft.whenDurable(({ timers }) => {
    for (const memberId of memberIds) timers.stopAll(memberId)
  })
}
