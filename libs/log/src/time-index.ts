import type { IndexEntries } from './index-entries'

export const TIME_ENTRY_BYTES = 12

export interface TimestampOffset {
  /** Milliseconds; -1 if there is none. */
  readonly timestamp: number
  readonly offset: number
}

/**
 * Kafka's `.timeindex`: int64 timestamp, int32 offset relative to the base. An entry says: up to this offset (the last
 * one of its batch) no record is newer than this timestamp.
 */
export class TimeIndex {
  readonly entries: IndexEntries
  readonly #baseOffset: number
  #lastTimestamp: number

  constructor(entries: IndexEntries, baseOffset: number) {
    this.entries = entries
    this.#baseOffset = baseOffset
    this.#lastTimestamp = this.last().timestamp
  }

  last(): TimestampOffset {
    const { count } = this.entries
    return count === 0 ? { timestamp: -1, offset: this.#baseOffset } : this.#parse(count - 1)
  }

  /** Adds an entry unless the time does not grow: records out of order make no entries. */
  maybeAppend(timestamp: number, offset: number): void {
    if (timestamp <= this.#lastTimestamp) return
    const { buffer, at } = this.entries.add()
    writeInt64(buffer, at, timestamp)
    buffer.writeInt32BE(offset - this.#baseOffset, at + 8)
    this.#lastTimestamp = timestamp
  }

  /** An offset such that everything before it is older than `timestamp`. */
  floorOffset(timestamp: number): number {
    const found = this.entries.findLast((entry) => readInt64(entry, 0) < timestamp)
    return found < 0 ? this.#baseOffset : this.#parse(found).offset
  }

  /** Drops the entries of offsets at or after `offset`. */
  truncate(offset: number): void {
    const relative = offset - this.#baseOffset
    this.entries.keep(this.entries.findLast((entry) => entry.readInt32BE(8) < relative) + 1)
    this.#lastTimestamp = this.last().timestamp
  }

  #parse(index: number): TimestampOffset {
    const entry = this.entries.entry(index)
    return { timestamp: readInt64(entry, 0), offset: this.#baseOffset + entry.readInt32BE(8) }
  }
}

function writeInt64(buffer: Buffer, at: number, value: number): void {
  buffer.writeBigInt64BE(BigInt(value), at)
}

function readInt64(buffer: Buffer, at: number): number {
  return Number(buffer.readBigInt64BE(at))
}
