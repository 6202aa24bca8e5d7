import { RecordError, type SinkRecord, type Value } from '@millrace/connect-api'
import { isFieldPartitioned, type S3Config } from './options'

/** The folder of a record, `encodedPartition` of the object key. @throws RecordError if the record has no such field */
export type Partitioner = (record: SinkRecord) => string

export function createPartitioner(config: S3Config): Partitioner {
  return isFieldPartitioned(config)
    ? fieldPartitioner(config.partitionFields, config.directoryDelim)
    : byTopicPartition
}

const byTopicPartition: Partitioner = (record) => `partition=${record.partition}`

function fieldPartitioner(fields: readonly string[], delimiter: string): Partitioner {
  return (record) =>
    fields.map((field) => `${field}=${textOf(field, record.value)}`).join(delimiter)
}

function textOf(field: string, value: Value): string {
  const member = (value as Record<string, Value> | null)?.[field]
  const type = typeof member
  if (type === 'string' || type === 'number' || type === 'bigint' || type === 'boolean')
    return String(member)
  throw new RecordError(
    `the value has no field '${field}' of text, number or boolean to choose its folder by`,
  )
}
