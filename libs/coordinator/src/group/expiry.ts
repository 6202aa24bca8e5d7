import type { OffsetCommitValue } from '../records/offset-commit'
import type { ClassicGroup } from './classic/classic-group'
import type { GroupOffsets } from './offsets'
import { subscribedTopics } from './subscription'

/**
 * The offsets of a group that may be dropped. The retention counts from when the group became empty; for offsets without
 * a group, and for topics that a stable consumer group no longer reads, from the commit. A live group keeps the rest, and what a transaction may replace stays until that has ended.
 */
export function expiredOffsets(
  group: ClassicGroup,
  offsets: GroupOffsets,
  { now, retentionMs }: { now: number; retentionMs: number },
): { topic: string; partition: number }[] {
  const isSimple = group.protocolType === null
  const isEmpty = group.state === 'Empty'
  const subscribed = isSimple || isEmpty ? NO_TOPICS : stableSubscription(group)
  if (subscribed === null) return []
  const expired: { topic: string; partition: number }[] = []
  for (const topic of offsets.topics()) {
    if (subscribed.has(topic)) continue
    for (const [partition, value] of offsets.partitionsOf(topic)) {
      if (offsets.isOpen(topic, partition)) continue
      const since = isEmpty && !isSimple ? group.stateSince : value.commitTimestamp
      if (isExpired(value, since, now, retentionMs)) expired.push({ topic, partition })
    }
  }
  return expired
}

const NO_TOPICS: ReadonlySet<string> = new Set()

function stableSubscription(group: ClassicGroup): ReadonlySet<string> | null {
  return group.state === 'Stable' ? subscribedTopics(group) : null
}

function isExpired(
  value: OffsetCommitValue,
  since: number,
  now: number,
  retentionMs: number,
): boolean {
  return value.expireTimestamp === -1 ? now - since >= retentionMs : now >= value.expireTimestamp // the client asked for its own retention
}
