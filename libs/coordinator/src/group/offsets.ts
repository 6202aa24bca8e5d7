import type { OffsetCommitValue } from '../records/offset-commit'

/** An offset that waits for the end of its producer's transaction. */
interface PendingOffset {
  readonly value: OffsetCommitValue
  readonly writtenAt: number
}

/** A partition for which transactions are open: its committed offset may be about to change. */
interface OpenPartition {
  readonly byProducer: Map<number, PendingOffset>
  /** When what is committed was written, of which an offset that was written before cannot take the place. */
  committedAt: number
}

/**
 * The offsets of one group: topic, partition, value. All of it is durable. Those of an open transaction are kept aside until
 * its marker commits them, or drops them (TXN-5).
 */
export class GroupOffsets {
  readonly #topics = new Map<string, Map<number, OffsetCommitValue>>()
  readonly #open = new Map<string, Map<number, OpenPartition>>()
  /** Counts what was taken in, in the order of the log. */
  #writtenCount = 0

  get isEmpty(): boolean {
    return this.#topics.size === 0 && this.#open.size === 0
  }

  /** Offsets that are committed. */
  get count(): number {
    let count = 0
    for (const partitions of this.#topics.values()) count += partitions.size
    return count
  }

  /** Whether a transaction is open for any offset. */
  get hasOpen(): boolean {
    return this.#open.size > 0
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

  /** Whether the offset may change with a transaction that is open. */
  isOpen(topic: string, partition: number): boolean {
    return this.#open.get(topic)?.has(partition) ?? false
  }

  /** The partitions with offsets in open transactions. */
  *openPartitions(): IterableIterator<{ topic: string; partition: number }> {
    for (const [topic, partitions] of this.#open) {
      for (const partition of partitions.keys()) yield { topic, partition }
    }
  }

  set(topic: string, partition: number, value: OffsetCommitValue): void {
    this.#commit(topic, partition, { value, writtenAt: ++this.#writtenCount })
  }

  /** Takes in an offset that counts when the producer's transaction commits. */
  setPending(producerId: number, topic: string, partition: number, value: OffsetCommitValue): void {
    let partitions = this.#open.get(topic)
    if (!partitions) this.#open.set(topic, (partitions = new Map()))
    let open = partitions.get(partition)
    if (!open) partitions.set(partition, (open = { byProducer: new Map(), committedAt: 0 }))
    open.byProducer.set(producerId, { value, writtenAt: ++this.#writtenCount })
  }

  /** The marker of the producer's transaction: its offsets count now, or never will. */
  endTransaction(producerId: number, isCommit: boolean): void {
    for (const { topic, partition } of this.openPartitions()) {
      const open = this.#open.get(topic)!.get(partition)!
      const pending = open.byProducer.get(producerId)
      if (!pending) continue
      if (isCommit && pending.writtenAt > open.committedAt) this.#commit(topic, partition, pending)
      open.byProducer.delete(producerId)
      if (open.byProducer.size === 0) remove(this.#open, topic, partition)
    }
  }

  /** Also drops what transactions were about to commit. */
  delete(topic: string, partition: number): void {
    remove(this.#topics, topic, partition)
    remove(this.#open, topic, partition)
  }

  #commit(topic: string, partition: number, { value, writtenAt }: PendingOffset): void {
    let partitions = this.#topics.get(topic)
    if (!partitions) this.#topics.set(topic, (partitions = new Map()))
    partitions.set(partition, value)
    const open = this.#open.get(topic)?.get(partition)
    if (open) open.committedAt = writtenAt
  }
}

const NONE: ReadonlyMap<number, OffsetCommitValue> = new Map()

function remove<T>(topics: Map<string, Map<number, T>>, topic: string, partition: number): void {
  const partitions = topics.get(topic)
  if (partitions?.delete(partition) && partitions.size === 0) topics.delete(topic)
}
