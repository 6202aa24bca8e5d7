import { batch, BATCH_HEADER_BYTES, BATCH_MAGIC, BATCH_PREFIX_BYTES } from './batch'
import { isKnownCodec } from './compression/codec'
import { recordErrors } from './errors'

const MAGIC_AT = 16
const NO_TIMESTAMP = -1

/**
 * The size in bytes of the batch at `at` if all of it is in the buffer, -1 if the buffer ends
 * before it does.
 * @throws PlatformError RECORD_BAD_MAGIC, RECORD_BAD_SIZE, as soon as the bytes at hand rule a
 * batch out.
 */
export function nextBatchSize(buffer: Buffer, at: number): number {
  const availableBytes = buffer.length - at
  if (availableBytes > MAGIC_AT && batch.magic(buffer, at) !== BATCH_MAGIC) {
    throw recordErrors.create('RECORD_BAD_MAGIC', { position: at, magic: batch.magic(buffer, at) })
  }
  if (availableBytes < BATCH_PREFIX_BYTES) return -1
  const sizeBytes = batch.sizeBytes(buffer, at)
  if (sizeBytes < BATCH_HEADER_BYTES) throw badSize(at, sizeBytes, availableBytes)
  return sizeBytes <= availableBytes ? sizeBytes : -1
}

/**
 * Checks a batch as a producer must send it, before it is stored: format, size, checksum, codec,
 * timestamps, and one record for each offset from the first to the last. Does not look at single
 * records.
 * @throws PlatformError RECORD_BAD_MAGIC, RECORD_BAD_SIZE, RECORD_BAD_CRC, RECORD_UNKNOWN_CODEC,
 * RECORD_BAD_COUNT, RECORD_BAD_TIMESTAMP
 */
export function checkBatch(buffer: Buffer, at: number): void {
  checkStoredBatch(buffer, at)
  const recordCount = batch.recordCount(buffer, at)
  const lastOffsetDelta = batch.lastOffsetDelta(buffer, at)
  if (recordCount === 0 || recordCount !== lastOffsetDelta + 1) {
    throw recordErrors.create('RECORD_BAD_COUNT', { position: at, recordCount, lastOffsetDelta })
  }
}

/**
 * Checks a batch as a log may hold it: like `checkBatch`, but compaction may have taken out some
 * records or all.
 * @throws PlatformError as `checkBatch` does
 */
export function checkStoredBatch(buffer: Buffer, at: number): void {
  const sizeBytes = nextBatchSize(buffer, at)
  if (sizeBytes === -1) throw cutShort(buffer, at)
  if (!batch.isCrcValid(buffer, at)) {
    throw recordErrors.create('RECORD_BAD_CRC', {
      position: at,
      actual: batch.computeCrc(buffer, at),
      expected: batch.crc(buffer, at),
    })
  }
  const codec = batch.codec(buffer, at)
  if (!isKnownCodec(codec)) throw recordErrors.create('RECORD_UNKNOWN_CODEC', { codec })
  const recordCount = batch.recordCount(buffer, at)
  const lastOffsetDelta = batch.lastOffsetDelta(buffer, at)
  if (recordCount < 0 || lastOffsetDelta < 0 || recordCount > lastOffsetDelta + 1) {
    throw recordErrors.create('RECORD_BAD_COUNT', { position: at, recordCount, lastOffsetDelta })
  }
  checkPrecision(batch.baseTimestamp(buffer, at))
  checkPrecision(batch.maxTimestamp(buffer, at))
}

/** Times before 1970 mean nothing, but Kafka takes them, and other clients send them. */
function checkPrecision(timestamp: number): void {
  if (!Number.isSafeInteger(timestamp))
    throw recordErrors.create('RECORD_BAD_TIMESTAMP', { timestamp })
}

/** @throws PlatformError RECORD_BAD_TIMESTAMP */
export function checkTimestamp(timestamp: number): void {
  if (!Number.isSafeInteger(timestamp) || timestamp < NO_TIMESTAMP) {
    throw recordErrors.create('RECORD_BAD_TIMESTAMP', { timestamp })
  }
}

/** The error for a batch that the buffer holds only the beginning of. */
export function cutShort(buffer: Buffer, at: number): Error {
  const availableBytes = buffer.length - at
  const isSizeKnown = availableBytes >= BATCH_PREFIX_BYTES
  return badSize(at, isSizeKnown ? batch.sizeBytes(buffer, at) : 0, availableBytes)
}

function badSize(position: number, sizeBytes: number, availableBytes: number): Error {
  return recordErrors.create('RECORD_BAD_SIZE', { position, sizeBytes, availableBytes })
}
