export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** The partitions of a transaction, by topic. Never changed in place. */
export type PartitionSet = ReadonlyMap<string, ReadonlySet<number>>

export const NO_PARTITIONS: PartitionSet = new Map()

export function hasPartition(set: PartitionSet, { topic, partition }: TopicPartition): boolean {
  return set.get(topic)?.has(partition) ?? false
}

export function withPartitions(set: PartitionSet, added: Iterable<TopicPartition>): PartitionSet {
  const copy = new Map<string, Set<number>>()
  for (const [topic, partitions] of set) copy.set(topic, new Set(partitions))
  for (const { topic, partition } of added) {
    const partitions = copy.get(topic)
    if (partitions) partitions.add(partition)
    else copy.set(topic, new Set([partition]))
  }
  return copy
}

export function listPartitions(set: PartitionSet): TopicPartition[] {
  const list: TopicPartition[] = []
  for (const [topic, partitions] of set) {
    for (const partition of partitions) list.push({ topic, partition })
  }
  return list
}
