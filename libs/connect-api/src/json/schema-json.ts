import { RecordError } from '../errors'
import {
  arrayOf,
  mapOf,
  primitive,
  type Schema,
  type SchemaOptions,
  type SchemaType,
  structOf,
} from '../schema'
import { decodeValue } from './decode'
import { type DecimalFormat, valueEncoder } from './encode'

const TYPE_NAMES: Readonly<Record<SchemaType, string>> = {
  int8: 'int8',
  int16: 'int16',
  int32: 'int32',
  int64: 'int64',
  float32: 'float',
  float64: 'double',
  boolean: 'boolean',
  string: 'string',
  bytes: 'bytes',
  array: 'array',
  map: 'map',
  struct: 'struct',
}
const TYPES_BY_NAME = new Map(
  Object.entries(TYPE_NAMES).map(([type, name]) => [name, type as SchemaType]),
)

/** The schema as JsonConverter writes it, properties in Connect's order: equal schemas give equal text. */
export function schemaToJson(schema: Schema, decimalFormat: DecimalFormat = 'BASE64'): string {
  return describe(schema, decimalFormat, null)
}

/** Reads what `schemaToJson` or Java's JsonConverter wrote. @throws RecordError naming the part that is wrong */
export function schemaFromJson(json: unknown): Schema {
  if (typeof json !== 'object' || json === null) {
    throw new RecordError('a schema must be a JSON object')
  }
  const source = json as Record<string, unknown>
  const type = TYPES_BY_NAME.get(String(source.type))
  if (type === undefined) {
    throw new RecordError(`unknown schema type ${JSON.stringify(source.type ?? null)}`)
  }
  const options: SchemaOptions = {
    optional: source.optional === true,
    name: (source.name as string | null) ?? undefined,
    version: (source.version as number | null) ?? undefined,
    doc: (source.doc as string | null) ?? undefined,
    parameters: (source.parameters as Record<string, string> | null) ?? undefined,
  }
  const schema = buildSchema(type, source, options)
  if (source.default === undefined || source.default === null) return schema
  return buildSchema(type, source, { ...options, default: decodeValue(schema, source.default) })
}

function buildSchema(
  type: SchemaType,
  source: Record<string, unknown>,
  options: SchemaOptions,
): Schema {
  if (type === 'array') return arrayOf(schemaFromJson(source.items), options)
  if (type === 'map') {
    return mapOf(schemaFromJson(source.keys), schemaFromJson(source.values), options)
  }
  if (type !== 'struct') return primitive(type, options)
  if (!Array.isArray(source.fields)) throw new RecordError('a struct schema must list its fields')
  return structOf(
    source.fields.map((field) => [fieldName(field), schemaFromJson(field)] as const),
    options,
  )
}

function fieldName(field: unknown): string {
  const name = (field as { field?: unknown } | null)?.field
  if (typeof name !== 'string') {
    throw new RecordError('each field of a struct schema must have its name in "field"')
  }
  return name
}

function describe(schema: Schema, decimalFormat: DecimalFormat, field: string | null): string {
  const inner = (part: Schema | null) => describe(part as Schema, decimalFormat, null)
  let text = `{"type":"${TYPE_NAMES[schema.type]}"`
  if (schema.type === 'array') text += `,"items":${inner(schema.valueSchema)}`
  if (schema.type === 'map') {
    text += `,"keys":${inner(schema.keySchema)},"values":${inner(schema.valueSchema)}`
  }
  if (schema.type === 'struct') {
    const fields = schema.fields.map((f) => describe(f.schema, decimalFormat, f.name))
    text += `,"fields":[${fields.join(',')}]`
  }
  text += `,"optional":${schema.optional}`
  if (schema.name !== null) text += `,"name":${JSON.stringify(schema.name)}`
  if (schema.version !== null) text += `,"version":${schema.version}`
  if (schema.doc !== null) text += `,"doc":${JSON.stringify(schema.doc)}`
  if (schema.parameters !== null) text += `,"parameters":${JSON.stringify(schema.parameters)}`
  if (schema.default !== undefined && schema.default !== null) {
    const encode = valueEncoder(schema, { decimalFormat, replaceNullWithDefault: false })
    text += `,"default":${encode(schema.default)}`
  }
  if (field !== null) text += `,"field":${JSON.stringify(field)}`
  return `${text}}`
}
