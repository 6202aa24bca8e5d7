/** When objects are complete. Times are milliseconds; -1 switches a rule off. */
export interface RotationRules {
  readonly flushSize: number
  readonly rotateIntervalMs: number
  readonly rotateScheduleIntervalMs: number
}

/** What is known of the open objects of a topic partition. */
export interface OpenSpan {
  readonly recordCount: number
  readonly firstTimestamp: number | null
  /** Wall clock at which the schedule closes them; Infinity without a schedule. */
  readonly closesAtMs: number
}

/** Whether they must be closed before a record of this timestamp. Depends on records only, so that a replay decides alike. */
export function isSpanExceeded(
  rules: RotationRules,
  open: OpenSpan,
  timestamp: number | null,
): boolean {
  if (rules.rotateIntervalMs <= 0 || open.firstTimestamp === null || timestamp === null)
    return false
  return timestamp - open.firstTimestamp >= rules.rotateIntervalMs
}

export function isFull(rules: RotationRules, open: OpenSpan): boolean {
  return open.recordCount >= rules.flushSize
}

/** The next multiple of the schedule's interval since the epoch; Infinity without a schedule. */
export function scheduledCloseMs(rules: RotationRules, nowMs: number): number {
  const interval = rules.rotateScheduleIntervalMs
  return interval <= 0 ? Number.POSITIVE_INFINITY : (Math.floor(nowMs / interval) + 1) * interval
}
