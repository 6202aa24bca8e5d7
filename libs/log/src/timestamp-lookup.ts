import { batch, RecordCursor } from '@millrace/record'
import type { Segment } from './segment'
import type { TimestampOffset } from './time-index'

/** The first record at or after `logStartOffset` that is not older than `timestamp`, or null. */
export function findByTimestamp(
  segments: readonly Segment[],
  timestamp: number,
  logStartOffset: number,
): TimestampOffset | null {
  for (const segment of segments) {
    if (segment.newest.timestamp < timestamp || segment.nextOffset <= logStartOffset) continue
    const fromOffset = Math.max(segment.timeIndex.floorOffset(timestamp), logStartOffset)
    const found = scanForRecord(segment, fromOffset, { timestamp, minOffset: logStartOffset })
    if (found !== null) return found
  }
  return null
}

/** The first of the records with the largest timestamp, or null if no record has one. */
export function findNewest(
  segments: readonly Segment[],
  logStartOffset: number,
): TimestampOffset | null {
  let newest: Segment | null = null
  for (const segment of segments) {
    const isLive = segment.nextOffset > logStartOffset && segment.newest.timestamp >= 0
    if (isLive && segment.newest.timestamp > (newest?.newest.timestamp ?? -1)) newest = segment
  }
  if (newest === null) return null
  const { timestamp, offset } = newest.newest
  return scanForRecord(newest, offset, { timestamp, minOffset: logStartOffset })
}

function scanForRecord(
  segment: Segment,
  fromOffset: number,
  wanted: { timestamp: number; minOffset: number },
): TimestampOffset | null {
  const cursor = new RecordCursor()
  let found: TimestampOffset | null = null
  segment.scanFrom(fromOffset, (buffer, at) => {
    if (batch.maxTimestamp(buffer, at) < wanted.timestamp) return true
    for (cursor.open(buffer, at); cursor.next(); ) {
      const { timestamp, offset } = cursor
      if (timestamp < wanted.timestamp || offset < wanted.minOffset) continue
      found = { timestamp, offset }
      return false
    }
    return true
  })
  return found
}
