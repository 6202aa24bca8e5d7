import type { SinkRecord } from '@millrace/connect-api'
import { ObjectGroup } from './object-group'
import { type ObjectKeyOptions, objectKey } from './object-key'
import { ObjectWriter, type ObjectWriterOptions } from './object-writer'
import type { Partitioner } from './partitioners/partitioner'
import { isFull, isSpanExceeded, type RotationRules, scheduledCloseMs } from './rotation'
import type { ObjectStore } from './store'

export interface PartitionWriterOptions extends ObjectWriterOptions {
  readonly rules: RotationRules
  readonly keys: ObjectKeyOptions
  readonly partitioner: Partitioner
  readonly extension: string
}

/** Everything that is on its way for one topic partition: the open objects, and closed ones that are not all stored yet. */
export class PartitionWriter {
  readonly #store: ObjectStore
  readonly #options: PartitionWriterOptions
  #open: ObjectGroup | null = null
  /** Closed, but nobody took them for upload yet. */
  #closed: ObjectGroup[] = []
  readonly #uploading = new Set<ObjectGroup>()
  /** The offset after the last record that was taken or skipped; -1 before the first one. */
  #nextOffset = -1
  /** The same, of the running put: what earlier ones took says nothing once the reader was set back. */
  #nextOffsetInPut = -1

  constructor(store: ObjectStore, options: PartitionWriterOptions) {
    this.#store = store
    this.#options = options
  }

  get openObjects(): Iterable<ObjectWriter> {
    return this.#open?.objects ?? []
  }

  get hasClosed(): boolean {
    return this.#closed.length > 0
  }

  /** When the open objects are due by the wall clock; Infinity if they are not. */
  get closesAtMs(): number {
    return this.#open?.closesAtMs ?? Number.POSITIVE_INFINITY
  }

  /** New records come, not those of a put that failed. */
  beginPut(): void {
    this.#nextOffsetInPut = -1
  }

  /** Whether the running put had taken the record before it failed. */
  hasTaken(offset: number): boolean {
    return offset < this.#nextOffsetInPut
  }

  /** Counts a record as done that goes into no object. */
  skip(record: SinkRecord): void {
    this.#moveTo(record.offset + 1)
  }

  /** @throws RecordError; the record then counts as not taken */
  add(record: SinkRecord, nowMs: number): void {
    const { partitioner, rules } = this.#options
    const encodedPartition = partitioner(record, nowMs)
    if (this.#open !== null && this.#endsBefore(record, this.#open)) this.#close(this.#open)
    const group = this.#open ?? new ObjectGroup(record, scheduledCloseMs(rules, nowMs))
    group.add(record, `${record.topic}/${encodedPartition}`, () =>
      this.#createObject(record, encodedPartition),
    )
    this.#open = group
    this.#moveTo(record.offset + 1)
    if (isFull(rules, group)) this.#close(group)
  }

  /** Closes the open objects if their time has come by the wall clock. */
  closeScheduled(nowMs: number): void {
    if (this.#open !== null && this.#open.closesAtMs <= nowMs) this.#close(this.#open)
  }

  /** Groups that were closed since the last call; the caller stores their objects and says so with `onStored`. */
  takeClosed(): readonly ObjectGroup[] {
    const groups = this.#closed
    this.#closed = []
    for (const group of groups) this.#uploading.add(group)
    return groups
  }

  onStored(group: ObjectGroup): void {
    group.onStored()
    if (group.isStored) this.#uploading.delete(group)
  }

  /** The offset up to which everything is stored, given the offset after the last record that was delivered. */
  safeOffset(deliveredOffset: number): number {
    let safe = deliveredOffset
    for (const group of this.#groups()) safe = Math.min(safe, group.startOffset)
    return safe
  }

  async abort(): Promise<void> {
    const objects = this.#groups().flatMap((group) => [...group.objects])
    this.#open = null
    this.#closed = []
    this.#uploading.clear()
    await Promise.all(objects.map((object) => object.abort()))
  }

  #moveTo(nextOffset: number): void {
    this.#nextOffset = nextOffset
    this.#nextOffsetInPut = nextOffset
  }

  /** A record from further back means that the reader was set back: what is open does not go on with it. */
  #endsBefore(record: SinkRecord, open: ObjectGroup): boolean {
    const { rules } = this.#options
    return record.offset < this.#nextOffset || isSpanExceeded(rules, open, record.timestamp)
  }

  #createObject(first: SinkRecord, encodedPartition: string): ObjectWriter {
    const key = objectKey(this.#options.keys, {
      topic: first.topic,
      encodedPartition,
      originalTopic: first.originalTopic,
      originalPartition: first.originalPartition,
      startOffset: first.offset,
      extension: this.#options.extension,
    })
    return new ObjectWriter(this.#store.createObject(key), this.#options)
  }

  #close(group: ObjectGroup): void {
    this.#open = null
    this.#closed.push(group)
  }

  #groups(): ObjectGroup[] {
    const groups = [...this.#closed, ...this.#uploading]
    if (this.#open !== null) groups.push(this.#open)
    return groups
  }
}
