import type { Partitioner } from './partitioner'
import type { PathFormat } from './path-format'
import type { ToLocal } from './time-zone'
import type { TimestampExtractor } from './timestamp-extractor'

export interface TimeRules {
  readonly extract: TimestampExtractor
  readonly toLocal: ToLocal
  readonly format: PathFormat
  /** Length of what shares a folder: times are rounded down to it, by the clock of the zone. */
  readonly durationMs: number
}

/** Folders by time: `year=2026/month=08/day=07/hour=13`. */
export function timePartitioner({ extract, toLocal, format, durationMs }: TimeRules): Partitioner {
  let last = { localMs: Number.NaN, folder: '' }
  return (record, nowMs) => {
    const local = toLocal(extract(record, nowMs))
    const localMs = Math.floor(local / durationMs) * durationMs
    if (localMs !== last.localMs) last = { localMs, folder: format(localMs) }
    return last.folder
  }
}
