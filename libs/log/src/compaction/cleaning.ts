import * as path from 'node:path'
import type { Disk } from '@millrace/base'
import { batch, RecordCursor } from '@millrace/record'
import { logErrors } from '../errors'
import { CLEANED_SUFFIX, offsetFileName, TXN_INDEX_SUFFIX } from '../file-names'
import type { Log } from '../log'
import { Segment } from '../segment'
import { BatchFilter } from './batch-filter'
import { walkBatches, type CleaningControl } from './batch-walk'
import type { CleanableRange } from './cleanable'
import { CleanedTransactions } from './cleaned-transactions'
import { KEY_SLOT_BYTES, KeyOffsets } from './key-offsets'
import { groupSegments } from './segment-groups'
import { removeCleaned, swapFiles, type SwappedIn } from './swap'

const MIN_KEY_SLOTS = 1024
const RECORDS_PER_LOOK = 64

export interface CleaningOptions {
  readonly disk: Disk
  readonly control: CleaningControl
  readonly nowMs: number
  /** The most that the table of keys may take. */
  readonly keyBytes: number
  readonly loadFactor: number
  readonly chunkBytes: number
}

export interface CleaningStats {
  bytesRead: number
  bytesWritten: number
  recordsRead: number
  recordsWritten: number
  segmentsBefore: number
  segmentsAfter: number
  /** How full the table of keys became, from 0 to 1. */
  keyUtilization: number
}

/** One compaction of one log, from the keys of its dirty part to the swap of the last segments. */
export class Cleaning {
  readonly stats: CleaningStats = {
    bytesRead: 0,
    bytesWritten: 0,
    recordsRead: 0,
    recordsWritten: 0,
    segmentsBefore: 0,
    segmentsAfter: 0,
    keyUtilization: 0,
  }
  readonly #log: Log
  readonly #range: CleanableRange
  readonly #options: CleaningOptions
  readonly #cursor = new RecordCursor()
  #reading: Segment | null = null

  constructor(log: Log, range: CleanableRange, options: CleaningOptions) {
    this.#log = log
    this.#range = range
    this.#options = options
  }

  /**
   * Compacts everything below the end of the range, or as far as the table has room for keys. Returns where it stopped.
   * @throws PlatformError LOG_CLEANING_ABORTED, LOG_UNCLEANABLE, LOG_CORRUPT_BATCH, LOG_STORAGE_FAILED, RECORD_*; Node's
   * errors of reads and writes
   */
  async run(): Promise<number> {
    const segments = this.#log.segments.filter((each) => each.baseOffset < this.#range.endOffset)
    const keys = await this.#collectKeys(segments)
    this.stats.keyUtilization = keys.utilization
    const endOffset = keys.latestOffset + 1
    if (endOffset === this.#range.firstDirtyOffset && endOffset < this.#range.endOffset) {
      const reason = 'the keys of one batch do not fit into log.cleaner.dedupe.buffer.size'
      throw logErrors.create('LOG_UNCLEANABLE', { where: this.#where, reason })
    }
    const cleaned = segments.filter((segment) => segment.baseOffset < endOffset)
    // What is compacted reaches further than the keys: the rest of the last segment is copied as it is.
    const transactions = this.#transactions(0)
    const groups = groupSegments(cleaned, this.#range.endOffset, this.#log.config)
    for (const group of groups) await this.#cleanGroup(group, { keys, transactions })
    return endOffset
  }

  /** Whether the segment that is being read was deleted meanwhile: then an error of its files means nothing. */
  get hasLostSegment(): boolean {
    return this.#reading !== null && !this.#log.segments.includes(this.#reading)
  }

  get #where(): string {
    return `${this.#log.topic}-${this.#log.partition}`
  }

  #transactions(fromOffset: number): CleanedTransactions {
    return new CleanedTransactions(this.#log.abortedTransactions(fromOffset, this.#range.endOffset))
  }

  async #collectKeys(segments: readonly Segment[]): Promise<KeyOffsets> {
    const { firstDirtyOffset, endOffset } = this.#range
    const keys = this.#newTable()
    const transactions = this.#transactions(firstDirtyOffset)
    for (const [index, segment] of segments.entries()) {
      const segmentEnd = segments[index + 1]?.baseOffset ?? endOffset
      if (segmentEnd <= firstDirtyOffset) continue
      const isFull = !(await this.#collectFrom(segment, keys, transactions))
      if (isFull) break
      keys.latestOffset = segmentEnd - 1
    }
    return keys
  }

  /** As large as the dirty part can need, as long as that is within the bound. */
  #newTable(): KeyOffsets {
    const { keyBytes, loadFactor } = this.#options
    const { firstDirtyOffset, endOffset } = this.#range
    const wanted = Math.ceil((endOffset - firstDirtyOffset) / loadFactor) + 1
    const slotCount = Math.min(
      Math.max(wanted, MIN_KEY_SLOTS),
      Math.floor(keyBytes / KEY_SLOT_BYTES),
    )
    return new KeyOffsets({ slotCount, loadFactor, firstOffset: firstDirtyOffset })
  }

  /** False if the table is full: then it has all batches up to its `latestOffset`. */
  async #collectFrom(
    segment: Segment,
    keys: KeyOffsets,
    transactions: CleanedTransactions,
  ): Promise<boolean> {
    const { control, chunkBytes } = this.#options
    const { firstDirtyOffset } = this.#range
    this.#reading = segment
    const fromPosition = segment.offsetIndex.floorPosition(firstDirtyOffset)
    let hasRoom = true
    await walkBatches(
      { file: segment.file, sizeBytes: segment.sizeBytes, fromPosition, chunkBytes },
      control,
      {
        onBatch: async (buffer, at) => {
          this.stats.bytesRead += batch.sizeBytes(buffer, at)
          if (batch.isControl(buffer, at)) transactions.onMarker(buffer, at)
          else if (!transactions.onRecords(buffer, at)) {
            hasRoom = await this.#collectBatch(buffer, at, keys)
          }
          if (hasRoom) keys.latestOffset = Math.max(keys.latestOffset, batch.lastOffset(buffer, at))
          return hasRoom
        },
      },
    )
    return hasRoom
  }

  async #collectBatch(buffer: Buffer, at: number, keys: KeyOffsets): Promise<boolean> {
    const { pacer } = this.#options.control
    const cursor = this.#cursor
    let count = 0
    for (cursor.open(buffer, at); cursor.next(); ) {
      const key = cursor.key()
      if (key === null || cursor.offset < this.#range.firstDirtyOffset) continue
      if (!keys.put(key, cursor.offset)) return false
      if (++count % RECORDS_PER_LOOK === 0 && pacer.isOver) await pacer.nextSlice()
    }
    return true
  }

  async #cleanGroup(
    group: readonly Segment[],
    { keys, transactions }: { keys: KeyOffsets; transactions: CleanedTransactions },
  ): Promise<void> {
    const { disk } = this.#options
    const { directory, config } = this.#log
    const [{ baseOffset }] = group
    const createdMs = Math.max(...group.map((segment) => segment.createdMs))
    await removeCleaned({ disk, directory }, baseOffset)
    const target = Segment.create(disk, {
      directory,
      baseOffset,
      createdMs,
      suffix: CLEANED_SUFFIX,
    })
    let isSwapped = false
    try {
      const filter = new BatchFilter(
        {
          keys,
          transactions,
          producers: this.#log.lastOfProducers(),
          nowMs: this.#options.nowMs,
          deleteRetentionMs: config.deleteRetentionMs,
        },
        this.#options.control.pacer,
      )
      const hasChanged = await this.#cleanInto(target, group, filter)
      this.stats.segmentsBefore += group.length
      this.stats.segmentsAfter++
      if (!hasChanged && group.length === 1) return
      await this.#seal(target, group)
      isSwapped = await this.#swap(group, createdMs)
      if (!isSwapped) throw logErrors.create('LOG_CLEANING_ABORTED', { where: this.#where })
    } finally {
      target.close()
      // A leftover is harmless, and removed by the next cleaning or start.
      const isLeft = !isSwapped && this.#log.failure === null
      if (isLeft) await removeCleaned({ disk, directory }, baseOffset).catch(() => undefined)
    }
  }

  /** Copies what is left of the group. False if all of it is. */
  async #cleanInto(
    target: Segment,
    group: readonly Segment[],
    filter: BatchFilter,
  ): Promise<boolean> {
    const { control, chunkBytes } = this.#options
    const { indexIntervalBytes } = this.#log.config
    const last = group.findLast((segment) => !segment.isEmpty)
    let hasChanged = false
    for (const segment of group) {
      const { file, sizeBytes } = segment
      this.#reading = segment
      await walkBatches({ file, sizeBytes, fromPosition: 0, chunkBytes }, control, {
        onBatch: async (buffer, at, position) => {
          const bytes = batch.sizeBytes(buffer, at)
          const isLast = segment === last && position + bytes === sizeBytes
          const left = await filter.filter(buffer, at, isLast)
          this.stats.bytesRead += bytes
          this.stats.recordsRead += batch.recordCount(buffer, at)
          this.stats.recordsWritten += left.keptRecords
          hasChanged ||= left.isChanged
          if (left.aborted !== null) target.txnIndex.append(left.aborted)
          if (left.batch !== null) target.append(left.batch, indexIntervalBytes)
        },
        onChunkEnd: () => this.#write(target),
      })
    }
    this.#reading = null
    return hasChanged
  }

  async #write(target: Segment): Promise<void> {
    const bytes = target.sizeBytes - target.writtenBytes
    if (bytes === 0) return
    target.write()
    this.stats.bytesWritten += bytes
    const { throttle, signal } = this.#options.control
    await throttle.take(bytes, signal)
  }

  async #seal(target: Segment, group: readonly Segment[]): Promise<void> {
    await target.file.sync()
    await target.seal()
    // If an old segment has this index, the new one must have it too, or a crash could leave the old one to the new segment.
    if (target.txnIndex.isEmpty && group.some((segment) => !segment.txnIndex.isEmpty)) {
      const name = offsetFileName(target.baseOffset, TXN_INDEX_SUFFIX + CLEANED_SUFFIX)
      await this.#options.disk.replaceFile(path.join(this.#log.directory, name), '')
    }
  }

  #swap(group: readonly Segment[], createdMs: number): Promise<boolean> {
    const { disk, control } = this.#options
    const { directory } = this.#log
    const [{ baseOffset }] = group
    return this.#log.replaceSegments(group, async (): Promise<SwappedIn> => {
      control.check()
      const oldFiles = await swapFiles({ disk, directory }, group)
      const hasTxnIndex = group.some((segment) => !segment.txnIndex.isEmpty)
      const options = { directory, baseOffset, createdMs, hasTxnIndex }
      const { segment, hasIndexes } = Segment.openStored(disk, options)
      if (!hasIndexes) {
        segment.close()
        const reason = 'an index that was just written is not whole'
        throw logErrors.create('LOG_CORRUPT_FILE', { file: segment.file.path, reason })
      }
      segment.nextOffset = group[group.length - 1].nextOffset
      return { segment, oldFiles }
    })
  }
}
