import {
  boolean,
  oneOf,
  RecordError,
  type Schema,
  string,
  transform,
  type Value,
} from '@millrace/connect-api'
import { fieldValue, parseFieldPath, requireObject } from './field-access'
import { sidedClassNames, sideOf } from './key-or-value'

/** Replaces a key or value by one of its fields. */
export const ExtractField = transform({
  name: 'extract-field',
  classNames: sidedClassNames('ExtractField'),
  version: '0.1.0',
  doc: 'Replaces the whole key or value by one field of it; null stays null.',
  options: {
    field: string('field', {
      importance: 'MEDIUM',
      doc: 'Name of the field, or its path in syntax V2.',
    }),
    syntax: oneOf('field.syntax.version', ['V1', 'V2'], {
      default: 'V1',
      ignoreCase: true,
      importance: 'HIGH',
      doc: 'V1 takes the name as it is; V2 takes dots as steps into nested structs.',
    }),
    replaceNullWithDefault: boolean('replace.null.with.default', {
      default: true,
      doc: 'Give the default of a field that is null.',
    }),
  },
  create: ({ field, syntax, replaceNullWithDefault }, className) => {
    const side = sideOf(className)
    const path = syntax === 'V2' ? parseFieldPath(field) : [field]
    return (record) => {
      let schema = side.schema(record)
      let value = side.value(record)
      for (const name of path) {
        if (value === null || value === undefined)
          return record.with(side.change(null, null)) as typeof record
        const object = requireObject(schema, value, 'ExtractField')
        const inner: Schema | null = schema === null ? null : schemaOf(schema, name)
        value = fieldValue(object, name, inner, replaceNullWithDefault)
        schema = inner
      }
      return record.with(side.change(schema, value satisfies Value)) as typeof record
    }
  },
})

function schemaOf(schema: Schema, name: string): Schema {
  const field = schema.fields.find((candidate) => candidate.name === name)
  if (field === undefined) throw new RecordError(`ExtractField: there is no field '${name}'`)
  return field.schema
}
