import { batch } from '@millrace/record'
import type { LastOfProducer } from './compaction/batch-filter'
import type { ActiveProducer } from './log-types'
import { readMarker } from './marker'
import type { AbortedTransaction } from './txn-index'
import { UnstableTransactions } from './unstable-transactions'

/** How many of a producer's last batches are remembered: as many requests as Kafka's producer has in flight. */
export const REMEMBERED_BATCHES = 5
const NO_EPOCH = -1
const NO_SEQUENCE = -1
const MAX_SEQUENCE = 2 ** 31 - 1
const SEQUENCES = 2 ** 31

export interface StoredBatch {
  readonly lastSequence: number
  readonly lastOffset: number
  readonly offsetDelta: number
  readonly timestamp: number
}

/** What the log knows of one idempotent producer. */
export interface ProducerEntry {
  readonly producerId: number
  epoch: number
  coordinatorEpoch: number
  lastTimestamp: number
  /** First offset of its open transaction, -1 if none. */
  currentTxnFirstOffset: number
  /** Its last batches in this epoch, oldest first, at most REMEMBERED_BATCHES. */
  batches: StoredBatch[]
}

/** The answer of `checkSequence`. */
export type SequenceVerdict = 'append' | 'stale-epoch' | 'out-of-order'

/** Where a producer stands. */
export interface ProducerPosition {
  readonly epoch: number
  readonly lastSequence: number
}

/** Whether a batch with these numbers may follow `position`, which is null for a producer that is not known. */
export function checkSequence(
  position: ProducerPosition | null,
  epoch: number,
  firstSequence: number,
): SequenceVerdict {
  // State may be gone by retention or expiry: then any sequence is the first that is known.
  if (position === null || position.epoch === NO_EPOCH) return 'append'
  if (epoch < position.epoch) return 'stale-epoch'
  if (epoch > position.epoch) return firstSequence === 0 ? 'append' : 'out-of-order'
  return firstSequence === nextSequence(position.lastSequence) ? 'append' : 'out-of-order'
}

/** Sequences are int32 and begin again at 0 after the largest. */
export function nextSequence(lastSequence: number): number {
  return lastSequence === MAX_SEQUENCE ? 0 : lastSequence + 1
}

/** The remembered batch with exactly these sequences, or undefined. */
export function findDuplicate(
  entry: ProducerEntry,
  epoch: number,
  firstSequence: number,
  lastSequence: number,
): StoredBatch | undefined {
  if (entry.epoch !== epoch) return undefined
  return entry.batches.find(
    (stored) => stored.lastSequence === lastSequence && firstSequenceOf(stored) === firstSequence,
  )
}

function firstSequenceOf(stored: StoredBatch): number {
  const first = stored.lastSequence - stored.offsetDelta
  return first >= 0 ? first : first + SEQUENCES
}

/** The producers of one log and their transactions, from the batches that are in it. */
export class ProducerState {
  readonly #entries = new Map<number, ProducerEntry>()
  readonly #transactions = new UnstableTransactions()

  get size(): number {
    return this.#entries.size
  }

  entry(producerId: number): ProducerEntry | undefined {
    return this.#entries.get(producerId)
  }

  entries(): Iterable<ProducerEntry> {
    return this.#entries.values()
  }

  /** What DescribeProducers tells. */
  active(): ActiveProducer[] {
    return Array.from(this.#entries.values(), (entry) => ({
      producerId: entry.producerId,
      producerEpoch: entry.epoch,
      lastSequence: entry.batches.at(-1)?.lastSequence ?? NO_SEQUENCE,
      lastTimestamp: entry.lastTimestamp,
      coordinatorEpoch: entry.coordinatorEpoch,
      currentTxnStartOffset: entry.currentTxnFirstOffset,
    }))
  }

  /** The last data of each producer, by its id. */
  last(): Map<number, LastOfProducer> {
    const last = new Map<number, LastOfProducer>()
    for (const { producerId, epoch, batches } of this.#entries.values()) {
      last.set(producerId, { epoch, lastDataOffset: batches.at(-1)?.lastOffset ?? -1 })
    }
    return last
  }

  position(producerId: number): ProducerPosition | null {
    const entry = this.#entries.get(producerId)
    if (entry === undefined) return null
    return { epoch: entry.epoch, lastSequence: entry.batches.at(-1)?.lastSequence ?? NO_SEQUENCE }
  }

  /** Where the first transaction begins that is open, or whose marker is not below the high watermark; null if none. */
  get firstUnstableOffset(): number | null {
    return this.#transactions.firstOffset
  }

  onHighWatermark(highWatermark: number): void {
    this.#transactions.onHighWatermark(highWatermark)
  }

  /** Takes the state of producers as of a snapshot. */
  load(entries: readonly ProducerEntry[]): void {
    for (const entry of entries) this.#entries.set(entry.producerId, entry)
    const open = entries.map((entry) => entry.currentTxnFirstOffset).filter((first) => first >= 0)
    for (const firstOffset of open.sort((a, b) => a - b)) this.#transactions.begin(firstOffset)
  }

  /** Takes in a batch that is in the log, with its final offsets. Returns the transaction that it aborts, if any. */
  update(buffer: Buffer, at: number): AbortedTransaction | null {
    const producerId = batch.producerId(buffer, at)
    if (producerId < 0) return null
    if (batch.isControl(buffer, at)) return this.#endTransaction(buffer, at)
    const entry = this.#entryFor(producerId, batch.producerEpoch(buffer, at))
    entry.lastTimestamp = batch.maxTimestamp(buffer, at)
    const firstOffset = batch.baseOffset(buffer, at)
    if (batch.isTransactional(buffer, at) && entry.currentTxnFirstOffset < 0) {
      entry.currentTxnFirstOffset = firstOffset
      this.#transactions.begin(firstOffset)
    }
    const lastOffset = batch.lastOffset(buffer, at)
    if (entry.batches.length === REMEMBERED_BATCHES) entry.batches.shift()
    entry.batches.push({
      lastSequence: batch.lastSequence(buffer, at),
      lastOffset,
      offsetDelta: lastOffset - firstOffset,
      timestamp: entry.lastTimestamp,
    })
    return null
  }

  /** Forgets producers that wrote nothing for so long; one with an open transaction stays. */
  expire(nowMs: number, expirationMs: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.currentTxnFirstOffset < 0 && nowMs - entry.lastTimestamp >= expirationMs) {
        this.#entries.delete(entry.producerId)
      }
    }
  }

  /** A marker may find no transaction open: a coordinator that came back writes it again. */
  #endTransaction(buffer: Buffer, at: number): AbortedTransaction | null {
    const marker = readMarker(buffer, at)
    if (marker === null) return null
    const producerId = batch.producerId(buffer, at)
    const entry = this.#entryFor(producerId, batch.producerEpoch(buffer, at))
    entry.lastTimestamp = batch.maxTimestamp(buffer, at)
    entry.coordinatorEpoch = marker.coordinatorEpoch
    const firstOffset = entry.currentTxnFirstOffset
    if (firstOffset < 0) return null
    const lastOffset = batch.lastOffset(buffer, at)
    entry.currentTxnFirstOffset = -1
    this.#transactions.decide(firstOffset, lastOffset)
    if (marker.isCommit) return null
    const lastStableOffset = this.#transactions.firstUndecidedOffset ?? lastOffset + 1
    return { producerId, firstOffset, lastOffset, lastStableOffset }
  }

  #entryFor(producerId: number, epoch: number): ProducerEntry {
    let entry = this.#entries.get(producerId)
    if (entry === undefined) {
      entry = {
        producerId,
        epoch,
        coordinatorEpoch: -1,
        lastTimestamp: -1,
        currentTxnFirstOffset: -1,
        batches: [],
      }
      this.#entries.set(producerId, entry)
    } else if (entry.epoch !== epoch) {
      entry.epoch = epoch
      entry.batches = []
    }
    return entry
  }
}
