import type { ReadLimits, Segment } from './segment'
import type { SegmentList } from './segment-list'
import type { AbortedTransaction } from './txn-index'

const NO_RECORDS = Buffer.alloc(0)

/** Whole batches from the one that holds `startOffset` on, from the files: only what is written is seen. */
export function readSegments(
  segments: SegmentList,
  startOffset: number,
  limits: ReadLimits,
): Buffer {
  for (const segment of segments.from(startOffset)) {
    const records = segment.read(startOffset, limits)
    // Offsets may be missing at the end of a segment, in a compacted one even below its `nextOffset`: the next one has them.
    if (records.length > 0 || hasBatchFrom(segment, startOffset)) return records
  }
  return NO_RECORDS
}

function hasBatchFrom(segment: Segment, offset: number): boolean {
  return segment.nextOffset > offset && segment.positionOf(offset) < segment.writtenBytes
}

/** The aborted transactions with records from `fromOffset` up to `toOffsetExclusive`, in the order of their markers. */
export function findAborted(
  segments: SegmentList,
  fromOffset: number,
  toOffsetExclusive: number,
): AbortedTransaction[] {
  const found: AbortedTransaction[] = []
  for (const { txnIndex } of segments.from(fromOffset)) {
    if (txnIndex.collect(fromOffset, toOffsetExclusive, found)) break
  }
  return found
}
