import type { SinkRecord } from '@millrace/connect-api'
import type { ObjectWriter } from './object-writer'
import type { OpenSpan } from './rotation'

/**
 * The objects that one topic partition fills at the same time, one per folder. They are closed together, and offsets are given
 * out only up to the start of a group: a replay then begins where a group began and cuts every object at the same record again.
 */
export class ObjectGroup implements OpenSpan {
  readonly startOffset: number
  readonly firstTimestamp: number | null
  readonly closesAtMs: number
  #recordCount = 0
  readonly #objects = new Map<string, ObjectWriter>()
  #storedCount = 0

  constructor(first: SinkRecord, closesAtMs: number) {
    this.startOffset = first.offset
    this.firstTimestamp = first.timestamp
    this.closesAtMs = closesAtMs
  }

  get recordCount(): number {
    return this.#recordCount
  }

  get objects(): Iterable<ObjectWriter> {
    return this.#objects.values()
  }

  get isStored(): boolean {
    return this.#storedCount === this.#objects.size
  }

  /** @throws RecordError if the record cannot be written; the group then is as before */
  add(record: SinkRecord, folder: string, create: () => ObjectWriter): void {
    const known = this.#objects.get(folder)
    const object = known ?? create()
    object.add(record)
    if (known === undefined) this.#objects.set(folder, object)
    this.#recordCount += 1
  }

  onStored(): void {
    this.#storedCount += 1
  }
}
