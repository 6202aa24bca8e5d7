import type { SinkRecord } from '@millrace/connect-api'
import { type ObjectKeyOptions, objectKey } from './object-key'
import { ObjectWriter, type ObjectWriterOptions } from './object-writer'
import type { Partitioner } from './partitioner'
import { isFull, isSpanExceeded, type RotationRules, scheduledCloseMs } from './rotation'
import type { ObjectStore } from './store'

export interface PartitionWriterOptions extends ObjectWriterOptions {
  readonly rules: RotationRules
  readonly keys: ObjectKeyOptions
  readonly partitioner: Partitioner
  readonly extension: string
}

/**
 * Everything that is on its way for one topic partition: open objects, one per folder, and closed ones that the store has not
 * acknowledged yet.
 */
export class PartitionWriter {
  readonly #store: ObjectStore
  readonly #options: PartitionWriterOptions
  readonly #open = new Map<string, ObjectWriter>()
  readonly #closed = new Set<ObjectWriter>()
  /** The offset after the last record that was taken; a record below it was already taken before a failure. */
  #nextOffset = -1

  constructor(store: ObjectStore, options: PartitionWriterOptions) {
    this.#store = store
    this.#options = options
  }

  /** Closed objects that must still be completed. */
  get closed(): ReadonlySet<ObjectWriter> {
    return this.#closed
  }

  get open(): Iterable<ObjectWriter> {
    return this.#open.values()
  }

  hasTaken(offset: number): boolean {
    return offset < this.#nextOffset
  }

  /** Counts a record as done that goes into no object. */
  skip(record: SinkRecord): void {
    this.#nextOffset = record.offset + 1
  }

  /** @throws RecordError; the record then counts as not taken */
  add(record: SinkRecord, nowMs: number): void {
    const folder = this.#options.partitioner(record)
    const current = this.#open.get(folder)
    if (current && isSpanExceeded(this.#options.rules, current, record.timestamp))
      this.#close(folder, current)
    const object = this.#open.get(folder) ?? this.#create(folder, record, nowMs)
    object.add(record)
    this.#open.set(folder, object)
    this.#nextOffset = record.offset + 1
    if (isFull(this.#options.rules, object)) this.#close(folder, object)
  }

  /** Closes the objects whose time has come by the wall clock. */
  closeScheduled(nowMs: number): void {
    for (const [folder, object] of this.#open)
      if (object.closesAtMs <= nowMs) this.#close(folder, object)
  }

  /** When the next open object is due by the wall clock; Infinity if none is. */
  nextScheduledMs(): number {
    let next = Number.POSITIVE_INFINITY
    for (const { closesAtMs } of this.#open.values()) next = Math.min(next, closesAtMs)
    return next
  }

  onCompleted(object: ObjectWriter): void {
    this.#closed.delete(object)
  }

  /** The offset up to which everything is in the store; null if nothing was taken yet. */
  safeOffset(): number | null {
    if (this.#nextOffset === -1) return null
    let safe = this.#nextOffset
    for (const object of this.#open.values()) safe = Math.min(safe, object.startOffset)
    for (const object of this.#closed) safe = Math.min(safe, object.startOffset)
    return safe
  }

  async abort(): Promise<void> {
    await Promise.all([...this.#open.values(), ...this.#closed].map((object) => object.abort()))
    this.#open.clear()
    this.#closed.clear()
  }

  #create(encodedPartition: string, first: SinkRecord, nowMs: number): ObjectWriter {
    const key = objectKey(this.#options.keys, {
      topic: first.topic,
      partition: first.partition,
      encodedPartition,
      startOffset: first.offset,
      extension: this.#options.extension,
    })
    const closesAtMs = scheduledCloseMs(this.#options.rules, nowMs)
    return new ObjectWriter(first, closesAtMs, this.#store.createObject(key), this.#options)
  }

  #close(folder: string, object: ObjectWriter): void {
    this.#open.delete(folder)
    this.#closed.add(object)
  }
}
