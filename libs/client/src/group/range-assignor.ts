import type { TopicPartition } from '../options'

/** Its name among the protocols of a group; all members must offer it. */
export const RANGE_ASSIGNOR = 'range'

export interface RangeMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly topics: readonly string[]
}

/**
 * Kafka's range assignment: each topic is cut into ranges of partitions, one per member that subscribes to it, the first
 * ones longer by one if it does not come out even. Static members come first, in the order of their instance ids, so that
 * a restart with another member id changes nothing.
 */
export function assignRanges(
  members: readonly RangeMember[],
  partitionCounts: ReadonlyMap<string, number>,
): Map<string, TopicPartition[]> {
  const assigned = new Map(members.map(({ memberId }) => [memberId, [] as TopicPartition[]]))
  const ordered = [...members].sort(compareMembers)
  for (const [topic, partitionCount] of partitionCounts) {
    const subscribers = ordered.filter(({ topics }) => topics.includes(topic))
    let next = 0
    subscribers.forEach(({ memberId }, index) => {
      const isLonger = index < partitionCount % subscribers.length
      const length = Math.floor(partitionCount / subscribers.length) + (isLonger ? 1 : 0)
      for (const limit = next + length; next < limit; next += 1) {
        assigned.get(memberId)!.push({ topic, partition: next })
      }
    })
  }
  return assigned
}

function compareMembers(a: RangeMember, b: RangeMember): number {
  if (a.groupInstanceId === null && b.groupInstanceId === null) {
    return compareText(a.memberId, b.memberId)
  }
  if (a.groupInstanceId === null) return 1
  if (b.groupInstanceId === null) return -1
  return compareText(a.groupInstanceId, b.groupInstanceId)
}

/** By UTF-16 code units, as Java compares. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
