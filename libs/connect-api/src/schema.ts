/** Connect's types. `struct` values are plain objects, `map` values are Maps, `bytes` are Buffers (docs/adr/0003). */
export type SchemaType =
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'float32'
  | 'float64'
  | 'boolean'
  | 'string'
  | 'bytes'
  | 'array'
  | 'map'
  | 'struct'

export interface SchemaField {
  readonly name: string
  readonly index: number
  readonly schema: Schema
}

/**
 * What a value is. Schemas are frozen and shared: build each one once, outside the record loop; converters and transforms
 * cache by identity.
 */
export interface Schema {
  readonly type: SchemaType
  readonly optional: boolean
  /** Names a semantic type: `org.apache.kafka.connect.data.Decimal`, `io.debezium.time.MicroTimestamp`, a record's full name. */
  readonly name: string | null
  readonly version: number | null
  readonly doc: string | null
  readonly parameters: Readonly<Record<string, string>> | null
  /** Undefined if there is none; null is a default. */
  readonly default: unknown
  /** Of a struct, in order. */
  readonly fields: readonly SchemaField[]
  /** Of a map. */
  readonly keySchema: Schema | null
  /** Of a map, or the elements of an array. */
  readonly valueSchema: Schema | null
}

export interface SchemaOptions {
  readonly optional?: boolean
  readonly name?: string
  readonly version?: number
  readonly doc?: string
  readonly parameters?: Readonly<Record<string, string>>
  readonly default?: unknown
}

const NO_FIELDS: readonly SchemaField[] = Object.freeze([])

type PrimitiveType = Exclude<SchemaType, 'array' | 'map' | 'struct'>

export function primitive(type: PrimitiveType, options: SchemaOptions = {}): Schema {
  return build(type, options, {})
}
export function arrayOf(valueSchema: Schema, options: SchemaOptions = {}): Schema {
  return build('array', options, { valueSchema })
}
export function mapOf(keySchema: Schema, valueSchema: Schema, options: SchemaOptions = {}): Schema {
  return build('map', options, { keySchema, valueSchema })
}
/** A struct with its fields in order: `structOf({ id: INT32, name: OPTIONAL_STRING }, { name: 'shop.Customer' })`. */
export function structOf(
  fields: Readonly<Record<string, Schema>> | readonly (readonly [string, Schema])[],
  options: SchemaOptions = {},
): Schema {
  const entries = Array.isArray(fields)
    ? (fields as readonly (readonly [string, Schema])[])
    : Object.entries(fields as Record<string, Schema>)
  return build('struct', options, {
    fields: Object.freeze(
      entries.map(([name, schema], index) => Object.freeze({ name, index, schema })),
    ),
  })
}
/** The same schema with other options. */
export function withOptions(schema: Schema, options: SchemaOptions): Schema {
  return Object.freeze({ ...schema, ...options })
}

export const INT8 = primitive('int8')
export const INT16 = primitive('int16')
export const INT32 = primitive('int32')
export const INT64 = primitive('int64')
export const FLOAT32 = primitive('float32')
export const FLOAT64 = primitive('float64')
export const BOOLEAN = primitive('boolean')
export const STRING = primitive('string')
export const BYTES = primitive('bytes')
export const OPTIONAL_STRING = primitive('string', { optional: true })
export const OPTIONAL_INT64 = primitive('int64', { optional: true })
export const OPTIONAL_BYTES = primitive('bytes', { optional: true })

/** Schema names whose values are not of their base type: see `LogicalValue`. */
export const LOGICAL = {
  decimal: 'org.apache.kafka.connect.data.Decimal',
  date: 'org.apache.kafka.connect.data.Date',
  time: 'org.apache.kafka.connect.data.Time',
  timestamp: 'org.apache.kafka.connect.data.Timestamp',
} as const

/** Connect's Decimal: `bytes` with the scale as a parameter; its values are `Decimal`. */
export function decimalSchema(scale: number, options: SchemaOptions = {}): Schema {
  return primitive('bytes', {
    ...options,
    name: LOGICAL.decimal,
    version: 1,
    parameters: { ...options.parameters, scale: String(scale) },
  })
}
/** Days, `int32`; its values are Dates at midnight UTC. */
export function dateSchema(options: SchemaOptions = {}): Schema {
  return primitive('int32', { ...options, name: LOGICAL.date, version: 1 })
}
/** Milliseconds of a day, `int32`; its values are Dates on 1970-01-01 UTC. */
export function timeSchema(options: SchemaOptions = {}): Schema {
  return primitive('int32', { ...options, name: LOGICAL.time, version: 1 })
}
/** Milliseconds since the epoch, `int64`; its values are Dates. */
export function timestampSchema(options: SchemaOptions = {}): Schema {
  return primitive('int64', { ...options, name: LOGICAL.timestamp, version: 1 })
}

function build(type: SchemaType, options: SchemaOptions, parts: Partial<Schema>): Schema {
  return Object.freeze({
    type,
    optional: options.optional ?? false,
    name: options.name ?? null,
    version: options.version ?? null,
    doc: options.doc ?? null,
    parameters: options.parameters ? Object.freeze({ ...options.parameters }) : null,
    default: options.default,
    fields: parts.fields ?? NO_FIELDS,
    keySchema: parts.keySchema ?? null,
    valueSchema: parts.valueSchema ?? null,
  })
}
