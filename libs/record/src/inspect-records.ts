import { VarintReader } from '@millrace/base'
import { batch, BATCH_HEADER_BYTES, type BatchHeader } from './batch'
import { BatchBuilder } from './batch-builder'
import { Codec } from './compression/codec'
import { compress, decompress } from './compression/compression'
import { recordErrors } from './errors'
import { DEFAULT_MAX_DECOMPRESSED_BYTES, RecordCursor } from './record-cursor'

/** Of more faults than this only the first are listed: an answer must not outgrow its request. */
export const MAX_LISTED_FAULTS = 1000

/** What the records of a batch are held to. */
export interface RecordRules {
  readonly isKeyRequired: boolean
  /** Bounds of a timestamp in ms, inclusive. A record without a time (-1) is not held to them. */
  readonly oldestMs: number
  readonly newestMs: number
}

/** A record that breaks a rule, by its place in the batch. */
export interface RecordFault {
  readonly index: number
  readonly kind: 'keyless' | 'timestamp'
  readonly timestamp: number
}

export interface RecordInspection {
  /** The records without compression: a view of the batch, or a fresh buffer. */
  readonly payload: Buffer
  /** The largest time of a record, -1 if none has one. A producer may have put another into the header. */
  readonly maxTimestamp: number
  /** Whether offset deltas count up from 0, as the header says they do. */
  readonly isDense: boolean
  /** In order, at most MAX_LISTED_FAULTS. */
  readonly faults: readonly RecordFault[]
}

/**
 * Walks every record of a batch whose header is good (`checkBatch`), down to the last header value, and makes an object
 * only of what is wrong. Measured at 100 bytes a record: see ADR 0008.
 * @throws PlatformError RECORD_MALFORMED if the records are not what the header and their own lengths say;
 * RECORD_BAD_COMPRESSION, RECORD_TOO_LARGE, RECORD_UNKNOWN_CODEC
 */
export function inspectRecords(buffer: Buffer, at: number, rules: RecordRules): RecordInspection {
  const payload = payloadOf(buffer, at)
  const { isKeyRequired, oldestMs, newestMs } = rules
  const baseTimestamp = batch.baseTimestamp(buffer, at)
  const recordCount = batch.recordCount(buffer, at)
  const reader = new VarintReader()
  reader.open(payload, 0, payload.length)
  const faults: RecordFault[] = []
  let maxTimestamp = -1
  let isDense = true
  for (let index = 0; index < recordCount; index++) {
    const limit = openRecord(reader, payload.length)
    reader.position++ // attributes, of which no bit has a meaning
    const timestamp = baseTimestamp + reader.varlong()
    if (reader.varint() !== index) isDense = false
    const keyBytes = skipNullable(reader)
    skipNullable(reader)
    skipHeaders(reader)
    if (reader.position !== limit || !Number.isSafeInteger(timestamp))
      throw malformed(buffer, at, `record ${index} does not fit its length`)
    reader.limit = payload.length
    if (timestamp > maxTimestamp) maxTimestamp = timestamp
    if (isKeyRequired && keyBytes < 0) note(faults, { index, kind: 'keyless', timestamp })
    else if ((timestamp < oldestMs || timestamp > newestMs) && timestamp !== -1)
      note(faults, { index, kind: 'timestamp', timestamp })
  }
  if (reader.position !== payload.length)
    throw malformed(buffer, at, 'bytes follow the last record')
  return { payload, maxTimestamp, isDense, faults }
}

/** The same records under another codec, and nothing else changed: a fresh buffer that the caller owns, sealed. */
export function recompressBatch(
  buffer: Buffer,
  at: number,
  target: { readonly payload: Buffer; readonly codec: Codec; readonly level?: number },
): Buffer {
  const { payload, codec, level } = target
  const packed = codec === Codec.none ? payload : compress(codec, payload, level)
  const made = Buffer.allocUnsafeSlow(BATCH_HEADER_BYTES + packed.length)
  buffer.copy(made, 0, at, at + BATCH_HEADER_BYTES)
  packed.copy(made, BATCH_HEADER_BYTES)
  batch.writeHeader(made, 0, { ...headerOf(buffer, at), codec, sizeBytes: made.length })
  batch.seal(made, 0)
  return made
}

/** The same records with offset deltas that count up from 0. Rare: only very old clients send others. */
export function renumberBatch(
  buffer: Buffer,
  at: number,
  target: { readonly codec: Codec; readonly level?: number },
): Buffer {
  const builder = new BatchBuilder(target)
  const cursor = new RecordCursor()
  for (cursor.open(buffer, at); cursor.next(); )
    builder.append(cursor.timestamp, cursor.key(), cursor.value(), cursor.headers())
  return builder.build({
    producerId: batch.producerId(buffer, at),
    producerEpoch: batch.producerEpoch(buffer, at),
    baseSequence: batch.baseSequence(buffer, at),
    isTransactional: batch.isTransactional(buffer, at),
    isControl: batch.isControl(buffer, at),
  })
}

function payloadOf(buffer: Buffer, at: number): Buffer {
  const packed = buffer.subarray(at + BATCH_HEADER_BYTES, at + batch.sizeBytes(buffer, at))
  const codec = batch.codec(buffer, at)
  return codec === Codec.none ? packed : decompress(codec, packed, DEFAULT_MAX_DECOMPRESSED_BYTES)
}

/** Bounds the reader by the record that begins here; returns where that ends, -1 if it does not fit. */
function openRecord(reader: VarintReader, payloadBytes: number): number {
  const length = reader.varint()
  const limit = reader.position + length
  if (reader.isOverrun || length <= 0 || limit > payloadBytes) return -1
  reader.limit = limit
  return limit
}

/** A length and that many bytes; -1 stands for null. Past the limit if it does not fit. */
function skipNullable(reader: VarintReader): number {
  const bytes = reader.varint()
  if (bytes > 0) reader.position += bytes
  else if (bytes < -1) reader.position = reader.limit + 1
  return bytes
}

function skipHeaders(reader: VarintReader): void {
  for (let left = reader.varint(); left !== 0; left--) {
    // A header takes two bytes at least, so a count that lies runs out of room, not out of time. Its key is never null.
    if (left < 0 || reader.position >= reader.limit || skipNullable(reader) < 0) {
      reader.position = reader.limit + 1
      return
    }
    skipNullable(reader)
  }
}

function note(faults: RecordFault[], fault: RecordFault): void {
  if (faults.length < MAX_LISTED_FAULTS) faults.push(fault)
}

function headerOf(buffer: Buffer, at: number): BatchHeader {
  return {
    baseOffset: batch.baseOffset(buffer, at),
    sizeBytes: batch.sizeBytes(buffer, at),
    leaderEpoch: batch.leaderEpoch(buffer, at),
    codec: batch.codec(buffer, at),
    timestampType: batch.timestampType(buffer, at),
    isTransactional: batch.isTransactional(buffer, at),
    isControl: batch.isControl(buffer, at),
    lastOffsetDelta: batch.lastOffsetDelta(buffer, at),
    baseTimestamp: batch.baseTimestamp(buffer, at),
    maxTimestamp: batch.maxTimestamp(buffer, at),
    producerId: batch.producerId(buffer, at),
    producerEpoch: batch.producerEpoch(buffer, at),
    baseSequence: batch.baseSequence(buffer, at),
    recordCount: batch.recordCount(buffer, at),
  }
}

function malformed(buffer: Buffer, at: number, reason: string): Error {
  return recordErrors.create('RECORD_MALFORMED', {
    index: -1,
    baseOffset: batch.baseOffset(buffer, at),
    reason,
  })
}
