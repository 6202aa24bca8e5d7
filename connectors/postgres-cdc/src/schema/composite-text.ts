/** Parsers of cells whose text has a grammar of its own: arrays, hstore, intervals, bit strings, points. Not hot. */

export interface Interval {
  readonly months: number
  readonly days: number
  readonly micros: number
}

/**
 * The elements of `{1,"a b",NULL}` as texts. Elements of nested arrays follow one another: Connect's arrays here have one dimension.
 * `[0:1]={..}` bounds are skipped.
 */
export function parseArray(text: string, delimiter = ','): (string | null)[] {
  const elements: (string | null)[] = []
  let at = text.indexOf('{')
  while (at < text.length) {
    const char = text[at]
    if (char === '{' || char === '}' || char === delimiter) {
      at++
    } else if (char === '"') {
      const [element, next] = readQuoted(text, at)
      elements.push(element)
      at = next
    } else {
      let stop = at
      while (text[stop] !== delimiter && text[stop] !== '}' && stop < text.length) stop++
      const element = text.slice(at, stop)
      elements.push(element === 'NULL' ? null : element)
      at = stop
    }
  }
  return elements
}

/** `"a"=>"1", "b"=>NULL` as entries. */
export function parseHstore(text: string): [string, string | null][] {
  const entries: [string, string | null][] = []
  let at = 0
  while (at < text.length) {
    if (text[at] !== '"') {
      at++
      continue
    }
    const [key, afterKey] = readQuoted(text, at)
    const valueStart = afterKey + 2
    if (text[valueStart] === '"') {
      const [value, next] = readQuoted(text, valueStart)
      entries.push([key, value])
      at = next
    } else {
      entries.push([key, null])
      at = valueStart + 4
    }
  }
  return entries
}

/** Reads from an opening quote; the second value is the position after the closing one. */
function readQuoted(text: string, start: number): [string, number] {
  let value = ''
  let at = start + 1
  for (; at < text.length && text[at] !== '"'; at++) {
    if (text[at] === '\\') at++
    value += text[at]
  }
  return [value, at + 1]
}

const INTERVAL =
  /^(?:(-?\+?\d+) years? ?)?(?:(-?\+?\d+) mons? ?)?(?:(-?\+?\d+) days? ?)?(?:([+-]?)(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?$/

/** `1 year 2 mons -3 days +04:05:06.789`; null for the infinities. */
export function parseInterval(text: string): Interval | null {
  const match = INTERVAL.exec(text)
  if (match === null) return null
  const [, years, months, days, sign, hours, minutes, seconds, fraction] = match
  const time =
    (Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0)) * 1_000_000 +
    Number((fraction ?? '').padEnd(6, '0'))
  return {
    months: Number(years ?? 0) * 12 + Number(months ?? 0),
    days: Number(days ?? 0),
    micros: sign === '-' ? -time : time,
  }
}

const DAYS_PER_MONTH = 365.25 / 12
const SECONDS_PER_DAY = 86_400

/** Microseconds, with a month taken as 365.25 / 12 days. */
export function intervalMicros({ months, days, micros }: Interval): bigint {
  const seconds = Math.round(months * DAYS_PER_MONTH * SECONDS_PER_DAY)
  return BigInt(seconds + days * SECONDS_PER_DAY) * 1_000_000n + BigInt(micros)
}

/** `P1Y2M3DT4H5M6.78S`: every part is there, also when it is zero. */
export function intervalIso({ months, days, micros }: Interval): string {
  const size = Math.abs(micros)
  const sign = micros < 0 ? '-' : ''
  const part = (value: number) => (value === 0 ? '0' : `${sign}${value}`)
  const fraction = String(size % 1_000_000)
    .padStart(6, '0')
    .replace(/0+$/, '')
  const whole = Math.floor(size / 1_000_000)
  const seconds = `${size % 60_000_000 === 0 ? '' : sign}${whole % 60}${fraction === '' ? '' : `.${fraction}`}`
  return (
    `P${Math.trunc(months / 12)}Y${months % 12}M${days}D` +
    `T${part(Math.floor(whole / 3600))}H${part(Math.floor(whole / 60) % 60)}M${seconds}S`
  )
}

/** `10110` as bytes, least significant first. */
export function parseBits(text: string): Buffer {
  const bytes = Buffer.alloc(Math.ceil(text.length / 8))
  for (let bit = 0; bit < text.length; bit++) {
    if (text[text.length - 1 - bit] === '1') bytes[bit >> 3] |= 1 << (bit & 7)
  }
  return bytes
}

/** `(1.5,-2)` as Debezium's Point: the coordinates and their little-endian WKB. */
export function parsePoint(text: string): { x: number; y: number; wkb: Buffer; srid: null } {
  const [x, y] = text.slice(1, -1).split(',').map(Number)
  const wkb = Buffer.alloc(21)
  wkb.writeUInt8(1, 0)
  wkb.writeUInt32LE(1, 1)
  wkb.writeDoubleLE(x, 5)
  wkb.writeDoubleLE(y, 13)
  return { x, y, wkb, srid: null }
}
