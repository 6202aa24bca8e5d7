import { batch } from '@millrace/record'
import { wholeBatches, type ReadLimits } from './segment'

/** The newest batches of all logs together stay in memory up to this size; the oldest go first. */
export const TAIL_CACHE_BYTES = 64 << 20
/** An append that is a view of a buffer more than this many times its size is copied, not to keep all of that alive. */
const COPY_ABOVE_RATIO = 4
const EMPTY = Buffer.alloc(0)

interface TailEntry {
  readonly tail: LogTail
  /** Empty once it is dropped: both queues may hold the entry a little longer. */
  records: Buffer
  readonly baseOffset: number
  readonly nextOffset: number
  isDropped: boolean
}

/** Bounds the tails of all logs: one queue over all appends, oldest first. */
export class TailCache {
  readonly #maxBytes: number
  #queue: TailEntry[] = []
  #head = 0
  #bytes = 0

  constructor(maxBytes = TAIL_CACHE_BYTES) {
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  add(entry: TailEntry): void {
    this.#queue.push(entry)
    this.#bytes += entry.records.length
    while (this.#bytes > this.#maxBytes) this.#dropOldest()
  }

  forget(entry: TailEntry): void {
    entry.isDropped = true
    this.#bytes -= entry.records.length
    entry.records = EMPTY
  }

  #dropOldest(): void {
    const oldest = this.#queue[this.#head++]
    if (!oldest.isDropped) {
      this.forget(oldest)
      oldest.tail.dropFirst()
    }
    if (this.#head * 2 < this.#queue.length) return // moved when it halves the queue: a constant per entry
    this.#queue = this.#queue.slice(this.#head)
    this.#head = 0
  }
}

/** The newest batches of one log without a gap up to its end, as they were appended: live consumers read no file. */
export class LogTail {
  readonly #cache: TailCache
  #entries: TailEntry[] = []
  #head = 0

  constructor(cache: TailCache) {
    this.#cache = cache
  }

  /** Keeps `records`, whose bytes must not change any more. */
  add(records: Buffer, baseOffset: number, nextOffset: number): void {
    const isSmallView = records.buffer.byteLength > records.length * COPY_ABOVE_RATIO
    const kept = isSmallView ? Buffer.from(records) : records
    const entry = { tail: this, records: kept, baseOffset, nextOffset, isDropped: false }
    this.#entries.push(entry)
    this.#cache.add(entry)
  }

  /** Whole batches from `startOffset` on, or null if the tail begins later. The bytes belong to the log: read only. */
  read(startOffset: number, limits: ReadLimits): Buffer | null {
    const first = this.#find(startOffset)
    if (first < 0) return null
    const parts: Buffer[] = []
    let room = limits.maxBytes
    for (let index = first; index < this.#entries.length; index++) {
      const { records, nextOffset } = this.#entries[index]
      const from = index === first ? skipTo(records, startOffset) : 0
      const wanted = from === 0 ? records : records.subarray(from)
      if (wanted.length <= room && nextOffset <= limits.maxOffsetExclusive) {
        parts.push(wanted)
        room -= wanted.length
        continue
      }
      const isFirst = parts.length === 0
      const kept = wholeBatches(wanted, { ...limits, maxBytes: room })
      if (kept > 0) parts.push(wanted.subarray(0, kept))
      else if (isFirst && limits.minOneBatch) return firstBatch(wanted, limits)
      break
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts)
  }

  /** Bytes of the appends from the one that holds `fromOffset` up to `toOffset`, or null if the tail begins later. */
  bytesBetween(fromOffset: number, toOffset: number): number | null {
    const first = this.#find(fromOffset)
    if (first < 0) return null
    let bytes = 0
    for (let index = first; index < this.#entries.length; index++) {
      const { records, baseOffset } = this.#entries[index]
      if (baseOffset >= toOffset) break
      bytes += records.length
    }
    return bytes
  }

  /** Only for the cache, when the oldest entry of this log went. */
  dropFirst(): void {
    this.#head++
    if (this.#head * 2 < this.#entries.length) return
    this.#entries = this.#entries.slice(this.#head)
    this.#head = 0
  }

  /** Lets go of what compaction has changed in the files: appends that begin below `offset`. */
  dropBefore(offset: number): void {
    while (this.#head < this.#entries.length && this.#entries[this.#head].baseOffset < offset) {
      this.#cache.forget(this.#entries[this.#head])
      this.dropFirst()
    }
  }

  clear(): void {
    for (let index = this.#head; index < this.#entries.length; index++) {
      this.#cache.forget(this.#entries[index])
    }
    this.#entries = []
    this.#head = 0
  }

  /** The entry that holds `offset`, -1 if it is older than the tail or at its end. */
  #find(offset: number): number {
    let low = this.#head
    let high = this.#entries.length
    if (low === high || offset < this.#entries[low].baseOffset) return -1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#entries[middle].nextOffset <= offset) low = middle + 1
      else high = middle
    }
    return low < this.#entries.length ? low : -1
  }
}

function skipTo(records: Buffer, offset: number): number {
  let at = 0
  while (batch.lastOffset(records, at) < offset) at += batch.sizeBytes(records, at)
  return at
}

function firstBatch(records: Buffer, limits: ReadLimits): Buffer {
  if (batch.nextOffset(records, 0) > limits.maxOffsetExclusive) return records.subarray(0, 0)
  return records.subarray(0, batch.sizeBytes(records, 0))
}
