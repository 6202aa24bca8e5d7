import type { OffsetCommitValue } from '../records/offset-commit'
import { type Group, subscribedTopics } from './group'
import type { GroupOffsets } from './offsets'

/**
 * The offsets of a group that may be dropped. The retention counts from when a classic group became empty; for offsets without
 * a group, and for topics that nobody in a group reads any more, from the commit. A live group keeps the rest, and what a
 * transaction may replace stays until that has ended.
 */
export function expiredOffsets(
  group: Group,
  offsets: GroupOffsets,
  { now, retentionMs }: { now: number; retentionMs: number },
): { topic: string; partition: number }[] {
  const subscribed = settledTopics(group)
  if (subscribed === null) return []
  const emptySince = emptySinceOf(group)
  const expired: { topic: string; partition: number }[] = []
  for (const topic of offsets.topics()) {
    if (subscribed.has(topic)) continue
    for (const [partition, value] of offsets.partitionsOf(topic)) {
      if (offsets.isOpen(topic, partition)) continue
      const since = emptySince ?? value.commitTimestamp
      if (isExpired(value, since, now, retentionMs)) expired.push({ topic, partition })
    }
  }
  return expired
}

const NO_TOPICS: ReadonlySet<string> = new Set()

/** Null while it is not settled what members read. */
function settledTopics(group: Group): ReadonlySet<string> | null {
  if (group.type === 'consumer') return subscribedTopics(group)
  if (group.protocolType === null || group.state === 'Empty') return NO_TOPICS
  return group.state === 'Stable' ? subscribedTopics(group) : null
}

function emptySinceOf(group: Group): number | null {
  const isEmptied =
    group.type === 'classic' && group.state === 'Empty' && group.protocolType !== null
  return isEmptied ? group.stateSince : null
}

function isExpired(
  value: OffsetCommitValue,
  since: number,
  now: number,
  retentionMs: number,
): boolean {
  return value.expireTimestamp === -1 ? now - since >= retentionMs : now >= value.expireTimestamp // the client asked for its own retention
}
