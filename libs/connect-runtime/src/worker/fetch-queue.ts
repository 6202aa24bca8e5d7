import type { FetchedBatches } from '@millrace/client'
import type { TopicPartition } from '@millrace/connect-api'
import { batch, nextBatchSize, RecordCursor } from '@millrace/record'
import type { RecordSource } from '../pipeline/convert'

/** The fetched batches that a sink task has not taken yet, read record by record. Bounded by what one poll returns. */
export class FetchQueue implements RecordSource {
  readonly cursor = new RecordCursor()
  #fetched: FetchedBatches[] = []
  /** Position in the records of the first entry. */
  #at = 0
  #isBatchOpen = false
  #nextOffset = 0
  timestampType: RecordSource['timestampType'] = 'CreateTime'

  get topic(): string {
    return this.#fetched[0].topic
  }
  get partition(): number {
    return this.#fetched[0].partition
  }
  /** The offset to go on from in the current partition. */
  get nextOffset(): number {
    return this.#nextOffset
  }
  get isEmpty(): boolean {
    return this.#fetched.length === 0
  }

  push(fetched: readonly FetchedBatches[]): void {
    this.#fetched.push(...fetched)
  }

  /** Forgets the records of a partition that is taken away or read from elsewhere. */
  drop(partitions: readonly TopicPartition[]): void {
    const isDropped = ({ topic, partition }: TopicPartition) =>
      partitions.some((other) => other.topic === topic && other.partition === partition)
    if (this.#fetched.length > 0 && isDropped(this.#fetched[0])) this.#startOver()
    this.#fetched = this.#fetched.filter((fetched) => !isDropped(fetched))
  }

  /**
   * Moves to the next record of the current partition; false when it has no more, and then `nextOffset` is past
   * everything fetched of it and `shift` goes on with the next partition.
   * @throws PlatformError RECORD_* for broken data
   */
  next(): boolean {
    const { records, fromOffset } = this.#fetched[0]
    for (;;) {
      if (!this.#isBatchOpen && !this.#openBatch(records, fromOffset)) return false
      while (this.cursor.next()) {
        if (this.cursor.offset < fromOffset) continue
        this.#nextOffset = this.cursor.offset + 1
        return true
      }
      this.#nextOffset = Math.max(fromOffset, batch.nextOffset(records, this.#at))
      this.#at += batch.sizeBytes(records, this.#at)
      this.#isBatchOpen = false
    }
  }

  /** Leaves the current partition. */
  shift(): void {
    this.#fetched.shift()
    this.#startOver()
  }

  /** Opens the next batch with data; false if there is none. A batch cut short at the end counts as not fetched. */
  #openBatch(records: Buffer, fromOffset: number): boolean {
    if (this.#at === 0) this.#nextOffset = fromOffset
    while (this.#at < records.length) {
      const sizeBytes = nextBatchSize(records, this.#at)
      if (sizeBytes < 0) return false
      if (!batch.isControl(records, this.#at)) {
        this.cursor.open(records, this.#at)
        this.timestampType = batch.timestampType(records, this.#at)
        this.#isBatchOpen = true
        return true
      }
      this.#nextOffset = Math.max(fromOffset, batch.nextOffset(records, this.#at))
      this.#at += sizeBytes
    }
    return false
  }

  #startOver(): void {
    this.#at = 0
    this.#isBatchOpen = false
  }
}
