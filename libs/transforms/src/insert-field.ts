import {
  boolean,
  type ConnectRecord,
  INT32,
  INT64,
  RecordError,
  type Schema,
  SinkRecord,
  STRING,
  string,
  structOf,
  timestampSchema,
  transform,
  type Value,
  withOptions,
} from '@millrace/connect-api'
import { requireObject } from './field-access'
import { sidedClassNames, sideOf } from './key-or-value'

/** One field to add: its schema is fixed, its value comes from the record. */
interface Insertion {
  readonly name: string
  readonly schema: Schema
  readonly valueOf: (record: ConnectRecord) => Value
}

/** Adds fields with the record's topic, partition, offset, timestamp or a fixed text. */
export const InsertField = transform({
  name: 'insert-field',
  classNames: sidedClassNames('InsertField'),
  version: '0.1.0',
  doc: 'Adds fields from the metadata of the record or a fixed value. A name may end with ! (required) or ? (optional, the default).',
  options: {
    topic: string('topic.field', { default: null, doc: 'Field for the topic.' }),
    partition: string('partition.field', { default: null, doc: 'Field for the partition.' }),
    offset: string('offset.field', { default: null, doc: 'Field for the offset; in sinks only.' }),
    timestamp: string('timestamp.field', { default: null, doc: 'Field for the timestamp.' }),
    staticField: string('static.field', { default: null, doc: 'Field for the fixed text.' }),
    staticValue: string('static.value', { default: null, doc: 'The fixed text.' }),
    replaceNullWithDefault: boolean('replace.null.with.default', {
      default: true,
      doc: 'Give the default of a field that is null.',
    }),
  },
  validate: (config) => {
    const { topic, partition, offset, timestamp, staticField, staticValue } = config
    if ([topic, partition, offset, timestamp, staticField].every((name) => name === null)) {
      return [{ key: 'topic.field', given: null, expected: 'at least one field to insert' }]
    }
    return staticField !== null && staticValue === null
      ? [{ key: 'static.value', given: null, expected: 'the text for static.field' }]
      : []
  },
  create: (config, className) => {
    const side = sideOf(className)
    const insertions = insertionsOf(config)
    const extended = new WeakMap<Schema, Schema>()

    function extend(schema: Schema): Schema {
      let wider = extended.get(schema)
      if (wider === undefined) extended.set(schema, (wider = withFields(schema, insertions)))
      return wider
    }

    return (record) => {
      const value = side.value(record)
      if (value === null || value === undefined) return record // a tombstone stays one
      const schema = side.schema(record)
      const object = { ...requireObject(schema, value, 'InsertField') }
      if (schema !== null && config.replaceNullWithDefault) fillDefaults(object, schema)
      for (const { name, valueOf } of insertions) object[name] = valueOf(record)
      return record.with(
        side.change(schema === null ? null : extend(schema), object),
      ) as typeof record
    }
  },
})

interface InsertionNames {
  readonly topic: string | null
  readonly partition: string | null
  readonly offset: string | null
  readonly timestamp: string | null
  readonly staticField: string | null
  readonly staticValue: string | null
}

function insertionsOf(names: InsertionNames): readonly Insertion[] {
  const candidates: readonly (Insertion | null)[] = [
    insertion(names.topic, STRING, (record) => record.topic),
    insertion(names.partition, INT32, (record) => record.partition),
    insertion(names.offset, INT64, offsetOf),
    insertion(names.timestamp, timestampSchema(), (record) =>
      record.timestamp === null ? null : new Date(record.timestamp),
    ),
    insertion(names.staticField, STRING, () => names.staticValue),
  ]
  return candidates.filter((candidate) => candidate !== null)
}

function insertion(
  spec: string | null,
  schema: Schema,
  valueOf: (record: ConnectRecord) => Value,
): Insertion | null {
  if (spec === null) return null
  const isRequired = spec.endsWith('!')
  const name = isRequired || spec.endsWith('?') ? spec.slice(0, -1) : spec
  return {
    name,
    schema: withOptions(schema, { optional: !isRequired }),
    valueOf: (record) => {
      const value = valueOf(record)
      if (value === null && isRequired) {
        throw new RecordError(
          `InsertField: the record has nothing for the required field '${name}'`,
        )
      }
      return value
    },
  }
}

function offsetOf(record: ConnectRecord): Value {
  if (record instanceof SinkRecord) return record.offset
  throw new RecordError(
    'InsertField: offset.field works in sinks only, a source record has no offset yet',
  )
}

function withFields(schema: Schema, insertions: readonly Insertion[]): Schema {
  const fields = [
    ...schema.fields.map((field) => [field.name, field.schema] as const),
    ...insertions.map(({ name, schema: fieldSchema }) => [name, fieldSchema] as const),
  ]
  return structOf(fields, {
    optional: schema.optional,
    name: schema.name ?? undefined,
    version: schema.version ?? undefined,
    doc: schema.doc ?? undefined,
    parameters: schema.parameters ?? undefined,
    default: undefined,
  })
}

function fillDefaults(object: Record<string, Value>, schema: Schema): void {
  for (const field of schema.fields) object[field.name] ??= field.schema.default ?? null
}
