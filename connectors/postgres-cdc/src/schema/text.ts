import { Decimal } from '@millrace/connect-api'

/**
 * Decoders of Postgres' text format, straight from the bytes of a cell. They rely on the session settings of `SESSION_SETTINGS`
 * in ../session.ts: ISO dates, time zone UTC, hex bytea, style `postgres` for intervals, locale C for money.
 */
export type DecodeText = (buffer: Buffer, start: number, stop: number) => unknown

/** Node's own slicing, without the argument checks of toString: a fifth of the cost of a short cell. */
interface SliceableBuffer {
  utf8Slice(start: number, stop: number): string
  latin1Slice(start: number, stop: number): string
}

const MINUS = 0x2d
const DOT = 0x2e
const ZERO = 0x30
const COLON = 0x3a
const LETTER_C = 0x43
const LETTER_I = 0x69
const LETTER_T = 0x74

export function decodeString(buffer: Buffer, start: number, stop: number): string {
  return (buffer as unknown as SliceableBuffer).utf8Slice(start, stop)
}

/** Text that is known to be ASCII. */
export function decodeAscii(buffer: Buffer, start: number, stop: number): string {
  return (buffer as unknown as SliceableBuffer).latin1Slice(start, stop)
}

export function decodeBoolean(buffer: Buffer, start: number): boolean {
  return buffer[start] === LETTER_T
}

/** A whole number of at most 15 digits. */
export function decodeInt(buffer: Buffer, start: number, stop: number): number {
  const isNegative = buffer[start] === MINUS
  let value = 0
  for (let at = isNegative ? start + 1 : start; at < stop; at++) {
    value = value * 10 + (buffer[at] - ZERO)
  }
  return isNegative ? -value : value
}

/** A number while it is a safe integer, else a bigint. */
export function decodeLong(buffer: Buffer, start: number, stop: number): number | bigint {
  if (stop - start <= 15) return decodeInt(buffer, start, stop)
  return safeLong(BigInt(decodeAscii(buffer, start, stop)))
}

/** `NaN`, `Infinity` and `-Infinity` are written as JavaScript writes them. */
export function decodeFloat(buffer: Buffer, start: number, stop: number): number {
  return Number(decodeAscii(buffer, start, stop))
}

export function decodeHexBytes(buffer: Buffer, start: number, stop: number): Buffer {
  return Buffer.from(decodeAscii(buffer, start + 2, stop), 'hex')
}

/** Debezium's names of what is no number. */
const SPECIAL_NUMBERS: ReadonlyMap<string, string> = new Map([
  ['NaN', 'NAN'],
  ['Infinity', 'POSITIVE_INFINITY'],
  ['-Infinity', 'NEGATIVE_INFINITY'],
])

/** A number as its text. */
export function decodeNumberText(buffer: Buffer, start: number, stop: number): string {
  const text = decodeAscii(buffer, start, stop)
  return SPECIAL_NUMBERS.get(text) ?? text
}

/** Numbers of one fixed scale, as `numeric(p,s)` prints them; null for NaN and the infinities, which Decimal cannot hold. */
export function decimalDecoder(scale: number): DecodeText {
  if (scale < 0) {
    return (buffer, start, stop) =>
      parseDecimal(decodeAscii(buffer, start, stop))?.withScale(scale) ?? null
  }
  return (buffer, start, stop) => {
    if (stop - start > 15 || isSpecialNumber(buffer, start)) {
      return parseDecimal(decodeAscii(buffer, start, stop))?.withScale(scale) ?? null
    }
    return new Decimal(BigInt(decodeDigits(buffer, start, stop)), scale)
  }
}

/** Null for NaN and the infinities. */
export function parseDecimal(text: string): Decimal | null {
  return text === 'NaN' || text.endsWith('Infinity') ? null : Decimal.parse(text)
}

function isSpecialNumber(buffer: Buffer, start: number): boolean {
  return buffer[start] > 0x39 || (buffer[start] === MINUS && buffer[start + 1] > 0x39)
}

/** The digits as one whole number, the point left out. */
function decodeDigits(buffer: Buffer, start: number, stop: number): number {
  const isNegative = buffer[start] === MINUS
  let value = 0
  for (let at = isNegative ? start + 1 : start; at < stop; at++) {
    const byte = buffer[at]
    if (byte !== DOT) value = value * 10 + (byte - ZERO)
  }
  return isNegative ? -value : value
}

/** `$1,234.50` or `-$0.05` in locale C: always two digits after the point. */
export function decodeMoneyCents(buffer: Buffer, start: number, stop: number): bigint {
  return BigInt(decodeAscii(buffer, start, stop).replace(/[$,.]/g, ''))
}

const MICROS_PER_DAY = 86_400_000_000
/** Beyond these days the microseconds pass 2^53. */
const SAFE_DAYS = 104_000
/** Java's and Debezium's stand-ins for `infinity`: the limits of the JDBC driver, in microseconds. */
const POSITIVE_INFINITY_MICROS = 9_223_372_036_825_200_000n
const NEGATIVE_INFINITY_MICROS = -9_223_372_036_832_400_000n
const POSITIVE_INFINITY_DAYS = 2 ** 31 - 1
const NEGATIVE_INFINITY_DAYS = -(2 ** 31)

/** Where `decodeDays` stopped reading: a timestamp goes on there. A module variable, so that no pair is made per cell. */
let dateStop = 0

/** Days since 1970-01-01; the limits of int32 for the infinities. */
export function decodeDays(buffer: Buffer, start: number, stop: number): number {
  if (buffer[start] === LETTER_I) return POSITIVE_INFINITY_DAYS
  if (buffer[start] === MINUS) return NEGATIVE_INFINITY_DAYS
  let year = 0
  let at = start
  for (; buffer[at] !== MINUS; at++) year = year * 10 + (buffer[at] - ZERO)
  if (buffer[stop - 1] === LETTER_C) year = 1 - year
  dateStop = at + 6
  return daysOf(year, twoDigits(buffer, at + 1), twoDigits(buffer, at + 4))
}

/** Microseconds since the epoch, read as if the time were UTC. */
export function decodeTimestampMicros(
  buffer: Buffer,
  start: number,
  stop: number,
): number | bigint {
  if (buffer[start] === LETTER_I) return POSITIVE_INFINITY_MICROS
  if (buffer[start] === MINUS) return NEGATIVE_INFINITY_MICROS
  const days = decodeDays(buffer, start, stop)
  const micros = decodeTimeMicros(buffer, dateStop + 1, stop)
  if (days > -SAFE_DAYS && days < SAFE_DAYS) return days * MICROS_PER_DAY + micros
  return safeLong(BigInt(days) * BigInt(MICROS_PER_DAY) + BigInt(micros))
}

export function decodeTimestampMillis(
  buffer: Buffer,
  start: number,
  stop: number,
): number | bigint {
  const micros = decodeTimestampMicros(buffer, start, stop)
  if (typeof micros === 'number') return Math.floor(micros / 1000)
  return safeLong(micros / 1000n - (micros % 1000n < 0n ? 1n : 0n))
}

const DATE_LIMIT_MILLIS = 8_640_000_000_000_000

/** A Date, cut to milliseconds and to the range of Date. */
export function decodeTimestampDate(buffer: Buffer, start: number, stop: number): Date {
  const millis = Number(decodeTimestampMillis(buffer, start, stop))
  return new Date(Math.max(-DATE_LIMIT_MILLIS, Math.min(DATE_LIMIT_MILLIS, millis)))
}

/** Microseconds of the day of `HH:MM:SS[.ffffff]`, ending at anything that is no digit; 24:00:00 is a whole day. */
export function decodeTimeMicros(buffer: Buffer, start: number, stop: number): number {
  const seconds =
    twoDigits(buffer, start) * 3600 +
    twoDigits(buffer, start + 3) * 60 +
    twoDigits(buffer, start + 6)
  let micros = 0
  let unit = 100_000
  if (start + 8 < stop && buffer[start + 8] === DOT) {
    for (let at = start + 9; at < stop && isDigit(buffer[at]); at++, unit /= 10) {
      micros += (buffer[at] - ZERO) * unit
    }
  }
  return seconds * 1_000_000 + micros
}

const FRACTION_PADDING = ['000000', '00000', '0000', '000', '00', '0', '']

/** `2024-02-29T12:00:00.120000Z` with `precision` digits of fraction; the infinities stay words. */
export function zonedTimestampDecoder(precision: number): DecodeText {
  return (buffer, start, stop) => {
    if (buffer[start] === LETTER_I) return 'infinity'
    if (buffer[start] === MINUS) return '-infinity'
    decodeDays(buffer, start, stop)
    const date = isoDate(buffer, start, stop)
    const timeStart = dateStop + 1
    const fractionStop = skipDigits(buffer, timeStart + 9, stop)
    const hasFraction = buffer[timeStart + 8] === DOT
    const time = decodeAscii(buffer, timeStart, hasFraction ? fractionStop : timeStart + 8)
    if (precision === 0) return `${date}T${time}Z`
    const digits = hasFraction ? fractionStop - timeStart - 9 : 0
    const padding = FRACTION_PADDING[6 - precision + digits]
    return `${date}T${time}${hasFraction ? '' : '.'}${padding}Z`
  }
}

/** The date part as ISO 8601 has it: the year before 1 is 0000, years beyond 9999 have a sign. */
function isoDate(buffer: Buffer, start: number, stop: number): string {
  const text = decodeAscii(buffer, start, dateStop)
  const isBeforeChrist = buffer[stop - 1] === LETTER_C
  if (!isBeforeChrist) return dateStop - start === 10 ? text : `+${text}`
  const monthAndDay = text.slice(-6)
  const year = Number(text.slice(0, -6)) - 1
  return `${year === 0 ? '' : '-'}${String(year).padStart(4, '0')}${monthAndDay}`
}

/** `12:30:00.5+02` in GMT: `10:30:00.5Z`. */
export function decodeZonedTime(buffer: Buffer, start: number, stop: number): string {
  let at = skipDigits(buffer, start + 9, stop)
  if (buffer[start + 8] !== DOT) at = start + 8
  const sign = buffer[at] === MINUS ? -1 : 1
  let offsetSeconds = twoDigits(buffer, at + 1) * 3600
  if (buffer[at + 3] === COLON && at + 3 < stop) offsetSeconds += twoDigits(buffer, at + 4) * 60
  if (buffer[at + 6] === COLON && at + 6 < stop) offsetSeconds += twoDigits(buffer, at + 7)
  const local = decodeTimeMicros(buffer, start, stop)
  const micros = local - sign * offsetSeconds * 1_000_000
  return `${formatTime((micros + 2 * MICROS_PER_DAY) % MICROS_PER_DAY)}Z`
}

function formatTime(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000)
  const fraction = String(micros % 1_000_000)
    .padStart(6, '0')
    .replace(/0+$/, '')
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const clock = parts.map((part) => String(part).padStart(2, '0')).join(':')
  return fraction === '' ? clock : `${clock}.${fraction}`
}

/** A bigint only where a number would not be exact. */
export function safeLong(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** Days since 1970-01-01 in the proleptic Gregorian calendar: counts from 1 March, so that the leap day is the last of its year. */
function daysOf(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1
  const era = Math.floor(marchYear / 400)
  const yearOfEra = marchYear - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

function twoDigits(buffer: Buffer, at: number): number {
  return (buffer[at] - ZERO) * 10 + (buffer[at + 1] - ZERO)
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39
}

function skipDigits(buffer: Buffer, start: number, stop: number): number {
  let at = start
  while (at < stop && isDigit(buffer[at])) at++
  return at
}
