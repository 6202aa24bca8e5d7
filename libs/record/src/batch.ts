import { crc32c } from '@millrace/base'

/**
 * The header of a record batch, format version 2, read and patched in place. Positions are relative
 * to the batch:
 *
 *      0 base offset i64          21 attributes i16
 *      8 length i32 (of the rest) 23 last offset delta i32
 *     12 leader epoch i32         27 base timestamp i64
 *     16 magic i8                 35 max timestamp i64
 *     17 crc u32 (from 21 on)     43 producer id i64, 51 epoch i16, 53 base sequence i32
 *                                 57 record count i32, 61 records
 *
 * Base offset and leader epoch lie outside the checksum, so a broker may set them without summing
 * again.
 */

/** Base offset and length: what must be read before the size of a batch is known. */
export const BATCH_PREFIX_BYTES = 12
export const BATCH_HEADER_BYTES = 61
export const BATCH_MAGIC = 2

const LENGTH_AT = 8
const LEADER_EPOCH_AT = 12
const MAGIC_AT = 16
const CRC_AT = 17
const ATTRIBUTES_AT = 21
const LAST_OFFSET_DELTA_AT = 23
const BASE_TIMESTAMP_AT = 27
const MAX_TIMESTAMP_AT = 35
const PRODUCER_ID_AT = 43
const PRODUCER_EPOCH_AT = 51
const BASE_SEQUENCE_AT = 53
const RECORD_COUNT_AT = 57

const CODEC_MASK = 0x07
const LOG_APPEND_TIME_BIT = 0x08
const TRANSACTIONAL_BIT = 0x10
const CONTROL_BIT = 0x20
const DELETE_HORIZON_BIT = 0x40

const NO_SEQUENCE = -1
const SEQUENCE_COUNT = 2 ** 31 // sequences run from 0 to 2^31 - 1 and start over
const TWO_POW_32 = 2 ** 32

export type TimestampType = 'CreateTime' | 'LogAppendTime'

/** All fields of a new batch's header; the checksum is not among them, `batch.seal` writes it. */
export interface BatchHeader {
  readonly baseOffset: number
  readonly sizeBytes: number
  readonly leaderEpoch: number
  readonly codec: number
  readonly timestampType: TimestampType
  readonly isTransactional: boolean
  readonly isControl: boolean
  /** Whether `baseTimestamp` is the time after which compaction may drop tombstones; absent is false. */
  readonly hasDeleteHorizon?: boolean
  readonly lastOffsetDelta: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

/**
 * Readers and writers of single header fields. Each takes the buffer and the position of the batch
 * in it, where a whole header must be (`nextBatchSize` tells). 64-bit fields are numbers, exact up
 * to 2^53.
 */
export const batch = {
  baseOffset: (buffer: Buffer, at: number): number => readInt64(buffer, at),
  /** The whole batch in bytes, prefix included. */
  sizeBytes: (buffer: Buffer, at: number): number =>
    BATCH_PREFIX_BYTES + readInt32(buffer, at + LENGTH_AT),
  leaderEpoch: (buffer: Buffer, at: number): number => readInt32(buffer, at + LEADER_EPOCH_AT),
  magic: (buffer: Buffer, at: number): number => (buffer[at + MAGIC_AT] << 24) >> 24,
  /** Unsigned, as stored. */
  crc: (buffer: Buffer, at: number): number => readInt32(buffer, at + CRC_AT) >>> 0,
  attributes: (buffer: Buffer, at: number): number => readInt16(buffer, at + ATTRIBUTES_AT),
  /** A value of `Codec`, or 5 to 7, which mean nothing. */
  codec: (buffer: Buffer, at: number): number => buffer[at + ATTRIBUTES_AT + 1] & CODEC_MASK,
  timestampType: (buffer: Buffer, at: number): TimestampType =>
    hasBit(buffer, at, LOG_APPEND_TIME_BIT) ? 'LogAppendTime' : 'CreateTime',
  isTransactional: (buffer: Buffer, at: number): boolean => hasBit(buffer, at, TRANSACTIONAL_BIT),
  isControl: (buffer: Buffer, at: number): boolean => hasBit(buffer, at, CONTROL_BIT),
  /** True if compaction has put the time after which tombstones may go into `baseTimestamp`. */
  hasDeleteHorizon: (buffer: Buffer, at: number): boolean => hasBit(buffer, at, DELETE_HORIZON_BIT),
  lastOffsetDelta: (buffer: Buffer, at: number): number =>
    readInt32(buffer, at + LAST_OFFSET_DELTA_AT),
  /** Inclusive. */
  lastOffset: (buffer: Buffer, at: number): number =>
    readInt64(buffer, at) + readInt32(buffer, at + LAST_OFFSET_DELTA_AT),
  nextOffset: (buffer: Buffer, at: number): number =>
    readInt64(buffer, at) + readInt32(buffer, at + LAST_OFFSET_DELTA_AT) + 1,
  baseTimestamp: (buffer: Buffer, at: number): number => readInt64(buffer, at + BASE_TIMESTAMP_AT),
  maxTimestamp: (buffer: Buffer, at: number): number => readInt64(buffer, at + MAX_TIMESTAMP_AT),
  /** -1 if the producer is not idempotent. */
  producerId: (buffer: Buffer, at: number): number => readInt64(buffer, at + PRODUCER_ID_AT),
  producerEpoch: (buffer: Buffer, at: number): number => readInt16(buffer, at + PRODUCER_EPOCH_AT),
  /** -1 if the batch carries none. */
  baseSequence: (buffer: Buffer, at: number): number => readInt32(buffer, at + BASE_SEQUENCE_AT),
  lastSequence,
  recordCount: (buffer: Buffer, at: number): number => readInt32(buffer, at + RECORD_COUNT_AT),

  isCrcValid: (buffer: Buffer, at: number): boolean =>
    batch.crc(buffer, at) === computeCrc(buffer, at),
  /**
   * The checksum the bytes have, whatever the header says. The whole batch must be in the buffer.
   */
  computeCrc,

  setBaseOffset: (buffer: Buffer, at: number, offset: number): void =>
    writeInt64(buffer, at, offset),
  setLeaderEpoch: (buffer: Buffer, at: number, epoch: number): void =>
    writeInt32(buffer, at + LEADER_EPOCH_AT, epoch),
  setMaxTimestampAndType,
  setProducer,
  writeHeader,
  /** Writes the checksum: the last step of making or changing a batch. */
  seal: (buffer: Buffer, at: number): void =>
    writeInt32(buffer, at + CRC_AT, computeCrc(buffer, at)),
} as const

/**
 * Sequence of the last record, which starts over at 0 after 2^31 - 1; -1 if the batch carries none.
 */
function lastSequence(buffer: Buffer, at: number): number {
  const first = readInt32(buffer, at + BASE_SEQUENCE_AT)
  if (first === NO_SEQUENCE) return NO_SEQUENCE
  return (first + readInt32(buffer, at + LAST_OFFSET_DELTA_AT)) % SEQUENCE_COUNT
}

function computeCrc(buffer: Buffer, at: number): number {
  return crc32c(buffer, at + ATTRIBUTES_AT, at + batch.sizeBytes(buffer, at))
}

/** Sets the largest timestamp and what timestamps mean, and sums the whole batch again. */
function setMaxTimestampAndType(
  buffer: Buffer,
  at: number,
  type: TimestampType,
  maxTimestamp: number,
): void {
  const low = at + ATTRIBUTES_AT + 1
  if (type === 'LogAppendTime') buffer[low] |= LOG_APPEND_TIME_BIT
  else buffer[low] &= ~LOG_APPEND_TIME_BIT
  writeInt64(buffer, at + MAX_TIMESTAMP_AT, maxTimestamp)
  batch.seal(buffer, at)
}

/** Gives the batch to another producer or another place in its sequence, and sums the whole batch again. */
function setProducer(
  buffer: Buffer,
  at: number,
  fields: Pick<BatchHeader, 'producerId' | 'producerEpoch' | 'baseSequence'>,
): void {
  writeInt64(buffer, at + PRODUCER_ID_AT, fields.producerId)
  writeInt16(buffer, at + PRODUCER_EPOCH_AT, fields.producerEpoch)
  writeInt32(buffer, at + BASE_SEQUENCE_AT, fields.baseSequence)
  batch.seal(buffer, at)
}

function writeHeader(buffer: Buffer, at: number, header: BatchHeader): void {
  const attributes =
    header.codec |
    (header.timestampType === 'LogAppendTime' ? LOG_APPEND_TIME_BIT : 0) |
    (header.isTransactional ? TRANSACTIONAL_BIT : 0) |
    (header.isControl ? CONTROL_BIT : 0) |
    (header.hasDeleteHorizon === true ? DELETE_HORIZON_BIT : 0)
  writeInt64(buffer, at, header.baseOffset)
  writeInt32(buffer, at + LENGTH_AT, header.sizeBytes - BATCH_PREFIX_BYTES)
  writeInt32(buffer, at + LEADER_EPOCH_AT, header.leaderEpoch)
  buffer[at + MAGIC_AT] = BATCH_MAGIC
  writeInt16(buffer, at + ATTRIBUTES_AT, attributes)
  writeInt32(buffer, at + LAST_OFFSET_DELTA_AT, header.lastOffsetDelta)
  writeInt64(buffer, at + BASE_TIMESTAMP_AT, header.baseTimestamp)
  writeInt64(buffer, at + MAX_TIMESTAMP_AT, header.maxTimestamp)
  writeInt64(buffer, at + PRODUCER_ID_AT, header.producerId)
  writeInt16(buffer, at + PRODUCER_EPOCH_AT, header.producerEpoch)
  writeInt32(buffer, at + BASE_SEQUENCE_AT, header.baseSequence)
  writeInt32(buffer, at + RECORD_COUNT_AT, header.recordCount)
}

function hasBit(buffer: Buffer, at: number, bit: number): boolean {
  return (buffer[at + ATTRIBUTES_AT + 1] & bit) !== 0
}

// Buffer's own readers check each argument; these run several times for every batch that is
// produced or fetched.

function readInt16(buffer: Buffer, at: number): number {
  return ((buffer[at] << 24) >> 16) | buffer[at + 1]
}

function readInt32(buffer: Buffer, at: number): number {
  return (buffer[at] << 24) | (buffer[at + 1] << 16) | (buffer[at + 2] << 8) | buffer[at + 3]
}

function readInt64(buffer: Buffer, at: number): number {
  return readInt32(buffer, at) * TWO_POW_32 + (readInt32(buffer, at + 4) >>> 0)
}

function writeInt16(buffer: Buffer, at: number, value: number): void {
  buffer[at] = value >> 8
  buffer[at + 1] = value
}

function writeInt32(buffer: Buffer, at: number, value: number): void {
  buffer[at] = value >> 24
  buffer[at + 1] = value >> 16
  buffer[at + 2] = value >> 8
  buffer[at + 3] = value
}

function writeInt64(buffer: Buffer, at: number, value: number): void {
  writeInt32(buffer, at, Math.floor(value / TWO_POW_32))
  writeInt32(buffer, at + 4, value)
}
