import { batch } from './batch'
import { recordErrors } from './errors'
import { RecordCursor } from './record-cursor'

// These walk every record of a batch, unpacking it if need be, so they are not part of
// `checkBatch`.

/**
 * How many records the batch really holds: the header's count, or an error if that is wrong.
 * @throws PlatformError RECORD_MALFORMED, RECORD_BAD_SIZE, RECORD_BAD_COMPRESSION, RECORD_TOO_LARGE
 */
export function countRecords(buffer: Buffer, at: number): number {
  const cursor = new RecordCursor()
  let count = 0
  for (cursor.open(buffer, at); cursor.next(); ) {
    if (cursor.offsetDelta !== count) throw notDense(buffer, at, count)
    count++
  }
  return count
}

/**
 * Whether a record has no key, which a compacted topic must refuse. @throws PlatformError as
 * `countRecords` does
 */
export function hasKeylessRecord(buffer: Buffer, at: number): boolean {
  const cursor = new RecordCursor()
  for (cursor.open(buffer, at); cursor.next(); ) if (cursor.keyBytes === -1) return true
  return false
}

/**
 * The largest timestamp among the records. A producer may put another into the header; look here if
 * that is below `batch.baseTimestamp`.
 * @throws PlatformError as `countRecords` does
 */
export function maxRecordTimestamp(buffer: Buffer, at: number): number {
  const cursor = new RecordCursor()
  let largest = -1
  for (cursor.open(buffer, at); cursor.next(); ) {
    if (cursor.timestamp > largest) largest = cursor.timestamp
  }
  return largest
}

function notDense(buffer: Buffer, at: number, index: number): Error {
  return recordErrors.create('RECORD_MALFORMED', {
    index,
    baseOffset: batch.baseOffset(buffer, at),
    reason: 'its offset does not follow that of the record before',
  })
}
