import type { LogConfig } from './config'
import type { Segment } from './segment'

export interface RetentionState {
  readonly segments: readonly Segment[]
  readonly config: LogConfig
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly nowMs: number
}

/**
 * How many of the oldest segments are to be deleted, the active one included if all of it is due. Nothing at or above the
 * high watermark goes, and from a topic that is only compacted nothing goes by time or size (LOG-6).
 */
export function countDeletable(state: RetentionState): number {
  const byStart = countWhile(state, (_, endOffset) => endOffset <= state.logStartOffset)
  // The active segment stays when only the log start offset passed it: there is nothing to gain from a new one.
  const passed = Math.min(byStart, state.segments.length - 1)
  if (!state.config.cleanupPolicy.includes('delete')) return passed
  return Math.max(passed, countExpired(state), countOversize(state))
}

function countExpired(state: RetentionState): number {
  const { retentionMs } = state.config
  if (retentionMs < 0) return 0
  return countWhile(state, (segment) => {
    const newestMs = segment.newest.timestamp >= 0 ? segment.newest.timestamp : segment.createdMs
    return state.nowMs - newestMs > retentionMs
  })
}

function countOversize(state: RetentionState): number {
  const { retentionBytes } = state.config
  if (retentionBytes < 0) return 0
  let excess = -retentionBytes
  for (const segment of state.segments) excess += segment.sizeBytes
  return countWhile(state, (segment) => {
    excess -= segment.sizeBytes
    return excess >= 0
  })
}

function countWhile(
  { segments, highWatermark }: RetentionState,
  isDue: (segment: Segment, endOffset: number) => boolean,
): number {
  let count = 0
  for (const segment of segments) {
    // A segment's range reaches to the base of the next one: offsets may be missing between them.
    const next = segments[count + 1]
    const endOffset = next === undefined ? segment.nextOffset : next.baseOffset
    const isEmptyActive = next === undefined && segment.isEmpty
    if (isEmptyActive || endOffset > highWatermark || !isDue(segment, endOffset)) break
    count++
  }
  return count
}
