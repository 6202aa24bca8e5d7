import { VarintReader } from '@millrace/base'
import { batch, BATCH_HEADER_BYTES } from './batch'
import type { RecordHeader } from './batch-builder'
import { cutShort, nextBatchSize } from './check-batch'
import { Codec } from './compression/codec'
import { decompress } from './compression/compression'
import { recordErrors } from './errors'

/** What a batch may grow to when it is unpacked, unless the caller says otherwise. */
export const DEFAULT_MAX_DECOMPRESSED_BYTES = 128 * 1024 * 1024
const MIN_HEADER_BYTES = 2

/**
 * Walks the records of a batch without making an object of any. Reusable: `open` starts over with
 * another batch. Key, value and header values are views of the batch's buffer (of a fresh one, if
 * the batch is compressed), valid as long as that buffer is not overwritten; copy what must outlive
 * it. The checksum is not verified here.
 *
 *     for (cursor.open(buffer, at); cursor.next(); ) use(cursor.offset, cursor.value())
 */
export class RecordCursor {
  readonly #maxDecompressedBytes: number
  readonly #reader = new VarintReader()
  #records: Buffer = Buffer.alloc(0)
  #baseOffset = 0
  #baseTimestamp = 0
  /** Of the whole batch if the broker stamped it, else -1. */
  #appendTimestamp = -1
  #recordCount = 0
  /** Of the current record; -1 before the first `next`. */
  #index = -1
  #recordsStart = 0
  #recordsLimit = 0
  #recordStart = 0
  #recordLimit = 0
  #offsetDelta = 0
  #timestampDelta = 0
  /** First byte of what follows the offset: the key's length, key, value and headers. */
  #contentStart = 0
  /** First byte of the key, and its length or -1 for null. Always known for the current record. */
  #keyStart = 0
  #keyBytes = -1
  /** First byte of the value, or -1 while nobody has asked for what follows the key. */
  #valueStart = -1
  #valueBytes = -1

  constructor(maxDecompressedBytes = DEFAULT_MAX_DECOMPRESSED_BYTES) {
    this.#maxDecompressedBytes = maxDecompressedBytes
  }

  /**
   * Starts before the first record of the batch at `at`, unpacking it if need be.
   * @throws PlatformError RECORD_BAD_MAGIC, RECORD_BAD_SIZE, RECORD_UNKNOWN_CODEC,
   * RECORD_BAD_COMPRESSION, RECORD_TOO_LARGE
   */
  open(buffer: Buffer, at: number): void {
    // Until the new batch is known to be good there is nothing to walk.
    this.#recordCount = 0
    this.#index = -1
    this.#recordLimit = this.#recordsStart = this.#recordsLimit = 0
    const sizeBytes = nextBatchSize(buffer, at)
    if (sizeBytes === -1) throw cutShort(buffer, at)
    const codec = batch.codec(buffer, at)
    let start = at + BATCH_HEADER_BYTES
    let limit = at + sizeBytes
    if (codec === Codec.none) {
      this.#records = buffer
    } else {
      this.#records = decompress(codec, buffer.subarray(start, limit), this.#maxDecompressedBytes)
      start = 0
      limit = this.#records.length
    }
    this.#baseOffset = batch.baseOffset(buffer, at)
    this.#baseTimestamp = batch.baseTimestamp(buffer, at)
    this.#appendTimestamp =
      batch.timestampType(buffer, at) === 'LogAppendTime' ? batch.maxTimestamp(buffer, at) : -1
    this.#recordCount = batch.recordCount(buffer, at)
    this.#recordsStart = start
    this.#recordsLimit = limit
    this.#recordLimit = start
    this.#reader.open(this.#records, start, limit)
  }

  /** Starts over with the same batch, without unpacking it again; its buffer must not have changed. */
  rewind(): void {
    this.#index = -1
    this.#recordLimit = this.#recordsStart
  }

  /**
   * Moves to the next record; false after the last.
   * @throws PlatformError RECORD_MALFORMED
   */
  next(): boolean {
    const index = this.#index + 1
    if (index >= this.#recordCount) {
      if (this.#recordLimit !== this.#recordsLimit)
        throw this.#malformed('bytes follow the last record')
      return false
    }
    this.#index = index
    const reader = this.#reader
    reader.position = this.#recordStart = this.#recordLimit
    reader.limit = this.#recordsLimit
    const length = reader.varint()
    const limit = reader.position + length
    if (reader.isOverrun || length <= 0 || limit > this.#recordsLimit) {
      throw this.#malformed('its length does not fit the batch')
    }
    this.#recordLimit = reader.limit = limit
    reader.position++ // attributes, of which no bit has a meaning
    this.#timestampDelta = reader.varlong()
    this.#offsetDelta = reader.varint()
    this.#contentStart = reader.position
    this.#keyBytes = reader.varint()
    this.#keyStart = reader.position
    this.#valueStart = -1
    if (reader.isOverrun || this.#keyBytes < -1 || this.#keyStart + this.#keyBytes > limit) {
      throw this.#malformed('its key does not fit')
    }
    return true
  }

  get offset(): number {
    return this.#baseOffset + this.#offsetDelta
  }

  get offsetDelta(): number {
    return this.#offsetDelta
  }

  /**
   * In ms since 1970; -1 if the producer gave none. The broker's time if the topic is stamped on
   * append.
   */
  get timestamp(): number {
    return this.#appendTimestamp === -1
      ? this.#baseTimestamp + this.#timestampDelta
      : this.#appendTimestamp
  }

  /** The whole record in bytes, uncompressed, its length field included. */
  get recordBytes(): number {
    return this.#recordLimit - this.#recordStart
  }

  /** Length of the key; -1 if there is none. */
  get keyBytes(): number {
    return this.#keyBytes
  }

  /** Length of the value; -1 if there is none. @throws PlatformError RECORD_MALFORMED */
  get valueBytes(): number {
    this.#locateValue()
    return this.#valueBytes
  }

  /** Key, value and headers as they are stored, lengths included: what a copy of the record has unchanged. */
  content(): Buffer {
    return this.#records.subarray(this.#contentStart, this.#recordLimit)
  }

  key(): Buffer | null {
    if (this.#keyBytes === -1) return null
    return this.#records.subarray(this.#keyStart, this.#keyStart + this.#keyBytes)
  }

  /** @throws PlatformError RECORD_MALFORMED */
  value(): Buffer | null {
    this.#locateValue()
    if (this.#valueBytes === -1) return null
    return this.#records.subarray(this.#valueStart, this.#valueStart + this.#valueBytes)
  }

  /**
   * In the order of the record. Keys that are not UTF-8 get replacement characters. @throws
   * PlatformError RECORD_MALFORMED
   */
  headers(): RecordHeader[] {
    this.#locateValue()
    const reader = this.#reader
    const limit = this.#recordLimit
    reader.position = this.#valueStart + Math.max(this.#valueBytes, 0)
    const count = reader.varint()
    if (count < 0 || count > (limit - reader.position) / MIN_HEADER_BYTES) {
      throw this.#malformed('its header count does not fit')
    }
    const headers: RecordHeader[] = []
    for (let left = count; left > 0; left--) headers.push(this.#readHeader())
    if (reader.position !== limit) throw this.#malformed('its headers do not end where it ends')
    return headers
  }

  #readHeader(): RecordHeader {
    const reader = this.#reader
    const keyBytes = reader.varint()
    const keyStart = reader.position
    if (keyBytes < 0 || keyStart + keyBytes > this.#recordLimit) {
      throw this.#malformed('a header key does not fit')
    }
    reader.position = keyStart + keyBytes
    const valueBytes = reader.varint()
    const valueStart = reader.position
    const valueLimit = valueStart + Math.max(valueBytes, 0)
    if (valueBytes < -1 || valueLimit > this.#recordLimit) {
      throw this.#malformed('a header value does not fit')
    }
    reader.position = valueLimit
    return {
      key: this.#records.toString('utf8', keyStart, keyStart + keyBytes),
      value: valueBytes === -1 ? null : this.#records.subarray(valueStart, valueLimit),
    }
  }

  #locateValue(): void {
    if (this.#valueStart !== -1) return
    const reader = this.#reader
    reader.position = this.#keyStart + Math.max(this.#keyBytes, 0)
    const valueBytes = reader.varint()
    // At least the header count must follow the value.
    if (valueBytes < -1 || reader.position + Math.max(valueBytes, 0) >= this.#recordLimit) {
      throw this.#malformed('its value does not fit')
    }
    this.#valueStart = reader.position
    this.#valueBytes = valueBytes
  }

  #malformed(reason: string): Error {
    return recordErrors.create('RECORD_MALFORMED', {
      index: this.#index,
      baseOffset: this.#baseOffset,
      reason,
    })
  }
}
