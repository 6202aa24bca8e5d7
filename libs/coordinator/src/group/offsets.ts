import type { OffsetCommitValue } from '../records/offset-commit'

/** Committed offsets of one group: topic, partition, value. All of it is durable. */
export class GroupOffsets {
  readonly #topics = new Map<string, Map<number, OffsetCommitValue>>()

  get isEmpty(): boolean {
    return this.#topics.size === 0
  }

  topics(): IterableIterator<string> {
    return this.#topics.keys()
  }

  partitionsOf(topic: string): ReadonlyMap<number, OffsetCommitValue> {
    return this.#topics.get(topic) ?? NONE
  }

  get(topic: string, partition: number): OffsetCommitValue | undefined {
    return this.#topics.get(topic)?.get(partition)
  }

  set(topic: string, partition: number, value: OffsetCommitValue): void {
    let partitions = this.#topics.get(topic)
    if (!partitions) this.#topics.set(topic, (partitions = new Map()))
    partitions.set(partition, value)
  }

  delete(topic: string, partition: number): void {
    const partitions = this.#topics.get(topic)
    if (partitions?.delete(partition) && partitions.size === 0) this.#topics.delete(topic)
  }
}

const NONE: ReadonlyMap<number, OffsetCommitValue> = new Map()
