import type { PartitionsByTopic } from './consumer-protocol'

export interface GroupSubscriber {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly topics: readonly string[]
}

export const RANGE_ASSIGNOR = 'range'

/**
 * Kafka's `range`: each topic's partitions are laid out in a row and cut into one piece per subscriber, in the order of
 * the members; the first ones get one more where it does not come out even. So partitions of the same number of topics
 * with the same partition count go to the same member.
 */
export function assignRanges(
  members: readonly GroupSubscriber[],
  partitionCounts: ReadonlyMap<string, number>,
): Map<string, PartitionsByTopic> {
  const assigned = new Map<string, Map<string, readonly number[]>>(
    members.map(({ memberId }) => [memberId, new Map()]),
  )
  const sorted = [...members].sort(byInstanceThenId)
  for (const [topic, count] of partitionCounts) {
    const subscribers = sorted.filter(({ topics }) => topics.includes(topic))
    if (subscribers.length === 0) continue
    const share = Math.floor(count / subscribers.length)
    const withOneMore = count % subscribers.length
    let first = 0
    subscribers.forEach(({ memberId }, rank) => {
      const size = share + (rank < withOneMore ? 1 : 0)
      if (size > 0) assigned.get(memberId)!.set(topic, range(first, size))
      first += size
    })
  }
  return assigned
}

/** Static members come first and in the order of their names, so a restart with a new member id changes nothing. */
function byInstanceThenId(a: GroupSubscriber, b: GroupSubscriber): number {
  if (a.groupInstanceId !== null && b.groupInstanceId !== null) {
    return compare(a.groupInstanceId, b.groupInstanceId)
  }
  if (a.groupInstanceId !== null) return -1
  if (b.groupInstanceId !== null) return 1
  return compare(a.memberId, b.memberId)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function range(first: number, size: number): number[] {
  return Array.from({ length: size }, (_, index) => first + index)
}
