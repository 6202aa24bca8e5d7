import type { Disk } from '@millrace/base'
import { IndexEntries } from './index-entries'

/** int16 version, int64 producer id, int64 first, last and last stable offset. */
const ENTRY_BYTES = 34
const VERSION = 0
const PRODUCER_ID_AT = 2
const FIRST_OFFSET_AT = 10
const LAST_OFFSET_AT = 18
const LAST_STABLE_OFFSET_AT = 26

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  /** That of its marker. */
  readonly lastOffset: number
  /** Below this no transaction was open once the marker was in the log. */
  readonly lastStableOffset: number
}

/**
 * Kafka's `.txnindex`: the aborted transactions whose markers are in one segment, in the order of the markers. There is no
 * file, and nothing in memory, while there are none.
 */
export class TxnIndex {
  readonly #disk: Disk
  readonly #path: string
  #entries: IndexEntries | null = null

  private constructor(disk: Disk, path: string) {
    this.#disk = disk
    this.#path = path
  }

  static createEmpty(disk: Disk, path: string): TxnIndex {
    return new TxnIndex(disk, path)
  }

  /** The index in its file, which exists. If that is damaged, the index begins empty and the segment must be scanned. */
  static openStored(disk: Disk, path: string): { index: TxnIndex; isWhole: boolean } {
    const index = new TxnIndex(disk, path)
    const stored = IndexEntries.openSealed(disk, path, ENTRY_BYTES)
    index.#entries = stored ?? IndexEntries.createEmpty(disk, path, ENTRY_BYTES)
    return { index, isWhole: stored !== null }
  }

  get isEmpty(): boolean {
    return (this.#entries?.count ?? 0) === 0
  }

  append(aborted: AbortedTransaction): void {
    this.#entries ??= IndexEntries.createEmpty(this.#disk, this.#path, ENTRY_BYTES)
    const { buffer, at } = this.#entries.add()
    buffer.writeInt16BE(VERSION, at)
    buffer.writeBigInt64BE(BigInt(aborted.producerId), at + PRODUCER_ID_AT)
    buffer.writeBigInt64BE(BigInt(aborted.firstOffset), at + FIRST_OFFSET_AT)
    buffer.writeBigInt64BE(BigInt(aborted.lastOffset), at + LAST_OFFSET_AT)
    buffer.writeBigInt64BE(BigInt(aborted.lastStableOffset), at + LAST_STABLE_OFFSET_AT)
  }

  /**
   * Adds to `found` the transactions with records from `fromOffset` up to `toOffset`, which is exclusive. True if no later
   * segment can have another.
   */
  collect(fromOffset: number, toOffset: number, found: AbortedTransaction[]): boolean {
    if (this.#entries === null) return false
    const { count } = this.#entries
    for (let index = this.#firstEndingAt(fromOffset); index < count; index++) {
      const aborted = parseEntry(this.#entries.entry(index))
      if (aborted.firstOffset < toOffset) found.push(aborted)
      if (aborted.lastStableOffset >= toOffset) return true
    }
    return false
  }

  all(): AbortedTransaction[] {
    const found: AbortedTransaction[] = []
    this.collect(0, Infinity, found)
    return found
  }

  /** Drops the transactions whose markers are at or after `offset`. */
  truncate(offset: number): void {
    this.#entries?.keep(this.#firstEndingAt(offset))
  }

  /** Forgets all of them; a file that is there is replaced when the index is sealed again. */
  clear(): void {
    this.#entries?.keep(0)
  }

  async seal(): Promise<void> {
    await this.#entries?.seal()
  }

  unseal(): void {
    this.#entries?.unseal()
  }

  /** Opens the file of a sealed index. */
  open(): void {
    this.#entries?.open()
  }

  close(): void {
    this.#entries?.close()
  }

  /** The index of the first entry whose last offset is not below `offset`. */
  #firstEndingAt(offset: number): number {
    if (this.#entries === null) return 0
    return this.#entries.findLast((entry) => readOffset(entry, LAST_OFFSET_AT) < offset) + 1
  }
}

function parseEntry(entry: Buffer): AbortedTransaction {
  return {
    producerId: readOffset(entry, PRODUCER_ID_AT),
    firstOffset: readOffset(entry, FIRST_OFFSET_AT),
    lastOffset: readOffset(entry, LAST_OFFSET_AT),
    lastStableOffset: readOffset(entry, LAST_STABLE_OFFSET_AT),
  }
}

function readOffset(entry: Buffer, at: number): number {
  return Number(entry.readBigInt64BE(at))
}
