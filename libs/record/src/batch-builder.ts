import { invariant, varintBytes, varlongBytes, writeVarint, writeVarlong } from '@millrace/base'
import { batch, BATCH_HEADER_BYTES } from './batch'
import { checkTimestamp } from './check-batch'
import { Codec } from './compression/codec'
import { compress } from './compression/compression'
import { recordErrors } from './errors'

const DEFAULT_INITIAL_BYTES = 16 * 1024
/** A builder that once held more than this gives the memory back at `reset`. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024
/** The size field of a batch is a positive int32. */
const MAX_BATCH_BYTES = 2 ** 31 - 1
/** Up to here a loop copies faster than a call into native code. */
const MAX_LOOPED_COPY_BYTES = 24
/**
 * Attributes byte and the longest length, offset delta, timestamp delta, key, value and count
 * varints.
 */
const MAX_RECORD_OVERHEAD_BYTES = 1 + 5 + 5 + 10 + 5 + 5 + 5

/** One header of a record. Keys may repeat, and order is kept. */
export interface RecordHeader {
  readonly key: string
  readonly value: Buffer | null
}

export interface BatchBuilderOptions {
  readonly codec?: Codec
  /** Of the codec's own scale; its default if absent. */
  readonly level?: number
  readonly initialBytes?: number
}

/**
 * Fields of the header that the caller decides; producer fields are -1 for a producer that is not
 * idempotent.
 */
export interface BatchFields {
  readonly baseOffset?: number
  readonly leaderEpoch?: number
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly isTransactional?: boolean
  readonly isControl?: boolean
}

/**
 * Writes records into one growing buffer and makes a batch of them. Reusable: `build` leaves the
 * records in place (so a batch can be built again with other fields), `reset` drops them and keeps
 * the buffer.
 */
export class BatchBuilder {
  readonly #codec: Codec
  readonly #level: number | undefined
  readonly #initialBytes: number
  /** The header's 61 bytes stay free at the front; records lie from there to `#position`. */
  #buffer: Buffer
  #position = BATCH_HEADER_BYTES
  #recordCount = 0
  #baseTimestamp = -1
  #maxTimestamp = -1

  constructor(options: BatchBuilderOptions = {}) {
    this.#codec = options.codec ?? Codec.none
    this.#level = options.level
    this.#initialBytes = Math.max(options.initialBytes ?? DEFAULT_INITIAL_BYTES, BATCH_HEADER_BYTES)
    this.#buffer = Buffer.allocUnsafeSlow(this.#initialBytes)
  }

  get recordCount(): number {
    return this.#recordCount
  }

  get isEmpty(): boolean {
    return this.#recordCount === 0
  }

  /** Bytes of the batch so far, header included, before compression. */
  get estimatedBytes(): number {
    return this.#position
  }

  /**
   * Copies a record in; nothing of the arguments is kept. `timestamp` in ms since 1970, or -1 for
   * none.
   * @returns its offset delta: 0 for the first record.
   * @throws PlatformError RECORD_BAD_TIMESTAMP, RECORD_TOO_LARGE (2 GiB); the batch is then as
   * before.
   */
  append(
    timestamp: number,
    key: Buffer | null,
    value: Buffer | null,
    headers?: readonly RecordHeader[],
  ): number {
    checkTimestamp(timestamp)
    const offsetDelta = this.#recordCount
    const timestampDelta = offsetDelta === 0 ? 0 : timestamp - this.#baseTimestamp
    const bodyBytes =
      1 +
      varlongBytes(timestampDelta) +
      varintBytes(offsetDelta) +
      lengthedBytes(key) +
      lengthedBytes(value) +
      headersBytes(headers)
    this.#makeRoom(varintBytes(bodyBytes) + bodyBytes)
    if (offsetDelta === 0) this.#baseTimestamp = timestamp
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp

    const buffer = this.#buffer
    let at = writeVarint(buffer, this.#position, bodyBytes)
    buffer[at++] = 0
    at = writeVarlong(buffer, at, timestampDelta)
    at = writeVarint(buffer, at, offsetDelta)
    at = writeLengthed(buffer, at, key)
    at = writeLengthed(buffer, at, value)
    this.#position = writeHeaders(buffer, at, headers)
    this.#recordCount = offsetDelta + 1
    return offsetDelta
  }

  /** The batch as a fresh buffer that the caller owns. There must be at least one record. */
  build(fields: BatchFields = {}): Buffer {
    invariant(this.#recordCount > 0, 'a batch has at least one record')
    const plain = this.#buffer.subarray(BATCH_HEADER_BYTES, this.#position)
    const records = this.#codec === Codec.none ? plain : compress(this.#codec, plain, this.#level)
    const sizeBytes = BATCH_HEADER_BYTES + records.length
    const built = Buffer.allocUnsafe(sizeBytes)
    records.copy(built, BATCH_HEADER_BYTES)
    batch.writeHeader(built, 0, {
      baseOffset: fields.baseOffset ?? 0,
      sizeBytes,
      leaderEpoch: fields.leaderEpoch ?? -1,
      codec: this.#codec,
      timestampType: 'CreateTime',
      isTransactional: fields.isTransactional ?? false,
      isControl: fields.isControl ?? false,
      lastOffsetDelta: this.#recordCount - 1,
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: this.#maxTimestamp,
      producerId: fields.producerId ?? -1,
      producerEpoch: fields.producerEpoch ?? -1,
      baseSequence: fields.baseSequence ?? -1,
      recordCount: this.#recordCount,
    })
    batch.seal(built, 0)
    return built
  }

  reset(): void {
    if (this.#buffer.length > Math.max(MAX_KEPT_BYTES, this.#initialBytes)) {
      this.#buffer = Buffer.allocUnsafeSlow(this.#initialBytes)
    }
    this.#position = BATCH_HEADER_BYTES
    this.#recordCount = 0
    this.#baseTimestamp = -1
    this.#maxTimestamp = -1
  }

  #makeRoom(bytes: number): void {
    const needed = this.#position + bytes
    if (needed <= this.#buffer.length) return
    if (needed > MAX_BATCH_BYTES) {
      throw recordErrors.create('RECORD_TOO_LARGE', { maxBytes: MAX_BATCH_BYTES })
    }
    const grown = Buffer.allocUnsafeSlow(
      Math.min(Math.max(needed, this.#buffer.length * 2), MAX_BATCH_BYTES),
    )
    this.#buffer.copy(grown, 0, 0, this.#position)
    this.#buffer = grown
  }
}

/**
 * The most bytes a record can take in a batch, before compression: to refuse or split ahead of
 * `append`.
 */
export function maxRecordBytes(
  key: Buffer | null,
  value: Buffer | null,
  headers?: readonly RecordHeader[],
): number {
  return (
    MAX_RECORD_OVERHEAD_BYTES +
    (key === null ? 0 : key.length) +
    (value === null ? 0 : value.length) +
    headersBytes(headers)
  )
}

function lengthedBytes(bytes: Buffer | null): number {
  return bytes === null ? 1 : varintBytes(bytes.length) + bytes.length
}

function headersBytes(headers: readonly RecordHeader[] | undefined): number {
  if (headers === undefined || headers.length === 0) return 1
  let total = varintBytes(headers.length)
  for (const header of headers) {
    const keyBytes = Buffer.byteLength(header.key)
    total += varintBytes(keyBytes) + keyBytes + lengthedBytes(header.value)
  }
  return total
}

function writeLengthed(buffer: Buffer, at: number, bytes: Buffer | null): number {
  if (bytes === null) return writeVarint(buffer, at, -1)
  const length = bytes.length
  at = writeVarint(buffer, at, length)
  if (length <= MAX_LOOPED_COPY_BYTES) {
    for (let index = 0; index < length; index++) buffer[at + index] = bytes[index]
  } else {
    buffer.set(bytes, at)
  }
  return at + length
}

function writeHeaders(
  buffer: Buffer,
  at: number,
  headers: readonly RecordHeader[] | undefined,
): number {
  if (headers === undefined || headers.length === 0) {
    buffer[at] = 0
    return at + 1
  }
  at = writeVarint(buffer, at, headers.length)
  for (const header of headers) {
    const keyBytes = Buffer.byteLength(header.key)
    at = writeVarint(buffer, at, keyBytes)
    buffer.write(header.key, at, keyBytes, 'utf8')
    at = writeLengthed(buffer, at + keyBytes, header.value)
  }
  return at
}
