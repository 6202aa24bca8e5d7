/** Clocks are set forward or back only at whole quarters of an hour. */
const QUARTER_MS = 900_000
/** Quarters whose offset is remembered: more than 11 days of records out of order. */
const KNOWN_QUARTERS_MAX = 1024

/** Turns a moment into the local time of a zone, as milliseconds as if that were UTC. */
export type ToLocal = (utcMs: number) => number

/** Null if the zone is not known. `UTC`, `Europe/Berlin`, `+02:00`. */
export function parseTimeZone(name: string): ToLocal | null {
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'iso8601',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
  } catch {
    return null
  }
  const offsets = new Map<number, number>()
  return (utcMs) => {
    const quarter = Math.floor(utcMs / QUARTER_MS)
    let offsetMs = offsets.get(quarter)
    if (offsetMs === undefined) {
      offsetMs = localMs(format, quarter * QUARTER_MS) - quarter * QUARTER_MS
      if (offsets.size >= KNOWN_QUARTERS_MAX) offsets.clear()
      offsets.set(quarter, offsetMs)
    }
    return utcMs + offsetMs
  }
}

function localMs(format: Intl.DateTimeFormat, utcMs: number): number {
  const parts: Record<string, number> = {}
  for (const { type, value } of format.formatToParts(utcMs)) parts[type] = Number(value)
  return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second)
}
