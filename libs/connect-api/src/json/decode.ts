import { Decimal } from '../decimal'
import { RecordError } from '../errors'
import type { Value } from '../record'
import { LOGICAL, type Schema } from '../schema'

/** Sixteen digits in a row may be a number that a double cannot hold. */
const MAYBE_UNSAFE_NUMBER = /\d{16}/

/**
 * Parses JSON text without losing digits: whole numbers beyond the safe range become bigints, and with `keepDecimals`
 * every number with a fraction becomes a Decimal.
 * @throws RecordError if the text is not JSON
 */
export function parseJson(text: string, keepDecimals = false): Value {
  try {
    if (!keepDecimals && !MAYBE_UNSAFE_NUMBER.test(text)) return JSON.parse(text)
    return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) =>
      typeof value === 'number' && context?.source !== undefined
        ? exactNumber(value, context.source, keepDecimals)
        : value,
    )
  } catch (cause) {
    throw new RecordError('the bytes are not valid JSON', { cause })
  }
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
