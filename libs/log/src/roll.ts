import type { LogConfig } from './config'
import { OFFSET_ENTRY_BYTES } from './offset-index'
import type { Segment } from './segment'
import { TIME_ENTRY_BYTES } from './time-index'

export interface RollInput {
  readonly config: LogConfig
  readonly jitterMs: number
  /** Of the batches that come. */
  readonly sizeBytes: number
  readonly lastOffset: number
  readonly maxTimestamp: number
  readonly nowMs: number
}

/** Whether batches must go to a new segment: this one would be too large, is too old, or its indexes are full. */
export function mustRoll(segment: Segment, input: RollInput): boolean {
  const { config } = input
  if (!segment.holdsOffset(input.lastOffset)) return true
  if (segment.isEmpty) return false
  if (segment.sizeBytes + input.sizeBytes > config.segmentBytes) return true
  if (ageMs(segment, input) > config.segmentMs - input.jitterMs) return true
  const offsetRoom = Math.floor(config.segmentIndexBytes / OFFSET_ENTRY_BYTES)
  // One time entry is kept free for the one that sealing adds.
  const timeRoom = Math.floor(config.segmentIndexBytes / TIME_ENTRY_BYTES) - 1
  return (
    segment.offsetIndex.entries.count >= offsetRoom || segment.timeIndex.entries.count >= timeRoom
  )
}

/** Age goes by the records' own time, so that a replayed topic rolls as the original did. */
function ageMs(segment: Segment, input: RollInput): number {
  return segment.firstTimestamp >= 0 && input.maxTimestamp >= 0
    ? input.maxTimestamp - segment.firstTimestamp
    : input.nowMs - segment.createdMs
}
