import { batch, controlType, ControlType, RecordCursor } from '@millrace/record'

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

/**
 * Tells which batches of one fetch belong to aborted transactions. Batches are to be asked about in the order of their
 * offsets. One instance serves many fetches.
 */
export class AbortedFilter {
  readonly #cursor = new RecordCursor()
  /** Producers whose transaction, at this point of the log, is one that will be aborted. */
  readonly #producerIds = new Set<number>()
  #upcoming: readonly AbortedTransaction[] = []
  #nextIndex = 0

  /** Begins a fetch, with the transactions that the broker told with it. */
  open(aborted: readonly AbortedTransaction[]): void {
    this.#producerIds.clear()
    this.#upcoming = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
    this.#nextIndex = 0
  }

  /** Whether the records of the batch at `at` were never committed. Control batches are none of these. */
  isAborted(records: Buffer, at: number): boolean {
    const lastOffset = batch.lastOffset(records, at)
    for (; this.#nextIndex < this.#upcoming.length; this.#nextIndex += 1) {
      const { producerId, firstOffset } = this.#upcoming[this.#nextIndex]
      if (firstOffset > lastOffset) break
      this.#producerIds.add(producerId)
    }
    if (this.#producerIds.size === 0) return false
    const producerId = batch.producerId(records, at)
    if (batch.isControl(records, at)) {
      if (this.#isAbortMarker(records, at)) this.#producerIds.delete(producerId)
      return false
    }
    return batch.isTransactional(records, at) && this.#producerIds.has(producerId)
  }

  #isAbortMarker(records: Buffer, at: number): boolean {
    this.#cursor.open(records, at)
    return this.#cursor.next() && controlType(this.#cursor) === ControlType.abort
  }
}
