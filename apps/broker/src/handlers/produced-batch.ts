import { batch, BATCH_MAGIC, BATCH_PREFIX_BYTES, Codec } from '@millrace/record'
import { ErrorCode } from '@millrace/wire'

const MAGIC_AT = 16
/** Up to here must be there for a batch to begin at all. */
const MIN_BYTES = MAGIC_AT + 1
/** What the length field of the oldest format says at least. */
const MIN_LENGTH = 14
const FIRST_VERSION_WITH_ZSTD = 7

export type ProducedBatch =
  | { readonly errorCode: 0; readonly records: Buffer }
  | { readonly errorCode: number; readonly records: null }

/**
 * The one batch that a Produce request may have for a partition. What follows it is left out if it is too short to be a
 * batch, and refuses the whole if it is one. The request has been looked through for damaged ones. All deeper checks are the log's.
 */
export function takeProducedBatch(records: Buffer | null, apiVersion: number): ProducedBatch {
  const first = records === null ? 'none' : sizeOfBatch(records, 0)
  if (records === null || typeof first === 'string') return refused(ErrorCode.INVALID_RECORD)
  if (batch.magic(records, 0) !== BATCH_MAGIC) return refused(ErrorCode.INVALID_RECORD)
  const isZstd = first > MIN_BYTES + 6 && batch.codec(records, 0) === Codec.zstd
  if (isZstd && apiVersion < FIRST_VERSION_WITH_ZSTD)
    return refused(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE)
  if (first === records.length) return { errorCode: ErrorCode.NONE, records }
  const second = sizeOfBatch(records, first)
  if (second === 'damaged') return refused(ErrorCode.CORRUPT_MESSAGE)
  if (second !== 'none') return refused(ErrorCode.INVALID_RECORD)
  return { errorCode: ErrorCode.NONE, records: records.subarray(0, first) }
}

/** Whether no batch of any format begins like this. */
export function isDamaged(records: Buffer): boolean {
  return sizeOfBatch(records, 0) === 'damaged'
}

/** Of a whole batch of any format; none if the bytes end before it does, damaged if it can be none. */
function sizeOfBatch(records: Buffer, at: number): number | 'none' | 'damaged' {
  const leftBytes = records.length - at
  if (leftBytes < BATCH_PREFIX_BYTES) return 'none'
  const size = batch.sizeBytes(records, at)
  if (size - BATCH_PREFIX_BYTES < MIN_LENGTH) return 'damaged'
  if (leftBytes < MIN_BYTES) return 'none'
  const magic = batch.magic(records, at)
  if (magic < 0 || magic > BATCH_MAGIC) return 'damaged'
  return size > leftBytes ? 'none' : size
}

function refused(errorCode: number): ProducedBatch {
  return { errorCode, records: null }
}
