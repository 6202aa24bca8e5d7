import {
  boolean,
  type Converter,
  converter,
  decodeValue,
  encodeSchemaless,
  int,
  oneOf,
  parseJson,
  RecordError,
  type Schema,
  type SchemaAndValue,
  schemaFromJson,
  schemaToJson,
  string,
  type Value,
  valueEncoder,
} from '@millrace/connect-api'

const NULL_VALUE: SchemaAndValue = Object.freeze({ schema: null, value: null })

/** JSON, with the schema in each message (`schemas.enable`) or without. */
export const jsonConverter = converter({
  name: 'json',
  classNames: ['org.apache.kafka.connect.json.JsonConverter'],
  version: '0.1.0',
  doc: 'JSON; with schemas.enable each message is an envelope of schema and payload.',
  options: {
    schemasEnable: boolean('schemas.enable', {
      default: true,
      importance: 'HIGH',
      doc: 'Write and expect an envelope of schema and payload.',
    }),
    schemasCacheSize: int('schemas.cache.size', {
      default: 1000,
      min: 0,
      importance: 'HIGH',
      doc: 'Schemas kept in the cache of readers.',
    }),
    schemaContent: string('schema.content', {
      default: null,
      importance: 'HIGH',
      doc: 'A schema as JSON text for messages that carry none.',
    }),
    decimalFormat: oneOf('decimal.format', ['BASE64', 'NUMERIC'], {
      default: 'BASE64',
      ignoreCase: true,
      importance: 'LOW',
      doc: 'Write Decimal values as base64 of their unscaled bytes or as JSON numbers.',
    }),
    replaceNullWithDefault: boolean('replace.null.with.default', {
      default: true,
      importance: 'LOW',
      doc: 'Write the default of a field in place of null.',
    }),
  },
  create: (config) => {
    const { schemasEnable, decimalFormat, replaceNullWithDefault } = config
    const options = { decimalFormat, replaceNullWithDefault }
    const fixedSchema =
      config.schemaContent === null ? null : schemaFromJson(parseJson(config.schemaContent))
    const envelopes = new WeakMap<Schema, string>()
    const schemas = new SchemaCache(config.schemasCacheSize)

    /** `{"schema":...,"payload":`, which is the same for every value of a schema. */
    function envelopeStart(schema: Schema): string {
      let start = envelopes.get(schema)
      if (start === undefined) {
        start = `{"schema":${schemaToJson(schema, decimalFormat)},"payload":`
        envelopes.set(schema, start)
      }
      return start
    }

    const self: Converter = {
      fromConnect(_topic, schema, value) {
        if (schema === null && (value === null || value === undefined)) return null
        const payload =
          schema === null ? encodeSchemaless(value) : valueEncoder(schema, options)(value)
        if (!schemasEnable) return Buffer.from(payload)
        const start = schema === null ? '{"schema":null,"payload":' : envelopeStart(schema)
        return Buffer.from(`${start}${payload}}`)
      },
      toConnect(_topic, bytes) {
        if (bytes === null) return NULL_VALUE
        const text = bytes.toString('utf8')
        if (fixedSchema !== null) {
          return { schema: fixedSchema, value: decodeValue(fixedSchema, parseJson(text, true)) }
        }
        if (!schemasEnable) return { schema: null, value: parseJson(text) }
        return readEnvelope(text, schemas)
      },
    }
    return self
  },
})

const DECIMAL_NAME = 'org.apache.kafka.connect.data.Decimal'

function readEnvelope(text: string, schemas: SchemaCache): SchemaAndValue {
  const json = parseJson(text, text.includes(DECIMAL_NAME)) as Record<string, Value> | null
  const isEnvelope =
    typeof json === 'object' &&
    json !== null &&
    Object.keys(json).length === 2 &&
    'schema' in json &&
    'payload' in json
  if (!isEnvelope) {
    throw new RecordError(
      'schemas.enable is true but the message is not an object of exactly "schema" and "payload"; ' +
        'set schemas.enable=false for plain JSON',
    )
  }
  if (json.schema === null) return { schema: null, value: json.payload }
  const schema = schemas.get(json.schema)
  return { schema, value: decodeValue(schema, json.payload) }
}

/** Keeps schemas by their text, so that equal schemas are one object and what is cached by schema is found again. */
class SchemaCache {
  readonly #byText = new Map<string, Schema>()
  readonly #maxCount: number

  constructor(maxCount: number) {
    this.#maxCount = maxCount
  }

  get(json: Value): Schema {
    const text = JSON.stringify(json, (_key, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    )
    let schema = this.#byText.get(text)
    if (schema === undefined) {
      schema = schemaFromJson(json)
      if (this.#byText.size >= this.#maxCount) this.#byText.clear()
      this.#byText.set(text, schema)
    }
    return schema
  }
}
