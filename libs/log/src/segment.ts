import * as path from 'node:path'
import { invariant, type Disk, type DiskFile } from '@millrace/base'
import { batch, BATCH_HEADER_BYTES, nextBatchSize } from '@millrace/record'
import {
  DELETED_SUFFIX,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  offsetFileName,
  TIME_INDEX_SUFFIX,
  TXN_INDEX_SUFFIX,
} from './file-names'
import type { OffsetIndex } from './offset-index'
import { readBuffers } from './read-buffers'
import { emptyIndexes, storedIndexes, type SegmentIndexes } from './segment-indexes'
import { scanSegment, type ScanResult } from './segment-scan'
import type { TimeIndex, TimestampOffset } from './time-index'
import type { TxnIndex } from './txn-index'

/** How far an offset may be from its segment's base: the indexes have an int32 for it. */
export const MAX_RELATIVE_OFFSET = 2 ** 31 - 1
/** Read beyond what was asked for, so that the batch before an index entry's next one is in the same read. */
const READ_AHEAD_BYTES = 8192
const EMPTY = Buffer.alloc(0)

/** The files of a segment. */
export const SEGMENT_SUFFIXES = [
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  TIME_INDEX_SUFFIX,
  TXN_INDEX_SUFFIX,
]

export interface SegmentOptions {
  readonly directory: string
  readonly baseOffset: number
  readonly createdMs: number
  /** Behind the names of the files while they are not part of the log: `.cleaned`. */
  readonly suffix?: string
}

export interface ReadLimits {
  readonly maxBytes: number
  /** No batch that reaches this offset is given out. */
  readonly maxOffsetExclusive: number
  /** Give out the first batch although it is larger than `maxBytes`. */
  readonly minOneBatch: boolean
}

/** One `.log` file and its indexes: the batches from `baseOffset` up to `nextOffset`. */
export class Segment {
  readonly baseOffset: number
  readonly file: DiskFile
  offsetIndex: OffsetIndex
  timeIndex: TimeIndex
  readonly txnIndex: TxnIndex
  /** Bytes of all batches, those that wait to be written included. */
  sizeBytes = 0
  /** Bytes in the file; `sizeBytes - writtenBytes` wait in the queue. */
  writtenBytes = 0
  nextOffset: number
  /** The newest record's batch; -1 if no record has a time. */
  newest: TimestampOffset
  /** The time of the first batch, -1 while there is none: what rolling by time goes by. */
  firstTimestamp = -1
  readonly createdMs: number

  readonly #disk: Disk
  readonly #directory: string
  readonly #suffix: string
  #queue: Buffer[] = []
  #bytesSinceIndexEntry = 0

  private constructor(disk: Disk, options: SegmentOptions, indexes: SegmentIndexes) {
    this.#disk = disk
    this.#directory = options.directory
    this.#suffix = options.suffix ?? ''
    this.baseOffset = options.baseOffset
    this.createdMs = options.createdMs
    this.nextOffset = options.baseOffset
    this.file = disk.open(this.#path(LOG_SUFFIX), 'append')
    this.offsetIndex = indexes.offsets
    this.timeIndex = indexes.times
    this.txnIndex = indexes.txns
    this.newest = indexes.times.last()
  }

  /** A new segment; its name survives a power loss only once its directory is synced. */
  static create(disk: Disk, options: SegmentOptions): Segment {
    const segment = new Segment(disk, options, emptyIndexes(disk, options))
    invariant(segment.file.size() === 0, `a new segment begins empty: ${segment.file.path}`)
    return segment
  }

  /** Opens a stored segment with its indexes as they are in their files; if one is not whole, all must be rebuilt. */
  static openStored(
    disk: Disk,
    options: SegmentOptions & { readonly hasTxnIndex: boolean },
  ): { segment: Segment; hasIndexes: boolean } {
    const stored = storedIndexes(disk, options)
    const segment = new Segment(disk, options, stored.indexes)
    segment.sizeBytes = segment.writtenBytes = segment.file.size()
    return { segment, hasIndexes: stored.areWhole }
  }

  get isEmpty(): boolean {
    return this.sizeBytes === 0
  }

  /** Whether a batch up to `lastOffset` can still be named by an int32 relative to the base. */
  holdsOffset(lastOffset: number): boolean {
    return lastOffset - this.baseOffset <= MAX_RELATIVE_OFFSET
  }

  /** Queues whole batches with their final offsets; the segment owns the buffer from now on. */
  append(records: Buffer, indexIntervalBytes: number): void {
    for (let at = 0; at < records.length; ) {
      at += this.#take(records, at, this.sizeBytes + at, indexIntervalBytes)
    }
    this.#queue.push(records)
    this.sizeBytes += records.length
  }

  /** Writes what is queued into the page cache. @throws Node's error of the write. */
  write(): void {
    if (this.#queue.length === 0) return
    this.file.writev(this.#queue, this.writtenBytes)
    this.#queue = []
    this.writtenBytes = this.sizeBytes
  }

  /**
   * Batches from the one that holds `startOffset` on, in a buffer of `readBuffers` that the caller owns; empty if the limits leave none.
   * Only what is written can be read.
   */
  read(startOffset: number, limits: ReadLimits): Buffer {
    const indexed = this.offsetIndex.floorPosition(startOffset)
    const ahead = Math.min(limits.maxBytes + READ_AHEAD_BYTES, this.writtenBytes - indexed)
    const window = this.#readBytes(indexed, ahead)
    const start = findBatch(window, startOffset)
    const position = indexed + (start < 0 ? -start - 1 : start)
    const wanted = Math.min(limits.maxBytes, this.writtenBytes - position)
    if (start < 0 || window.length - start < wanted) {
      readBuffers.giveBack(window)
      return this.#readAfterWalk(startOffset, position, limits)
    }
    return this.#cut(window.subarray(start), position, limits)
  }

  /**
   * Scans the stored batches and rebuilds the indexes from them, but for the one of transactions, which is empty then: it
   * takes what is known of the producers. What is behind the damage stays in the file.
   */
  rebuild(
    options: { indexIntervalBytes: number; verifyCrc: boolean },
    onBatch: (buffer: Buffer, at: number) => void,
  ): ScanResult {
    this.#resetIndexes()
    const { baseOffset, writtenBytes } = this
    const scan = { fromPosition: 0, sizeBytes: writtenBytes, minOffset: baseOffset }
    const result = scanSegment(
      this.file,
      { ...scan, verifyCrc: options.verifyCrc },
      (buffer, at, position) => {
        if (!this.holdsOffset(batch.lastOffset(buffer, at))) return false
        this.#take(buffer, at, position, options.indexIntervalBytes)
        onBatch(buffer, at)
      },
    )
    this.sizeBytes = this.writtenBytes = result.validBytes
    return result
  }

  /** Takes the end of a segment that was closed properly from its indexes. False if they do not fit the file. */
  loadEnd(): boolean {
    const last = this.offsetIndex.lastPosition()
    if (last > this.writtenBytes) return false
    const scan = { fromPosition: last, sizeBytes: this.writtenBytes, verifyCrc: false }
    const result = scanSegment(this.file, { ...scan, minOffset: this.baseOffset }, () => true)
    this.nextOffset = result.nextOffset
    this.firstTimestamp = this.#readFirstTimestamp()
    return result.damage === null
  }

  /** Walks batch headers from the one that holds `offset` on. */
  scanFrom(offset: number, onBatch: (buffer: Buffer, at: number) => boolean | void): ScanResult {
    const fromPosition = this.offsetIndex.floorPosition(offset)
    const scan = { fromPosition, sizeBytes: this.writtenBytes, verifyCrc: false }
    return scanSegment(this.file, { ...scan, minOffset: this.baseOffset }, (buffer, at) =>
      batch.lastOffset(buffer, at) < offset ? true : onBatch(buffer, at),
    )
  }

  /** Where the batch that holds `offset` begins; the size if there is none. */
  positionOf(offset: number): number {
    return this.scanFrom(offset, () => false).validBytes
  }

  /** Removes the batch that holds `offset` and all behind it, from the file and the indexes. */
  async truncate(offset: number): Promise<void> {
    invariant(this.#queue.length === 0, 'only a written segment is truncated')
    const position = this.positionOf(offset)
    let nextOffset = this.baseOffset
    let newest: TimestampOffset = { timestamp: -1, offset: this.baseOffset }
    this.offsetIndex.truncate(position)
    this.timeIndex.truncate(offset)
    this.txnIndex.truncate(offset)
    if (this.timeIndex.last().timestamp >= 0) newest = this.timeIndex.last()
    scanSegment(
      this.file,
      {
        // Before the last batch that stays: the index may well name the first one that goes.
        fromPosition: this.offsetIndex.lastPosition(),
        sizeBytes: position,
        minOffset: 0,
        verifyCrc: false,
      },
      (buffer, at) => {
        nextOffset = batch.nextOffset(buffer, at)
        const timestamp = batch.maxTimestamp(buffer, at)
        if (timestamp > newest.timestamp) newest = { timestamp, offset: nextOffset - 1 }
      },
    )
    this.sizeBytes = this.writtenBytes = position
    this.nextOffset = nextOffset
    this.newest = newest
    if (position === 0) this.firstTimestamp = -1
    await this.file.truncate(position)
  }

  /** The newest time of the first batch, which is read if it is not known; -1 if there is none. */
  firstBatchTimestamp(): number {
    if (this.firstTimestamp < 0) this.firstTimestamp = this.#readFirstTimestamp()
    return this.firstTimestamp
  }

  /** Opens the files of sealed indexes, so that they can still be read once their names are gone. */
  openIndexes(): void {
    this.offsetIndex.entries.open()
    this.timeIndex.entries.open()
    this.txnIndex.open()
  }

  /** Cuts the file to the bytes that were found good. */
  async cutToSize(): Promise<void> {
    await this.file.truncate(this.sizeBytes)
  }

  /** The segment does not grow any more: its indexes go to their files and out of memory. */
  async seal(): Promise<void> {
    this.timeIndex.maybeAppend(this.newest.timestamp, this.newest.offset)
    await this.offsetIndex.entries.seal()
    await this.timeIndex.entries.seal()
    await this.txnIndex.seal()
  }

  /** Brings the indexes back into memory so that the segment can grow. */
  unseal(): void {
    this.offsetIndex.entries.unseal()
    this.timeIndex.entries.unseal()
    this.txnIndex.unseal()
  }

  close(): void {
    this.file.close()
    this.offsetIndex.entries.close()
    this.timeIndex.entries.close()
    this.txnIndex.close()
  }

  /** Takes the files out of the log under the names Kafka gives deleted ones; returns those for the removal later. */
  async renameDeleted(): Promise<string[]> {
    this.close()
    const names = SEGMENT_SUFFIXES.map((suffix) => offsetFileName(this.baseOffset, suffix))
    const present = new Set(await this.#disk.list(this.#directory))
    const found = names.filter((name) => present.has(name))
    for (const name of found) {
      const from = path.join(this.#directory, name)
      await this.#disk.rename(from, from + DELETED_SUFFIX)
    }
    return found.map((name) => path.join(this.#directory, name + DELETED_SUFFIX))
  }

  /** Notes one batch: index entries, end, times. Returns its size. */
  #take(buffer: Buffer, at: number, position: number, indexIntervalBytes: number): number {
    const lastOffset = batch.lastOffset(buffer, at)
    const timestamp = batch.maxTimestamp(buffer, at)
    if (timestamp > this.newest.timestamp) this.newest = { timestamp, offset: lastOffset }
    if (this.firstTimestamp < 0) this.firstTimestamp = timestamp
    if (this.#bytesSinceIndexEntry > indexIntervalBytes) {
      this.offsetIndex.append(lastOffset, position)
      this.timeIndex.maybeAppend(this.newest.timestamp, this.newest.offset)
      this.#bytesSinceIndexEntry = 0
    }
    const size = batch.sizeBytes(buffer, at)
    this.#bytesSinceIndexEntry += size
    this.nextOffset = lastOffset + 1
    return size
  }

  #resetIndexes(): void {
    this.offsetIndex.entries.close()
    this.timeIndex.entries.close()
    const indexes = emptyIndexes(this.#disk, {
      directory: this.#directory,
      baseOffset: this.baseOffset,
    })
    this.offsetIndex = indexes.offsets
    this.timeIndex = indexes.times
    this.txnIndex.clear()
    this.newest = { timestamp: -1, offset: this.baseOffset }
    this.nextOffset = this.baseOffset
    this.firstTimestamp = -1
    this.#bytesSinceIndexEntry = 0
  }

  #readFirstTimestamp(): number {
    if (this.writtenBytes < BATCH_HEADER_BYTES) return -1
    return batch.maxTimestamp(this.#readBytes(0, BATCH_HEADER_BYTES), 0)
  }

  #readBytes(position: number, length: number): Buffer {
    const target = readBuffers.take(length)
    const count = this.file.read(target, 0, length, position)
    return count === length ? target : target.subarray(0, count)
  }

  /** The first read did not reach far enough: the batches behind the index entry are larger than it was. */
  #readAfterWalk(startOffset: number, fromPosition: number, limits: ReadLimits): Buffer {
    let position = fromPosition
    for (;;) {
      if (position + BATCH_HEADER_BYTES > this.writtenBytes) return EMPTY
      const header = this.#readBytes(position, BATCH_HEADER_BYTES)
      if (batch.lastOffset(header, 0) >= startOffset) break
      position += batch.sizeBytes(header, 0)
    }
    const length = Math.min(limits.maxBytes, this.writtenBytes - position)
    return this.#cut(this.#readBytes(position, length), position, limits)
  }

  /** Whole batches from the start of `window`, which was read at `position`, within the limits. */
  #cut(window: Buffer, position: number, limits: ReadLimits): Buffer {
    const kept = wholeBatches(window, limits)
    if (kept > 0) return window.subarray(0, kept)
    readBuffers.giveBack(window)
    if (!limits.minOneBatch || position + BATCH_HEADER_BYTES > this.writtenBytes) return EMPTY
    const header = this.#readBytes(position, BATCH_HEADER_BYTES)
    if (batch.nextOffset(header, 0) > limits.maxOffsetExclusive) return EMPTY
    return this.#readBytes(position, batch.sizeBytes(header, 0))
  }

  #path(suffix: string): string {
    return path.join(this.#directory, offsetFileName(this.baseOffset, suffix + this.#suffix))
  }
}

/** Bytes of the whole batches at the start of `window` that the limits allow. */
export function wholeBatches(window: Buffer, limits: ReadLimits): number {
  let at = 0
  while (window.length - at >= BATCH_HEADER_BYTES) {
    const size = nextBatchSize(window, at)
    if (size < 0 || at + size > limits.maxBytes) break
    if (batch.nextOffset(window, at) > limits.maxOffsetExclusive) break
    at += size
  }
  return at
}

/** Where the first batch that reaches `offset` begins in `window`; minus one, minus where the walk ended, if not here. */
function findBatch(window: Buffer, offset: number): number {
  let at = 0
  while (window.length - at >= BATCH_HEADER_BYTES) {
    if (batch.lastOffset(window, at) >= offset) return at
    const size = batch.sizeBytes(window, at)
    if (at + size > window.length) return -(at + size) - 1
    at += size
  }
  return -at - 1
}
