import type { ConnectRecord, RecordChange, Schema, Value } from '@millrace/connect-api'

/** Which part of a record a transform works on, as the class name's `$Key` or `$Value` says. */
export interface Side {
  schema(record: ConnectRecord): Schema | null
  value(record: ConnectRecord): Value
  change(schema: Schema | null, value: Value): RecordChange
}

const KEY: Side = {
  schema: (record) => record.keySchema,
  value: (record) => record.key,
  change: (keySchema, key) => ({ keySchema, key }),
}
const VALUE: Side = {
  schema: (record) => record.valueSchema,
  value: (record) => record.value,
  change: (valueSchema, value) => ({ valueSchema, value }),
}

/** The side of `...InsertField$Key`; a class name without suffix means the value. */
export function sideOf(className: string): Side {
  return className.endsWith('$Key') ? KEY : VALUE
}

/** The class names of a transform that exists for keys and values. */
export function sidedClassNames(simpleName: string): readonly string[] {
  const fullName = `org.apache.kafka.connect.transforms.${simpleName}`
  return [`${fullName}$Value`, `${fullName}$Key`]
}
