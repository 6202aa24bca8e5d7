import { batch, ControlType, controlType, RecordCursor } from '@millrace/record'
import type { AbortedTransaction } from '../txn-index'

interface OngoingAbort {
  readonly transaction: AbortedTransaction
  /** One of its batches is still in the log: then its marker must stay, too. */
  hasBatches: boolean
}

/**
 * COMPACT-3: follows the transactions of a log while its batches go by in order, and knows which were aborted and which markers stand
 * for nothing any more.
 */
export class CleanedTransactions {
  readonly #aborted: readonly AbortedTransaction[]
  #nextAborted = 0
  readonly #ongoingAborts = new Map<number, OngoingAbort>()
  readonly #ongoingCommits = new Set<number>()
  readonly #cursor = new RecordCursor()

  /** `aborted`: all those with records in the range that is walked. */
  constructor(aborted: readonly AbortedTransaction[]) {
    this.#aborted = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset)
  }

  /** Whether a batch of records was aborted and may go. */
  onRecords(buffer: Buffer, at: number): boolean {
    this.#advance(batch.lastOffset(buffer, at))
    if (!batch.isTransactional(buffer, at)) return false
    const producerId = batch.producerId(buffer, at)
    const abort = this.#ongoingAborts.get(producerId)
    if (abort === undefined || abort.transaction.lastOffset < batch.baseOffset(buffer, at)) {
      this.#ongoingCommits.add(producerId)
      return false
    }
    abort.hasBatches = true
    return true
  }

  /**
   * Whether all batches of the transaction that a marker ended are gone, so that it may go as well, and the aborted
   * transaction that the index must go on to name if it may not.
   */
  onMarker(buffer: Buffer, at: number): { isEmpty: boolean; aborted: AbortedTransaction | null } {
    this.#advance(batch.lastOffset(buffer, at))
    this.#cursor.open(buffer, at)
    // One that was emptied before, to keep its producer's epoch, ends nothing.
    if (!this.#cursor.next()) return { isEmpty: true, aborted: null }
    const type = controlType(this.#cursor)
    const producerId = batch.producerId(buffer, at)
    if (type === ControlType.commit) {
      return { isEmpty: !this.#ongoingCommits.delete(producerId), aborted: null }
    }
    if (type !== ControlType.abort) return { isEmpty: false, aborted: null }
    const abort = this.#ongoingAborts.get(producerId)
    this.#ongoingAborts.delete(producerId)
    if (abort === undefined || !abort.hasBatches) return { isEmpty: true, aborted: null }
    return { isEmpty: false, aborted: abort.transaction }
  }

  #advance(offset: number): void {
    for (; this.#nextAborted < this.#aborted.length; this.#nextAborted++) {
      const transaction = this.#aborted[this.#nextAborted]
      if (transaction.firstOffset > offset) return
      // The last one of its producer ended before this one began, even if its marker was not seen.
      this.#ongoingAborts.set(transaction.producerId, { transaction, hasBatches: false })
    }
  }
}
