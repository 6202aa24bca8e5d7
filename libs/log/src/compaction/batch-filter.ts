import { batch, BatchRewriter, RecordCursor } from '@millrace/record'
import type { AbortedTransaction } from '../txn-index'
import type { CleanedTransactions } from './cleaned-transactions'
import type { KeyOffsets } from './key-offsets'
import type { Pacer } from './pacer'

/** Looking at the clock costs about as much as looking at this many records. */
const RECORDS_PER_LOOK = 64
const NO_HORIZON = -1

/** The newest that a log has of a producer. */
export interface LastOfProducer {
  /** -1 if there are only markers of it. */
  readonly lastDataOffset: number
  readonly epoch: number
}

export interface FilterRules {
  readonly keys: KeyOffsets
  readonly transactions: CleanedTransactions
  readonly producers: ReadonlyMap<number, LastOfProducer>
  readonly nowMs: number
  readonly deleteRetentionMs: number
}

export interface FilteredBatch {
  /** What is left: the batch itself, a smaller one, or null if nothing is. A view of the buffer or one of its own. */
  readonly batch: Buffer | null
  readonly isChanged: boolean
  readonly keptRecords: number
  /** For the index of the segment. */
  readonly aborted: AbortedTransaction | null
}

/** Decides what is left of each batch of a log. */
export class BatchFilter {
  readonly #rules: FilterRules
  readonly #pacer: Pacer
  readonly #cursor = new RecordCursor()
  readonly #rewriter = new BatchRewriter()
  /** One bit for each record of the batch at hand. */
  #kept = new Uint8Array(1024)

  constructor(rules: FilterRules, pacer: Pacer) {
    this.#rules = rules
    this.#pacer = pacer
  }

  /**
   * What is left of the batch at `at`, which must not change until this resolves. `mustStay`: at least its header is kept.
   * @throws PlatformError RECORD_* if its records cannot be read
   */
  async filter(buffer: Buffer, at: number, mustStay: boolean): Promise<FilteredBatch> {
    return batch.isControl(buffer, at)
      ? this.#filterMarker(buffer, at, mustStay)
      : this.#filterRecords(buffer, at, mustStay)
  }

  /** COMPACT-3: a marker goes when its transaction has no batches left, and then only after the delete horizon. */
  #filterMarker(buffer: Buffer, at: number, mustStay: boolean): FilteredBatch {
    const { isEmpty, aborted } = this.#rules.transactions.onMarker(buffer, at)
    const horizonMs = horizonOf(buffer, at)
    if (isEmpty && horizonMs >= 0 && horizonMs <= this.#rules.nowMs) {
      return this.#withoutRecords(buffer, at, mustStay)
    }
    if (batch.recordCount(buffer, at) === 0) return this.#withoutRecords(buffer, at, mustStay)
    if (!isEmpty || horizonMs >= 0) return { ...whole(buffer, at), aborted }
    this.#rewriter.start(this.#newHorizonMs())
    for (this.#cursor.open(buffer, at); this.#cursor.next(); ) this.#rewriter.keep(this.#cursor)
    return { ...this.#rewritten(buffer, at), aborted }
  }

  async #filterRecords(buffer: Buffer, at: number, mustStay: boolean): Promise<FilteredBatch> {
    const { transactions } = this.#rules
    if (transactions.onRecords(buffer, at)) return this.#withoutRecords(buffer, at, mustStay)
    const { keptCount, hasTombstones } = await this.#decide(buffer, at)
    if (keptCount === 0) return this.#withoutRecords(buffer, at, mustStay)
    const horizonMs = horizonOf(buffer, at)
    const needsHorizon = hasTombstones && horizonMs < 0
    if (keptCount === batch.recordCount(buffer, at) && !needsHorizon) return whole(buffer, at)
    this.#rewriter.start(needsHorizon ? this.#newHorizonMs() : horizonMs)
    let index = 0
    for (this.#cursor.rewind(); this.#cursor.next(); index++) {
      if (this.#kept[index] === 1) this.#rewriter.keep(this.#cursor)
      if (this.#isSliceOver(index)) await this.#pacer.nextSlice()
    }
    return this.#rewritten(buffer, at)
  }

  #rewritten(buffer: Buffer, at: number): FilteredBatch {
    const { recordCount } = this.#rewriter
    const left = this.#rewriter.build(buffer, at)
    return { batch: left, isChanged: true, keptRecords: recordCount, aborted: null }
  }

  /** Marks the records that stay. */
  async #decide(
    buffer: Buffer,
    at: number,
  ): Promise<{ keptCount: number; hasTombstones: boolean }> {
    const horizonMs = horizonOf(buffer, at)
    const keepsTombstones = horizonMs < 0 || this.#rules.nowMs < horizonMs
    const recordCount = batch.recordCount(buffer, at)
    if (recordCount > this.#kept.length) this.#kept = new Uint8Array(recordCount)
    let keptCount = 0
    let hasTombstones = false
    let index = 0
    for (this.#cursor.open(buffer, at); this.#cursor.next(); index++) {
      const isKept = this.#isKept(this.#cursor, keepsTombstones)
      this.#kept[index] = isKept ? 1 : 0
      if (isKept) keptCount++
      if (isKept && this.#cursor.valueBytes < 0) hasTombstones = true
      if (this.#isSliceOver(index)) await this.#pacer.nextSlice()
    }
    return { keptCount, hasTombstones }
  }

  /** COMPACT-1: of each key the newest record stays, and a tombstone until its time has come. */
  #isKept(cursor: RecordCursor, keepsTombstones: boolean): boolean {
    const { keys } = this.#rules
    if (cursor.offset > keys.latestOffset) return true
    const key = cursor.key()
    // From before the topic was compacted: nobody could ever replace it.
    if (key === null) return false
    if (cursor.offset < keys.get(key)) return false
    return keepsTombstones || cursor.valueBytes >= 0
  }

  /** COMPACT-4: the last batch of a producer stays as a header, which has its epoch and sequence. */
  #withoutRecords(buffer: Buffer, at: number, mustStay: boolean): FilteredBatch {
    const stays = mustStay || this.#isLastOfProducer(buffer, at)
    if (!stays) return { batch: null, isChanged: true, keptRecords: 0, aborted: null }
    if (batch.recordCount(buffer, at) === 0) return whole(buffer, at)
    this.#rewriter.start()
    return this.#rewritten(buffer, at)
  }

  #isLastOfProducer(buffer: Buffer, at: number): boolean {
    const last = this.#rules.producers.get(batch.producerId(buffer, at))
    if (last === undefined) return false
    if (last.lastDataOffset >= 0) return batch.lastOffset(buffer, at) === last.lastDataOffset
    return batch.isControl(buffer, at) && batch.producerEpoch(buffer, at) === last.epoch
  }

  #newHorizonMs(): number {
    return this.#rules.nowMs + this.#rules.deleteRetentionMs
  }

  #isSliceOver(index: number): boolean {
    return index % RECORDS_PER_LOOK === RECORDS_PER_LOOK - 1 && this.#pacer.isOver
  }
}

/** When tombstones and markers of the batch may go, -1 if that was not decided yet. */
function horizonOf(buffer: Buffer, at: number): number {
  return batch.hasDeleteHorizon(buffer, at) ? batch.baseTimestamp(buffer, at) : NO_HORIZON
}

function whole(buffer: Buffer, at: number): FilteredBatch {
  return {
    batch: buffer.subarray(at, at + batch.sizeBytes(buffer, at)),
    isChanged: false,
    keptRecords: batch.recordCount(buffer, at),
    aborted: null,
  }
}
