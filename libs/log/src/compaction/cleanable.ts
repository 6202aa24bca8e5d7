import type { LogConfig } from '../config'
import type { Segment } from '../segment'

/** What compaction looks at to decide whether a log is worth it. */
export interface CleanableState {
  readonly config: LogConfig
  /** Oldest first; the last is the active one, which is never compacted. */
  readonly segments: readonly Segment[]
  readonly logStartOffset: number
  readonly logEndOffset: number
  /** Nothing at or above is compacted: a transaction may still be open, or a power loss may take it back. */
  readonly stableOffset: number
  /** Everything below was compacted before; -1 if it never was. */
  readonly cleanedOffset: number
  readonly nowMs: number
}

export interface CleanableRange {
  /** The first offset that was not compacted. */
  readonly firstDirtyOffset: number
  /** Where the first segment begins that cannot be compacted yet. */
  readonly endOffset: number
  /** Bytes between the two. */
  readonly dirtyBytes: number
  /** Dirty bytes to all that would be read, from 0 to 1; 0 if there is nothing. */
  readonly dirtyRatio: number
  /** How long ago max.compaction.lag.ms has passed, 0 if it has not. */
  readonly overdueMs: number
}

/** Which part of a log could be compacted, and how much it needs it. */
export function findCleanable(state: CleanableState): CleanableRange {
  const firstDirtyOffset = firstDirty(state)
  const endOffset = findEnd(state, Math.max(firstDirtyOffset, firstUncleanable(state)))
  const inactive = state.segments.slice(0, -1)
  const cleanBytes = sumBytes(inactive.filter(({ baseOffset }) => baseOffset < firstDirtyOffset))
  const dirtyFrom = Math.min(firstDirtyOffset, endOffset)
  const dirtyBytes = sumBytes(
    segmentsFrom(inactive, dirtyFrom).filter(({ baseOffset }) => baseOffset < endOffset),
  )
  const totalBytes = cleanBytes + dirtyBytes
  const dirtyRatio = totalBytes === 0 ? 0 : dirtyBytes / totalBytes
  return { firstDirtyOffset, endOffset, dirtyBytes, dirtyRatio, overdueMs: findOverdue(state) }
}

/** Whether the log is to be compacted now: dirty enough, or its oldest dirty record has waited too long. */
export function isDue(range: CleanableRange, config: LogConfig): boolean {
  if (range.dirtyBytes === 0) return false
  return range.overdueMs > 0 || range.dirtyRatio > config.minCleanableDirtyRatio
}

/** A checkpoint outside the log tells nothing: all of it may be dirty. */
function firstDirty({ cleanedOffset, logStartOffset, logEndOffset }: CleanableState): number {
  const isInside = cleanedOffset >= logStartOffset && cleanedOffset <= logEndOffset
  return isInside ? cleanedOffset : logStartOffset
}

function firstUncleanable(state: CleanableState): number {
  const { segments, stableOffset, config, nowMs } = state
  const active = segments[segments.length - 1]
  const bound = Math.min(stableOffset, active.baseOffset)
  if (config.minCompactionLagMs <= 0) return bound
  const youngestMs = nowMs - config.minCompactionLagMs
  const dirty = segmentsFrom(segments.slice(0, -1), firstDirty(state))
  const young = dirty.find(({ newest }) => newest.timestamp > youngestMs)
  return young === undefined ? bound : Math.min(bound, young.baseOffset)
}

/** Only whole segments are compacted: the end is where the one begins that holds `offset`. */
function findEnd({ segments }: CleanableState, offset: number): number {
  const inactive = segments.slice(0, -1)
  return (segmentsFrom(inactive, offset)[0] ?? segments[segments.length - 1]).baseOffset
}

function findOverdue(state: CleanableState): number {
  const { config, nowMs } = state
  if (config.maxCompactionLagMs === Infinity) return 0
  const dirty = segmentsFrom(state.segments.slice(0, -1), firstDirty(state))
  const dueMs = nowMs - config.maxCompactionLagMs
  let oldestMs = Infinity
  for (const segment of dirty) {
    const timestamp = segment.firstBatchTimestamp()
    if (timestamp > 0) oldestMs = Math.min(oldestMs, timestamp)
  }
  return Math.max(dueMs - oldestMs, 0)
}

/** Those that hold `offset` or something behind it; a segment reaches to where the next one begins. */
function segmentsFrom(segments: readonly Segment[], offset: number): readonly Segment[] {
  return segments.filter((segment, index) => {
    const endOffset = segments[index + 1]?.baseOffset ?? segment.nextOffset
    return endOffset > offset
  })
}

function sumBytes(segments: readonly Segment[]): number {
  return segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}
