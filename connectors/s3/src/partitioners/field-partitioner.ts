import { RecordError } from '@millrace/connect-api'
import { fieldOf } from './field-of'
import type { Partitioner } from './partitioner'

export interface FieldPartitionerOptions {
  readonly partitionFields: readonly string[]
  readonly isFieldNameInPath: boolean
  readonly directoryDelim: string
}

/** Folders by the values of fields: `country=de/city=ulm`. */
export function fieldPartitioner(options: FieldPartitionerOptions): Partitioner {
  const { partitionFields, isFieldNameInPath, directoryDelim } = options
  return (record) =>
    partitionFields
      .map((field) => {
        const text = textOf(field, fieldOf(record.value, field))
        return isFieldNameInPath ? `${field}=${text}` : text
      })
      .join(directoryDelim)
}

function textOf(field: string, value: unknown): string {
  const type = typeof value
  if (type === 'string' || type === 'number' || type === 'bigint' || type === 'boolean')
    return String(value)
  throw new RecordError(
    `the value has no field '${field}' of text, number or boolean to choose its folder by`,
  )
}
