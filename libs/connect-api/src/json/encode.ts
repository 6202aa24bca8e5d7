import { Decimal } from '../decimal'
import { RecordError } from '../errors'
import type { Value } from '../record'
import { LOGICAL, type Schema } from '../schema'

export type DecimalFormat = 'BASE64' | 'NUMERIC'

export interface JsonOptions {
  /** How Decimal values are written: base64 of the unscaled bytes, or a JSON number with all digits. */
  readonly decimalFormat: DecimalFormat
  /** Whether null becomes the schema's default, as Connect does unless told otherwise. */
  readonly replaceNullWithDefault: boolean
}

/** Turns one value into JSON text. @throws RecordError naming the field, never the value */
export type ValueEncoder = (value: Value) => string

const caches = new Map<string, WeakMap<Schema, ValueEncoder>>()

/** The encoder of a schema, built on first use and kept as long as the schema is. */
export function valueEncoder(schema: Schema, options: JsonOptions): ValueEncoder {
  const cache = cacheFor(options)
  let encoder = cache.get(schema)
  if (encoder === undefined) {
    encoder = buildEncoder(schema, options, schema.name ?? schema.type)
    cache.set(schema, encoder)
  }
  return encoder
}

/** A value without a schema as JSON text: what JSON.stringify does, with bigints, Buffers, Maps, Dates and Decimals. */
export function encodeSchemaless(value: Value): string {
  switch (typeof value) {
    case 'string':
      return quote(value)
    case 'number':
      return Number.isFinite(value) ? String(value) : `"${value}"`
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'object':
      return value === null ? 'null' : encodeSchemalessObject(value)
    default:
      throw new RecordError(`a value of JavaScript type ${typeof value} has no JSON form`)
  }
}

/** A JSON string literal. Most strings need no escape, and a test is much cheaper than JSON.stringify. */
export function quote(text: string): string {
  return NEEDS_ESCAPE.test(text) ? JSON.stringify(text) : `"${text}"`
}

// What JSON must escape; the surrogates because a lone one has no UTF-8 form.
const NEEDS_ESCAPE = /[\u0000-\u001f"\\\ud800-\udfff]/

function encodeSchemalessObject(value: object): string {
  if (Object.getPrototypeOf(value) === Object.prototype)
    return encodePlainObject(value as Readonly<Record<string, Value>>)
  if (Array.isArray(value)) return `[${value.map(encodeSchemaless).join(',')}]`
  if (Buffer.isBuffer(value)) return `"${value.toString('base64')}"`
  if (value instanceof Decimal) return value.toString()
  if (value instanceof Date) return String(value.getTime())
  if (value instanceof Map) return encodeSchemalessMap(value)
  return encodePlainObject({ ...value })
}

/** By far most values are such. The native function is the fastest for a flat one, one concatenation per member for any other. */
function encodePlainObject(value: Readonly<Record<string, Value>>): string {
  if (isFlatJson(value)) return JSON.stringify(value)
  let text = ''
  for (const name in value) {
    const member = value[name]
    if (member === undefined) continue
    text += `${text === '' ? '{' : ','}${quote(name)}:${encodeSchemaless(member)}`
  }
  return text === '' ? '{}' : `${text}}`
}

/** Whether JSON.stringify writes exactly what we do: no member is of a type of ours, or an object that may hold one. */
function isFlatJson(value: Readonly<Record<string, Value>>): boolean {
  for (const name in value) {
    const member = value[name]
    const type = typeof member
    if (type === 'string' || type === 'boolean' || member === null) continue
    if (type !== 'number' || !Number.isFinite(member)) return false
  }
  return true
}

function encodeSchemalessMap(map: ReadonlyMap<Value, Value>): string {
  const entries = [...map]
  if (entries.some(([key]) => typeof key !== 'string'))
    return `[${entries.map((entry) => encodeSchemaless(entry)).join(',')}]`
  return encodePlainObject(Object.fromEntries(entries) as Readonly<Record<string, Value>>)
}

function cacheFor(options: JsonOptions): WeakMap<Schema, ValueEncoder> {
  const id = `${options.decimalFormat},${options.replaceNullWithDefault}`
  let cache = caches.get(id)
  if (cache === undefined) caches.set(id, (cache = new WeakMap()))
  return cache
}

function buildEncoder(schema: Schema, options: JsonOptions, path: string): ValueEncoder {
  const encodeValue = buildNonNullEncoder(schema, options, path)
  const nullText = textOfNull(schema, options, encodeValue)
  return (value) => {
    if (value !== null && value !== undefined) return encodeValue(value)
    if (nullText === null)
      throw new RecordError(`${path} is null but neither optional nor defaulted`)
    return nullText
  }
}

function textOfNull(
  schema: Schema,
  options: JsonOptions,
  encodeValue: ValueEncoder,
): string | null {
  const hasDefault = schema.default !== undefined && schema.default !== null
  if (hasDefault && options.replaceNullWithDefault) return encodeValue(schema.default)
  return schema.optional ? 'null' : null
}

function buildNonNullEncoder(schema: Schema, options: JsonOptions, path: string): ValueEncoder {
  const logical = schema.name === null ? undefined : LOGICAL_ENCODERS[schema.name]
  if (logical !== undefined) return logical(schema, options, path)
  switch (schema.type) {
    case 'string':
      return (value) => quote(expect('string', value, path))
    case 'boolean':
      return (value) => (expect('boolean', value, path) ? 'true' : 'false')
    case 'int8':
    case 'int16':
    case 'int32':
      return (value) => String(expect('number', value, path))
    case 'int64':
      return (value) => {
        if (typeof value !== 'number' && typeof value !== 'bigint') wrongType(path, 'int64', value)
        return String(value)
      }
    case 'float32':
    case 'float64':
      return (value) => {
        const number = expect('number', value, path)
        return Number.isFinite(number) ? String(number) : `"${number}"`
      }
    case 'bytes':
      return (value) => `"${asBuffer(value, path).toString('base64')}"`
    case 'array':
      return buildArrayEncoder(schema, options, path)
    case 'map':
      return buildMapEncoder(schema, options, path)
    case 'struct':
      return buildStructEncoder(schema, options, path)
  }
}

function buildArrayEncoder(schema: Schema, options: JsonOptions, path: string): ValueEncoder {
  const element = buildEncoder(schema.valueSchema!, options, `${path}[]`)
  return (value) => {
    if (!Array.isArray(value)) wrongType(path, 'array', value)
    let text = '['
    for (let index = 0; index < value.length; index += 1) {
      text += index === 0 ? element(value[index]) : `,${element(value[index])}`
    }
    return `${text}]`
  }
}

/** A map with string keys is a JSON object, any other an array of pairs. */
function buildMapEncoder(schema: Schema, options: JsonOptions, path: string): ValueEncoder {
  const encodeKey = buildEncoder(schema.keySchema!, options, `${path} (key)`)
  const encodeMember = buildEncoder(schema.valueSchema!, options, `${path} (value)`)
  const isObject = schema.keySchema!.type === 'string' && !schema.keySchema!.optional
  return (value) => {
    if (!(value instanceof Map)) wrongType(path, 'Map', value)
    const parts: string[] = []
    for (const [key, member] of value) {
      parts.push(
        isObject
          ? `${encodeKey(key)}:${encodeMember(member)}`
          : `[${encodeKey(key)},${encodeMember(member)}]`,
      )
    }
    return isObject ? `{${parts.join(',')}}` : `[${parts.join(',')}]`
  }
}

/**
 * A generated function: property reads by constant name and one string concatenation per field, which is several times
 * faster than a loop over fields with computed names.
 */
function buildStructEncoder(schema: Schema, options: JsonOptions, path: string): ValueEncoder {
  const encoders = schema.fields.map((f) => buildEncoder(f.schema, options, `${path}.${f.name}`))
  const members = schema.fields.map((field, index) => {
    const name = JSON.stringify(field.name)
    const prefix = JSON.stringify(`${index === 0 ? '{' : ','}${name}:`)
    return `${prefix} + e[${index}](v[${name}])`
  })
  const body = members.length === 0 ? `return '{}'` : `return ${members.join(' + ')} + '}'`
  // oxlint-disable-next-line typescript/no-implied-eval -- names are JSON literals, nothing of a value enters the code
  const encodeFields = new Function('e', `return function encodeStruct(v) { ${body} }`)(
    encoders,
  ) as ValueEncoder
  return (value) => {
    if (typeof value !== 'object') wrongType(path, 'object', value)
    return encodeFields(value)
  }
}

type LogicalEncoder = (schema: Schema, options: JsonOptions, path: string) => ValueEncoder

const LOGICAL_ENCODERS: Readonly<Record<string, LogicalEncoder | undefined>> = {
  [LOGICAL.decimal]: (schema, options, path) => {
    const scale = Number(schema.parameters?.scale ?? 0)
    const isBase64 = options.decimalFormat === 'BASE64'
    return (value) => {
      if (!(value instanceof Decimal)) wrongType(path, 'Decimal', value)
      const decimal = value.scale === scale ? value : rescale(value, scale, path)
      return isBase64 ? `"${decimal.toBytes().toString('base64')}"` : decimal.toString()
    }
  },
  [LOGICAL.date]: (_schema, _options, path) => (value) =>
    String(Math.floor(asTime(value, path) / MS_PER_DAY)),
  [LOGICAL.time]: (_schema, _options, path) => (value) => String(asTime(value, path)),
  [LOGICAL.timestamp]: (_schema, _options, path) => (value) => String(asTime(value, path)),
}

const MS_PER_DAY = 86_400_000

function rescale(value: Decimal, scale: number, path: string): Decimal {
  try {
    return value.withScale(scale)
  } catch (cause) {
    throw new RecordError(`${path} has more decimals than its schema's scale of ${scale}`, {
      cause,
    })
  }
}

function asTime(value: Value, path: string): number {
  if (!(value instanceof Date)) wrongType(path, 'Date', value)
  return value.getTime()
}

function asBuffer(value: Value, path: string): Buffer {
  if (Buffer.isBuffer(value)) return value
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length)
  return wrongType(path, 'Buffer', value)
}

interface ScalarTypes {
  string: string
  number: number
  boolean: boolean
}

function expect<T extends keyof ScalarTypes>(type: T, value: Value, path: string): ScalarTypes[T] {
  if (typeof value !== type) wrongType(path, type, value)
  return value as ScalarTypes[T]
}

function wrongType(path: string, expected: string, value: Value): never {
  const actual = Array.isArray(value) ? 'array' : typeof value
  throw new RecordError(`${path} must be a ${expected} but is of JavaScript type ${actual}`)
}
