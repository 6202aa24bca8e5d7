import {
  encodeSchemaless,
  type HeaderConverterPlugin,
  OPTIONAL_STRING,
  parseJson,
  primitive,
  type Schema,
  type SchemaAndValue,
  type Value,
  valueEncoder,
} from '@millrace/connect-api'

const INFERRED = {
  boolean: primitive('boolean', { optional: true }),
  int8: primitive('int8', { optional: true }),
  int16: primitive('int16', { optional: true }),
  int32: primitive('int32', { optional: true }),
  int64: primitive('int64', { optional: true }),
  float64: primitive('float64', { optional: true }),
} as const
const ENCODE_OPTIONS = { decimalFormat: 'NUMERIC', replaceNullWithDefault: true } as const

/**
 * Connect's default for headers: a string is written as it is, anything else as JSON; reading infers the type from the
 * text (true, 12, 1.5, an array or object), else gives a string.
 */
export const simpleHeaderConverter: HeaderConverterPlugin = {
  name: 'simple-header',
  classNames: ['org.apache.kafka.connect.storage.SimpleHeaderConverter'],
  version: '0.1.0',
  doc: 'Headers as text, with types inferred when read.',
  options: {},
  create: () => ({
    fromConnect: (_topic, { schema, value }) =>
      value === null || value === undefined ? null : Buffer.from(headerText(schema, value)),
    toConnect: (_topic, _key, bytes) => inferHeader(bytes),
  }),
}

function headerText(schema: Schema | null, value: Value): string {
  if (typeof value === 'string') return value
  return schema === null ? encodeSchemaless(value) : valueEncoder(schema, ENCODE_OPTIONS)(value)
}

function inferHeader(bytes: Buffer | null): SchemaAndValue {
  if (bytes === null) return { schema: null, value: null }
  const text = bytes.toString('utf8')
  const trimmed = text.trim()
  if (trimmed === 'null') return { schema: null, value: null }
  if (trimmed === 'true' || trimmed === 'false') {
    return { schema: INFERRED.boolean, value: trimmed === 'true' }
  }
  if (/^-?\d{1,18}$/.test(trimmed)) return inferWholeNumber(trimmed)
  if (/^-?\d+\.\d+(?:[eE][+-]?\d+)?$/.test(trimmed)) {
    return { schema: INFERRED.float64, value: Number(trimmed) }
  }
  if (/^[[{]/.test(trimmed)) {
    try {
      return { schema: null, value: parseJson(trimmed) }
    } catch {
      // Text that only begins like JSON is a string.
    }
  }
  return { schema: OPTIONAL_STRING, value: text }
}

function inferWholeNumber(text: string): SchemaAndValue {
  const number = Number(text)
  if (!Number.isSafeInteger(number)) return { schema: INFERRED.int64, value: BigInt(text) }
  const magnitude = number < 0 ? -number - 1 : number
  if (magnitude < 2 ** 7) return { schema: INFERRED.int8, value: number }
  if (magnitude < 2 ** 15) return { schema: INFERRED.int16, value: number }
  if (magnitude < 2 ** 31) return { schema: INFERRED.int32, value: number }
  return { schema: INFERRED.int64, value: number }
}
