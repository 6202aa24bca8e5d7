/**
 * Brings a member one step nearer to its target: what is not in it any more is taken first, and only when the member has
 * given it up it gets what nobody else owns. So a partition never has two owners (GROUP-6).
 */
import { ErrorCode, protocolError } from '@millrace/wire'
import { type ConsumerMember, MemberState } from './member'
import {
  type OwnedPartitions,
  OWNS_NOTHING,
  type Partitions,
  type TopicPartitions,
} from './partitions'

export interface Reconciliation {
  readonly targetEpoch: number
  readonly target: Partitions
  /** What the member reads from by its own account; null if it did not say. */
  readonly told: readonly TopicPartitions[] | null
  readonly subscribedTopicIds: ReadonlySet<string>
  readonly hasSubscriptionChanged: boolean
  /** Whether any member owns the partition, as far as is known. */
  isOwned(topicId: string, partition: number): boolean
}

/** The member after the step; the same object if there is none to take. @throws ProtocolError FENCED_MEMBER_EPOCH */
export function reconcile(member: ConsumerMember, given: Reconciliation): ConsumerMember {
  switch (member.state) {
    case MemberState.STABLE:
      if (member.epoch !== given.targetEpoch) return takeStep(member, given)
      return given.hasSubscriptionChanged ? dropUnsubscribed(member, given) : member
    case MemberState.UNREVOKED_PARTITIONS:
      if (!stillOwns(member.pendingRevocation, given)) return takeStep(member, given)
      return given.hasSubscriptionChanged ? dropUnsubscribed(member, given) : member
    case MemberState.UNRELEASED_PARTITIONS:
      return takeStep(member, given)
    case MemberState.UNKNOWN: // a newer version wrote it: the member starts over, with nothing
      if (given.told === null || given.told.length > 0) {
        throw protocolError(
          ErrorCode.FENCED_MEMBER_EPOCH,
          'The state of the member is not known. It must give up all partitions and join again.',
        )
      }
      return takeStep({ ...member, epoch: given.targetEpoch }, given)
  }
}

function takeStep(member: ConsumerMember, given: Reconciliation): ConsumerMember {
  const { targetEpoch } = given
  const { kept, revoked, free, hasUnreleased } = compare(member, given)
  const previousEpoch = member.epoch
  if (revoked.size > 0 && stillOwns(revoked, given)) {
    const state = MemberState.UNREVOKED_PARTITIONS
    return { ...member, state, previousEpoch, assigned: kept, pendingRevocation: revoked }
  }
  for (const [topicId, partitions] of free) {
    const epochs = kept.get(topicId) ?? new Map<number, number>()
    for (const partition of partitions) epochs.set(partition, targetEpoch)
    kept.set(topicId, epochs)
  }
  return {
    ...member,
    state: hasUnreleased ? MemberState.UNRELEASED_PARTITIONS : MemberState.STABLE,
    epoch: targetEpoch,
    previousEpoch,
    assigned: kept,
    pendingRevocation: OWNS_NOTHING,
  }
}

/** What the member keeps, must give up, and can have now; and whether there is more that others still own. */
function compare(member: ConsumerMember, given: Reconciliation) {
  const kept = new Map<string, Map<number, number>>()
  const revoked = new Map<string, Map<number, number>>()
  const free = new Map<string, number[]>()
  let hasUnreleased = false
  for (const topicId of new Set([...given.target.keys(), ...member.assigned.keys()])) {
    const target = given.subscribedTopicIds.has(topicId) ? given.target.get(topicId) : undefined
    const owned = member.assigned.get(topicId) ?? NONE
    for (const [partition, epoch] of owned) {
      addEpoch(target?.has(partition) ? kept : revoked, topicId, partition, epoch)
    }
    for (const partition of target ?? []) {
      if (owned.has(partition)) continue
      // What this member is about to give up is its own: it may have it back.
      const isMine = member.pendingRevocation.get(topicId)?.has(partition) ?? false
      if (given.isOwned(topicId, partition) && !isMine) hasUnreleased = true
      else if (free.has(topicId)) free.get(topicId)!.push(partition)
      else free.set(topicId, [partition])
    }
  }
  return { kept, revoked, free, hasUnreleased }
}

/** Takes away what the member does not subscribe to any more, without a look at the target. */
function dropUnsubscribed(member: ConsumerMember, given: Reconciliation): ConsumerMember {
  const kept = new Map<string, ReadonlyMap<number, number>>()
  const revoked = new Map(member.pendingRevocation)
  for (const [topicId, owned] of member.assigned) {
    if (given.subscribedTopicIds.has(topicId)) kept.set(topicId, owned)
    else revoked.set(topicId, new Map([...(revoked.get(topicId) ?? NONE), ...owned]))
  }
  if (kept.size === member.assigned.size) return member
  const changed = { ...member, previousEpoch: member.epoch, assigned: kept }
  return stillOwns(revoked, given)
    ? { ...changed, state: MemberState.UNREVOKED_PARTITIONS, pendingRevocation: revoked }
    : changed
}

const NONE: ReadonlyMap<number, number> = new Map()

/** Without a word of what it owns, a member may own all of it. */
function stillOwns(partitions: OwnedPartitions, { told }: Reconciliation): boolean {
  if (told === null) return true
  return told.some((topic) =>
    topic.partitions.some((partition) => partitions.get(topic.topicId)?.has(partition) ?? false),
  )
}

function addEpoch(
  into: Map<string, Map<number, number>>,
  topicId: string,
  partition: number,
  epoch: number,
): void {
  const epochs = into.get(topicId)
  if (epochs) epochs.set(partition, epoch)
  else into.set(topicId, new Map([[partition, epoch]]))
}
