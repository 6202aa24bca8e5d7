import type { TopicPartition, TopicPartitionOffset } from '@millrace/connect-api'

/** One offset per partition. */
export class PartitionOffsets {
  readonly #byPartition = new Map<string, TopicPartitionOffset>()

  constructor(positions: readonly TopicPartitionOffset[] = []) {
    this.setAll(positions)
  }

  get(partition: TopicPartition): number | undefined {
    return this.#byPartition.get(keyOf(partition))?.offset
  }
  set({ topic, partition, offset }: TopicPartitionOffset): void {
    this.#byPartition.set(keyOf({ topic, partition }), { topic, partition, offset })
  }
  setAll(positions: readonly TopicPartitionOffset[]): void {
    for (const position of positions) this.set(position)
  }
  deleteAll(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#byPartition.delete(keyOf(partition))
  }
  list(): readonly TopicPartitionOffset[] {
    return [...this.#byPartition.values()]
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${partition}:${topic}` // a topic name cannot hold a colon
}
