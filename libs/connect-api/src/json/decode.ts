import { Decimal } from '../decimal'
import { RecordError } from '../errors'
import type { Value } from '../record'
import { LOGICAL, type Schema } from '../schema'

/** Sixteen digits in a row may be a number that a double cannot hold. */
const MAYBE_UNSAFE_NUMBER = /\d{16}/
/** Begins the string that stands for an unsafe number between two steps; a private-use character. */
const MARK = '\uE000'
const MARK_CODE = 0xe000
/** Texts in which a mark, or what becomes one, could be confused; or where assigning a member does something else. */
const MAYBE_CONFUSED = /\uE000|\\u[eE]000|__proto__/

/**
 * Parses JSON text without losing digits: whole numbers beyond the safe range become bigints, and with `keepDecimals`
 * every number with a fraction becomes a Decimal.
 * @throws RecordError if the text is not JSON
 */
export function parseJson(text: string, keepDecimals = false): Value {
  try {
    if (keepDecimals) return parseSlowly(text, true)
    return MAYBE_UNSAFE_NUMBER.test(text) ? parseUnsafe(text) : JSON.parse(text)
  } catch (cause) {
    throw new RecordError('the bytes are not valid JSON', { cause })
  }
}

/**
 * Change events carry times in nanoseconds, which no double holds. A reviver makes JSON.parse many times slower, so such numbers
 * are made strings before, and bigints after.
 */
function parseUnsafe(text: string): Value {
  if (MAYBE_CONFUSED.test(text)) return parseSlowly(text, false)
  const marked = markUnsafeNumbers(text)
  if (marked === text) return JSON.parse(text)
  return restoreMarked(JSON.parse(marked))
}

const QUOTE = 0x22
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
const BACKSLASH = 0x5c
/** `.`, `e`, `E`, `+` and `-`. */
const OTHER_NUMBER_CODES = new Set([0x2e, 0x65, 0x45, 0x2b, MINUS])
/** A shorter whole number is always safe. */
const UNSAFE_DIGITS_MIN = 16

/** The text with each unsafe whole number as a string that begins with the mark; what is not JSON stays that way. */
function markUnsafeNumbers(text: string): string {
  let marked = ''
  let copiedTo = 0
  let at = 0
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      at = skipString(text, at + 1)
    } else if (code === MINUS || (code >= ZERO && code <= NINE)) {
      const start = at
      at = skipNumber(text, at + 1)
      if (at - start < UNSAFE_DIGITS_MIN) continue
      const digits = text.slice(start, at)
      const isMarked = isUnsafeInteger(digits) && text.charCodeAt(at) !== COLON
      if (!isMarked) continue
      marked += `${text.slice(copiedTo, start)}"${MARK}${digits}"`
      copiedTo = at
    } else {
      at += 1
    }
  }
  return copiedTo === 0 ? text : marked + text.slice(copiedTo)
}

/** The position after the quote that ends the string. */
function skipString(text: string, start: number): number {
  let at = start
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at + 1
    at += code === BACKSLASH ? 2 : 1
  }
  return at
}

/** The position after everything that can belong to a number. */
function skipNumber(text: string, start: number): number {
  let at = start
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    const isDigit = code >= ZERO && code <= NINE
    if (!isDigit && !OTHER_NUMBER_CODES.has(code)) break
  }
  return at
}

function isUnsafeInteger(digits: string): boolean {
  return /^-?[1-9]\d*$/.test(digits) && !Number.isSafeInteger(Number(digits))
}

function restoreMarked(value: Value): Value {
  if (typeof value === 'string') {
    return value.charCodeAt(0) === MARK_CODE ? BigInt(value.slice(1)) : value
  }
  if (typeof value !== 'object' || value === null) return value
  const members = value as Record<string, Value>
  for (const name in members) {
    const member = members[name]
    if (typeof member === 'string' || typeof member === 'object')
      members[name] = restoreMarked(member)
  }
  return value
}

function parseSlowly(text: string, keepDecimals: boolean): Value {
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && context?.source !== undefined
      ? exactNumber(value, context.source, keepDecimals)
      : value,
  )
}

function exactNumber(value: number, source: string, keepDecimals: boolean): Value {
  if (/^-?\d+$/.test(source)) return Number.isSafeInteger(value) ? value : BigInt(source)
  return keepDecimals ? Decimal.parse(source) : value
}

/** Turns parsed JSON into a value of the schema. @throws RecordError naming the field, never the value */
export function decodeValue(schema: Schema, json: Value, path = schema.name ?? schema.type): Value {
  if (json === null || json === undefined) {
    if (schema.default !== undefined && schema.default !== null) return schema.default
    if (schema.optional) return null
    throw new RecordError(`${path} is null but neither optional nor defaulted`)
  }
  const logical = schema.name === null ? undefined : LOGICAL_DECODERS[schema.name]
  if (logical !== undefined) return logical(schema, json, path)
  switch (schema.type) {
    case 'string':
      return typeof json === 'string' ? json : mismatch(schema, json, path)
    case 'boolean':
      return typeof json === 'boolean' ? json : mismatch(schema, json, path)
    case 'int8':
    case 'int16':
    case 'int32':
      return Number.isInteger(json) ? json : mismatch(schema, json, path)
    case 'int64':
      return typeof json === 'bigint' || Number.isInteger(json)
        ? json
        : mismatch(schema, json, path)
    case 'float32':
    case 'float64':
      return asFloat(json) ?? mismatch(schema, json, path)
    case 'bytes':
      return typeof json === 'string' ? Buffer.from(json, 'base64') : mismatch(schema, json, path)
    case 'array':
      if (!Array.isArray(json)) return mismatch(schema, json, path)
      return json.map((element) => decodeValue(schema.valueSchema!, element, `${path}[]`))
    case 'map':
      return decodeMap(schema, json, path)
    case 'struct':
      return decodeStruct(schema, json, path)
  }
}

function decodeMap(schema: Schema, json: Value, path: string): Map<Value, Value> {
  const isObject = schema.keySchema!.type === 'string' && !schema.keySchema!.optional
  if (typeof json !== 'object' || isObject === Array.isArray(json))
    return mismatch(schema, json, path)
  const entries = isObject ? Object.entries(json as object) : (json as Value[])
  return new Map(
    entries.map((entry) => {
      if (!Array.isArray(entry) || entry.length !== 2) return mismatch(schema, json, path)
      const key = decodeValue(schema.keySchema!, entry[0], `${path} (key)`)
      return [key, decodeValue(schema.valueSchema!, entry[1], `${path} (value)`)]
    }),
  )
}

function decodeStruct(schema: Schema, json: Value, path: string): Record<string, Value> {
  if (typeof json !== 'object' || Array.isArray(json)) return mismatch(schema, json, path)
  const value: Record<string, Value> = {}
  for (const field of schema.fields) {
    const member = (json as Record<string, Value>)[field.name]
    value[field.name] = decodeValue(field.schema, member, `${path}.${field.name}`)
  }
  return value
}

type LogicalDecoder = (schema: Schema, json: Value, path: string) => Value

const MS_PER_DAY = 86_400_000

const LOGICAL_DECODERS: Readonly<Record<string, LogicalDecoder | undefined>> = {
  [LOGICAL.decimal]: (schema, json, path) => {
    const scale = Number(schema.parameters?.scale ?? 0)
    if (typeof json === 'string') return Decimal.fromBytes(Buffer.from(json, 'base64'), scale)
    if (json instanceof Decimal) return json.withScale(scale)
    if (typeof json === 'bigint' || typeof json === 'number') {
      return Decimal.parse(String(json)).withScale(scale)
    }
    return mismatch(schema, json, path)
  },
  [LOGICAL.date]: (schema, json, path) => dateOf(schema, json, path, MS_PER_DAY),
  [LOGICAL.time]: (schema, json, path) => dateOf(schema, json, path, 1),
  [LOGICAL.timestamp]: (schema, json, path) => dateOf(schema, json, path, 1),
}

function dateOf(schema: Schema, json: Value, path: string, factor: number): Date {
  return Number.isInteger(json) ? new Date((json as number) * factor) : mismatch(schema, json, path)
}

/** Java writes NaN and the infinities as strings. */
function asFloat(json: Value): number | null {
  if (typeof json === 'number') return json
  if (typeof json === 'bigint' || json instanceof Decimal) return Number(json.toString())
  return json === 'NaN' || json === 'Infinity' || json === '-Infinity' ? Number(json) : null
}

function mismatch(schema: Schema, json: Value, path: string): never {
  const actual = Array.isArray(json) ? 'array' : typeof json
  throw new RecordError(`${path} should be ${schema.type} but the JSON has ${actual}`)
}
