import type { ConsumerGroupCurrentMemberAssignmentValue } from '../../records/consumer-group'

/** Partition indexes by topic id. A topic without partitions is not in it. */
export type Partitions = ReadonlyMap<string, ReadonlySet<number>>

/** Partitions by topic id, each with the epoch of the member at which it was given to it. */
export type OwnedPartitions = ReadonlyMap<string, ReadonlyMap<number, number>>

/** As messages and records have them. */
export interface TopicPartitions {
  readonly topicId: string
  readonly partitions: readonly number[]
}
type OwnedRecord = ConsumerGroupCurrentMemberAssignmentValue['assignedPartitions'][number]

export const NO_PARTITIONS: Partitions = new Map()
export const OWNS_NOTHING: OwnedPartitions = new Map()

export function partitionsOf(topics: readonly TopicPartitions[]): Partitions {
  const found = new Map<string, Set<number>>()
  for (const { topicId, partitions } of topics) {
    if (partitions.length > 0) found.set(topicId, new Set(partitions))
  }
  return found
}

/** Partitions in ascending order. */
export function topicPartitionsOf(partitions: Partitions | OwnedPartitions): {
  topicId: string
  partitions: number[]
}[] {
  return [...partitions].map(([topicId, indexes]) => ({
    topicId,
    partitions: [...indexes.keys()].sort((a, b) => a - b),
  }))
}

/** Records of Kafka before 4.3 have no epoch for each partition: then that of the member counts for all. */
export function ownedFromRecord(
  topics: readonly OwnedRecord[],
  memberEpoch: number,
): OwnedPartitions {
  const owned = new Map<string, Map<number, number>>()
  for (const { topicId, partitions, assignmentEpochs } of topics) {
    const epochOf = (at: number) => assignmentEpochs?.[at] ?? Math.max(memberEpoch, 0)
    owned.set(topicId, new Map(partitions.map((partition, at) => [partition, epochOf(at)])))
  }
  return owned
}

export function ownedRecord(owned: OwnedPartitions): OwnedRecord[] {
  return topicPartitionsOf(owned).map(({ topicId, partitions }) => ({
    topicId,
    partitions,
    assignmentEpochs: partitions.map((partition) => owned.get(topicId)!.get(partition)!),
  }))
}

/** Whether two sets have the same partitions; epochs do not count. */
export function isSamePartitions(
  a: Partitions | OwnedPartitions,
  b: Partitions | OwnedPartitions,
): boolean {
  if (a.size !== b.size) return false
  for (const [topicId, partitions] of a) {
    const others = b.get(topicId)
    if (others?.size !== partitions.size) return false
    for (const partition of partitions.keys()) if (!others.has(partition)) return false
  }
  return true
}

/** As `isSamePartitions`, with their epochs. */
export function isSameOwned(a: OwnedPartitions, b: OwnedPartitions): boolean {
  if (!isSamePartitions(a, b)) return false
  for (const [topicId, epochs] of a) {
    for (const [partition, epoch] of epochs) {
      if (b.get(topicId)!.get(partition) !== epoch) return false
    }
  }
  return true
}

/** Whether every partition that a member tells is in `owned`. */
export function isSubset(told: readonly TopicPartitions[], owned: OwnedPartitions): boolean {
  return told.every(({ topicId, partitions }) =>
    partitions.every((partition) => owned.get(topicId)?.has(partition) ?? false),
  )
}
