import { batch } from '@millrace/record'
import { readBuffers } from './read-buffers'
import { wholeBatches, type ReadLimits } from './segment'

/** The newest batches of all logs together stay in memory up to this size; the oldest go first. */
export const TAIL_CACHE_BYTES = 64 << 20
/** The memory is taken and used again in pieces of this size; a larger batch has one of its own. */
const SLAB_BYTES = 1 << 20
/** A small cache still has a few pieces, so that not all of it goes at once. */
const MIN_SLABS = 8

interface Slab {
  readonly memory: Buffer
  usedBytes: number
}

interface TailEntry {
  readonly tail: LogTail
  readonly slab: Slab
  /** A view of the slab: it must not leave this file, for the memory is used again. */
  readonly records: Buffer
  readonly baseOffset: number
  readonly nextOffset: number
  isDropped: boolean
}

/**
 * The memory of the tails of all logs: slabs that are filled one after the other, the oldest of which is emptied for the
 * next. Once they are all there, nothing is allocated for an append any more.
 */
export class TailCache {
  readonly #maxBytes: number
  readonly #slabBytes: number
  /** Oldest first; the last one is being filled. */
  readonly #slabs: Slab[] = []
  #slabsBytes = 0
  /** All entries in the order of their slabs. */
  #queue: TailEntry[] = []
  #head = 0

  constructor(maxBytes = TAIL_CACHE_BYTES) {
    this.#maxBytes = maxBytes
    this.#slabBytes = Math.min(SLAB_BYTES, Math.floor(maxBytes / MIN_SLABS))
  }

  /** Of the slabs, whether they are full or not. */
  get bytes(): number {
    return this.#slabsBytes
  }

  /** Copies the records in and notes the entry; null if they are larger than the whole cache. */
  add(
    records: Buffer,
    of: { readonly tail: LogTail; readonly baseOffset: number; readonly nextOffset: number },
  ): TailEntry | null {
    const slab = this.#slabFor(records.length)
    if (slab === null) return null
    const copy = slab.memory.subarray(slab.usedBytes, slab.usedBytes + records.length)
    copy.set(records)
    slab.usedBytes += records.length
    const entry = { ...of, slab, records: copy, isDropped: false }
    this.#queue.push(entry)
    return entry
  }

  #slabFor(bytes: number): Slab | null {
    const current = this.#slabs.at(-1)
    if (current && current.memory.length - current.usedBytes >= bytes) return current
    const size = Math.max(this.#slabBytes, bytes)
    if (size > this.#maxBytes) return null
    let memory: Buffer | null = null
    while (this.#slabsBytes + size > this.#maxBytes) {
      const dropped = this.#dropOldest()
      if (dropped.length === size) memory = dropped
    }
    const slab = { memory: memory ?? Buffer.allocUnsafeSlow(size), usedBytes: 0 }
    this.#slabs.push(slab)
    this.#slabsBytes += size
    return slab
  }

  #dropOldest(): Buffer {
    const slab = this.#slabs.shift()!
    this.#slabsBytes -= slab.memory.length
    while (this.#head < this.#queue.length && this.#queue[this.#head].slab === slab) {
      const oldest = this.#queue[this.#head++]
      if (!oldest.isDropped) oldest.tail.dropFirst()
    }
    if (this.#head * 2 >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head) // moved when it halves the queue: a constant per entry
      this.#head = 0
    }
    return slab.memory
  }
}

/** The newest batches of one log without a gap up to its end: live consumers read no file. */
export class LogTail {
  readonly #cache: TailCache
  #entries: TailEntry[] = []
  #head = 0

  constructor(cache: TailCache) {
    this.#cache = cache
  }

  /** Keeps a copy of `records`. */
  add(records: Buffer, baseOffset: number, nextOffset: number): void {
    const entry = this.#cache.add(records, { tail: this, baseOffset, nextOffset })
    if (entry === null) this.clear()
    else this.#entries.push(entry)
  }

  /** Whole batches from `startOffset` on, or null if the tail begins later. A buffer of `readBuffers` that the caller owns. */
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
      const kept = wholeBatches(wanted, { ...limits, maxBytes: room })
      if (kept > 0) parts.push(wanted.subarray(0, kept))
      else if (parts.length === 0 && limits.minOneBatch) parts.push(firstBatch(wanted, limits))
      break
    }
    return joined(parts)
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
      this.#entries[this.#head].isDropped = true
      this.dropFirst()
    }
  }

  clear(): void {
    for (let index = this.#head; index < this.#entries.length; index++) {
      this.#entries[index].isDropped = true
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

/** A copy: the memory of a slab may be used for something else before the answer has left. */
function joined(parts: readonly Buffer[]): Buffer {
  let bytes = 0
  for (const part of parts) bytes += part.length
  const whole = readBuffers.take(bytes)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
