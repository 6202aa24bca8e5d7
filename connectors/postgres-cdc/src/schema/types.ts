import {
  arrayOf,
  BOOLEAN,
  BYTES,
  dateSchema,
  Decimal,
  decimalSchema,
  FLOAT32,
  FLOAT64,
  INT16,
  INT32,
  INT64,
  mapOf,
  OPTIONAL_BYTES,
  OPTIONAL_STRING,
  primitive,
  RecordError,
  type Schema,
  STRING,
  structOf,
  timeSchema,
  timestampSchema,
  withOptions,
} from '@millrace/connect-api'
import {
  intervalIso,
  intervalMicros,
  parseArray,
  parseBits,
  parseHstore,
  parseInterval,
  parsePoint,
} from './composite-text'
import {
  decimalDecoder,
  decodeAscii,
  decodeBoolean,
  decodeDays,
  decodeFloat,
  decodeHexBytes,
  decodeInt,
  decodeLong,
  decodeMoneyCents,
  decodeNumberText,
  decodeString,
  type DecodeText,
  decodeTimeMicros,
  decodeTimestampDate,
  decodeTimestampMicros,
  decodeTimestampMillis,
  decodeZonedTime,
  parseDecimal,
  safeLong,
  zonedTimestampDecoder,
} from './text'

/** A type as the catalog describes it. */
export interface PostgresType {
  readonly oid: number
  readonly name: string
  readonly kind: 'base' | 'enum' | 'domain' | 'array' | 'range' | 'other'
  /** Of an array. */
  readonly element: PostgresType | null
  /** Of a domain. */
  readonly base: PostgresType | null
  /** Type modifier that a domain gives its base type; -1 for none. */
  readonly baseModifier: number
  /** Of an enum, in order. */
  readonly labels: readonly string[]
}

/** The `*.handling.mode` options: how values are represented. */
export interface ValueModes {
  readonly decimal: 'precise' | 'string' | 'double'
  readonly time: 'adaptive' | 'adaptive_time_microseconds' | 'connect'
  readonly binary: 'bytes' | 'base64' | 'base64-url-safe' | 'hex'
  readonly interval: 'numeric' | 'string'
  readonly hstore: 'json' | 'map'
  readonly moneyFractionDigits: number
  readonly unavailablePlaceholder: string
  readonly includeUnknown: boolean
}

/** How the cells of one column become values of one schema. */
export interface ColumnType {
  /** Not optional: the column decides that. */
  readonly schema: Schema
  readonly decode: DecodeText
  /** Stands for a missing value where the schema allows no null, as in a `before` that holds the key alone. */
  readonly fallback: unknown
  /** Stands for a large value that an update left as it was. */
  readonly unavailable: unknown
}

type TypeBuilder = (modifier: number, modes: ValueModes) => ColumnType

/** The column type of a Postgres type, or null for one that has no mapping. */
export function columnType(
  type: PostgresType,
  modifier: number,
  modes: ValueModes,
): ColumnType | null {
  if (type.kind === 'domain' && type.base !== null) {
    return columnType(type.base, modifier === -1 ? type.baseModifier : modifier, modes)
  }
  if (type.kind === 'array' && type.element !== null) {
    return arrayType(type.element, modifier, modes)
  }
  if (type.kind === 'enum') return enumType(type.labels, modes)
  if (type.kind === 'range') return stringType(STRING, modes)
  const build = TYPES.get(type.name)
  if (build !== undefined) return build(modifier, modes)
  return modes.includeUnknown ? binaryType(decodeRaw, modes) : null
}

function scalar(schema: Schema, decode: DecodeText, fallback: unknown = 0): ColumnType {
  return { schema, decode, fallback, unavailable: fallback }
}

function stringType(schema: Schema, modes: ValueModes): ColumnType {
  return { schema, decode: decodeString, fallback: '', unavailable: modes.unavailablePlaceholder }
}

function semantic(base: Schema, name: string, parameters?: Readonly<Record<string, string>>) {
  return withOptions(base, { name, version: 1, ...(parameters ? { parameters } : {}) })
}

const BITS_NAME = 'io.debezium.data.Bits'
const DATE = semantic(INT32, 'io.debezium.time.Date')
const TIME = semantic(INT32, 'io.debezium.time.Time')
const MICRO_TIME = semantic(INT64, 'io.debezium.time.MicroTime')
const TIMESTAMP = semantic(INT64, 'io.debezium.time.Timestamp')
const MICRO_TIMESTAMP = semantic(INT64, 'io.debezium.time.MicroTimestamp')
const ZONED_TIME = semantic(STRING, 'io.debezium.time.ZonedTime')
const ZONED_TIMESTAMP = semantic(STRING, 'io.debezium.time.ZonedTimestamp')
const MICRO_DURATION = semantic(INT64, 'io.debezium.time.MicroDuration')
const INTERVAL = semantic(STRING, 'io.debezium.time.Interval')
const JSON_TEXT = semantic(STRING, 'io.debezium.data.Json')
const XML_TEXT = semantic(STRING, 'io.debezium.data.Xml')
const UUID = semantic(STRING, 'io.debezium.data.Uuid')
const LTREE = semantic(STRING, 'io.debezium.data.Ltree')
const TSVECTOR = semantic(STRING, 'io.debezium.data.Tsvector')
const VARIABLE_SCALE_DECIMAL = structOf(
  { scale: INT32, value: BYTES },
  { name: 'io.debezium.data.VariableScaleDecimal', version: 1, doc: 'Variable scaled decimal' },
)
const POINT = structOf(
  {
    x: FLOAT64,
    y: FLOAT64,
    wkb: OPTIONAL_BYTES,
    srid: primitive('int32', { optional: true }),
  },
  { name: 'io.debezium.data.geometry.Point', version: 1, doc: 'Geometry (POINT)' },
)

const plainString: TypeBuilder = (_modifier, modes) => stringType(STRING, modes)
const named =
  (schema: Schema): TypeBuilder =>
  (_modifier, modes) =>
    stringType(schema, modes)
const fixed =
  (type: ColumnType): TypeBuilder =>
  () =>
    type

/** By name, not by OID: types of extensions have no fixed OID. */
const TYPES: ReadonlyMap<string, TypeBuilder> = new Map<string, TypeBuilder>([
  ['bool', fixed(scalar(BOOLEAN, decodeBoolean, false))],
  ['int2', fixed(scalar(INT16, decodeInt))],
  ['int4', fixed(scalar(INT32, decodeInt))],
  ['int8', fixed(scalar(INT64, decodeLong))],
  ['oid', fixed(scalar(INT64, decodeLong))],
  ['float4', fixed(scalar(FLOAT32, decodeFloat))],
  ['float8', fixed(scalar(FLOAT64, decodeFloat))],
  ['numeric', numericType],
  ['money', moneyType],
  ['text', plainString],
  ['varchar', plainString],
  ['bpchar', plainString],
  ['char', plainString],
  ['name', plainString],
  ['citext', plainString],
  ['inet', plainString],
  ['cidr', plainString],
  ['macaddr', plainString],
  ['macaddr8', plainString],
  ['json', named(JSON_TEXT)],
  ['jsonb', named(JSON_TEXT)],
  ['xml', named(XML_TEXT)],
  ['ltree', named(LTREE)],
  ['tsvector', named(TSVECTOR)],
  ['uuid', fixed(scalar(UUID, decodeAscii, ''))],
  ['bytea', (_modifier, modes) => binaryType(decodeHexBytes, modes)],
  ['bit', bitType],
  ['varbit', varbitType],
  ['date', dateType],
  ['time', timeType],
  ['timetz', fixed(scalar(ZONED_TIME, decodeZonedTime, '00:00:00Z'))],
  ['timestamp', timestampType],
  ['timestamptz', zonedTimestampType],
  ['interval', intervalType],
  ['point', fixed(scalar(POINT, decodePoint, parsePoint('(0,0)')))],
  ['hstore', hstoreType],
])

/** Digits after the point that `time(p)`, `timestamp(p)` and the like keep. */
function timePrecision(modifier: number): number {
  return modifier === -1 ? 6 : modifier
}

function numericType(modifier: number, modes: ValueModes): ColumnType {
  if (modes.decimal === 'string') return scalar(STRING, decodeNumberText, '0')
  if (modes.decimal === 'double') return scalar(FLOAT64, decodeFloat)
  if (modifier === -1) {
    return scalar(VARIABLE_SCALE_DECIMAL, decodeVariableScale, toVariableScale(new Decimal(0n, 0)))
  }
  const precision = ((modifier - 4) >> 16) & 0xffff
  // Eleven bits, signed: Postgres 15 allows scales below zero.
  const scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024
  const schema = decimalSchema(scale, {
    parameters: { 'connect.decimal.precision': String(precision) },
  })
  return scalar(schema, refuseNull(decimalDecoder(scale)), new Decimal(0n, scale))
}

function decodeVariableScale(buffer: Buffer, start: number, stop: number): unknown {
  const decimal = parseDecimal(decodeAscii(buffer, start, stop))
  if (decimal === null) throw specialNumber()
  return toVariableScale(decimal)
}

function toVariableScale(decimal: Decimal): { scale: number; value: Buffer } {
  return { scale: decimal.scale, value: decimal.toBytes() }
}

function refuseNull(decode: DecodeText): DecodeText {
  return (buffer, start, stop) => {
    const value = decode(buffer, start, stop)
    if (value === null) throw specialNumber()
    return value
  }
}

function specialNumber(): RecordError {
  return new RecordError(
    'a numeric column holds NaN or an infinity, which Decimal cannot: set decimal.handling.mode to string or double',
  )
}

function moneyType(_modifier: number, modes: ValueModes): ColumnType {
  const digits = modes.moneyFractionDigits
  const decode = (buffer: Buffer, start: number, stop: number): Decimal => {
    const cents = new Decimal(decodeMoneyCents(buffer, start, stop), 2)
    // A scale below two rounds half up, away from zero, as Debezium does.
    return digits >= 2 ? cents.withScale(digits) : roundHalfUp(cents, digits)
  }
  if (modes.decimal === 'precise') {
    return scalar(decimalSchema(digits), decode, new Decimal(0n, digits))
  }
  const asText: DecodeText = (buffer, start, stop) => decode(buffer, start, stop).toString()
  if (modes.decimal === 'string') return scalar(STRING, asText, '0')
  return scalar(FLOAT64, (buffer, start, stop) => Number(asText(buffer, start, stop)))
}

function roundHalfUp(decimal: Decimal, scale: number): Decimal {
  const divisor = 10n ** BigInt(decimal.scale - scale)
  const half = (decimal.unscaled < 0n ? -divisor : divisor) / 2n
  return new Decimal((decimal.unscaled + half) / divisor, scale)
}

function binaryType(decode: DecodeText, modes: ValueModes): ColumnType {
  const placeholder = Buffer.from(modes.unavailablePlaceholder)
  if (modes.binary === 'bytes') {
    return { schema: BYTES, decode, fallback: Buffer.alloc(0), unavailable: placeholder }
  }
  const encoding = modes.binary === 'base64-url-safe' ? 'base64url' : modes.binary
  return {
    schema: STRING,
    decode: (buffer, start, stop) => (decode(buffer, start, stop) as Buffer).toString(encoding),
    fallback: '',
    unavailable: placeholder.toString(encoding),
  }
}

/** The bytes of the text, for types that have no mapping. A copy: the record outlives the socket's buffer. */
function decodeRaw(buffer: Buffer, start: number, stop: number): Buffer {
  return Buffer.from(buffer.subarray(start, stop))
}

function bitType(modifier: number): ColumnType {
  if (modifier === 1) return scalar(BOOLEAN, (buffer, start) => buffer[start] === 0x31, false)
  return bitsOf(modifier)
}

function varbitType(modifier: number): ColumnType {
  return bitsOf(modifier === -1 ? 2 ** 31 - 1 : modifier)
}

function bitsOf(length: number): ColumnType {
  const decode: DecodeText = (buffer, start, stop) => parseBits(decodeAscii(buffer, start, stop))
  return scalar(semantic(BYTES, BITS_NAME, { length: String(length) }), decode, Buffer.alloc(0))
}

const MILLIS_PER_DAY = 86_400_000
const EPOCH = new Date(0)

function dateType(_modifier: number, modes: ValueModes): ColumnType {
  if (modes.time !== 'connect') return scalar(DATE, decodeDays)
  const decode: DecodeText = (buffer, start, stop) => {
    const days = decodeDays(buffer, start, stop)
    return new Date(Math.max(-1e8, Math.min(1e8, days)) * MILLIS_PER_DAY)
  }
  return scalar(dateSchema(), decode, EPOCH)
}

function timeType(modifier: number, modes: ValueModes): ColumnType {
  const millis = (buffer: Buffer, start: number, stop: number): number =>
    Math.floor(decodeTimeMicros(buffer, start, stop) / 1000)
  if (modes.time === 'connect') {
    return scalar(
      timeSchema(),
      (buffer, start, stop) => new Date(millis(buffer, start, stop)),
      EPOCH,
    )
  }
  if (modes.time === 'adaptive' && timePrecision(modifier) <= 3) return scalar(TIME, millis)
  return scalar(MICRO_TIME, decodeTimeMicros)
}

function timestampType(modifier: number, modes: ValueModes): ColumnType {
  if (modes.time === 'connect') return scalar(timestampSchema(), decodeTimestampDate, EPOCH)
  if (timePrecision(modifier) <= 3) return scalar(TIMESTAMP, decodeTimestampMillis)
  return scalar(MICRO_TIMESTAMP, decodeTimestampMicros)
}

function zonedTimestampType(modifier: number): ColumnType {
  const decode = zonedTimestampDecoder(timePrecision(modifier))
  return scalar(ZONED_TIMESTAMP, decode, '1970-01-01T00:00:00Z')
}

const INT64_MAX = 2n ** 63n - 1n

function intervalType(_modifier: number, modes: ValueModes): ColumnType {
  if (modes.interval === 'string') {
    const decode: DecodeText = (buffer, start, stop) => {
      const text = decodeAscii(buffer, start, stop)
      const interval = parseInterval(text)
      return interval === null ? text : intervalIso(interval)
    }
    return scalar(INTERVAL, decode, 'P0Y0M0DT0H0M0S')
  }
  return scalar(MICRO_DURATION, (buffer, start, stop) => {
    const text = decodeAscii(buffer, start, stop)
    const interval = parseInterval(text)
    if (interval === null) return text.startsWith('-') ? -INT64_MAX - 1n : INT64_MAX
    return safeLong(intervalMicros(interval))
  })
}

function decodePoint(buffer: Buffer, start: number, stop: number): unknown {
  return parsePoint(decodeAscii(buffer, start, stop))
}

function hstoreType(_modifier: number, modes: ValueModes): ColumnType {
  const placeholder = modes.unavailablePlaceholder
  const entries = (buffer: Buffer, start: number, stop: number) =>
    parseHstore(decodeString(buffer, start, stop))
  if (modes.hstore === 'map') {
    return {
      schema: mapOf(STRING, OPTIONAL_STRING),
      decode: (buffer, start, stop) => new Map(entries(buffer, start, stop)),
      fallback: new Map(),
      unavailable: new Map([[placeholder, placeholder]]),
    }
  }
  return {
    schema: JSON_TEXT,
    decode: (buffer, start, stop) =>
      JSON.stringify(Object.fromEntries(entries(buffer, start, stop))),
    fallback: '{}',
    unavailable: placeholder,
  }
}

function enumType(labels: readonly string[], modes: ValueModes): ColumnType {
  return stringType(semantic(STRING, 'io.debezium.data.Enum', { allowed: labels.join(',') }), modes)
}

function arrayType(element: PostgresType, modifier: number, modes: ValueModes): ColumnType | null {
  const inner = columnType(element, modifier, modes)
  if (inner === null) return null
  const delimiter = element.name === 'box' ? ';' : ','
  const decode: DecodeText = (buffer, start, stop) =>
    parseArray(decodeString(buffer, start, stop), delimiter).map((text) => {
      if (text === null) return null
      const bytes = Buffer.from(text)
      return inner.decode(bytes, 0, bytes.length)
    })
  return {
    // Debezium says of enums that elements are never null, and fails where one is.
    schema: arrayOf(withOptions(inner.schema, { optional: true })),
    decode,
    fallback: [],
    unavailable: unavailableElements(inner, modes),
  }
}

/** An array that was left as it was: the placeholder, or its bytes where the elements are whole numbers. */
function unavailableElements(inner: ColumnType, modes: ValueModes): unknown[] {
  const { type } = inner.schema
  if (type === 'int16' || type === 'int32' || type === 'int64') {
    return [...Buffer.from(modes.unavailablePlaceholder)]
  }
  return [inner.schema.name === UUID.name ? modes.unavailablePlaceholder : inner.unavailable]
}
