import type { SinkRecord } from '@millrace/connect-api'

/**
 * The folder of a record, `encodedPartition` of the object key. `nowMs` is the wall clock.
 * @throws RecordError if the record has not what its folder depends on
 */
export type Partitioner = (record: SinkRecord, nowMs: number) => string

/** Class names as Confluent's sink has them. */
const PACKAGE = 'io.confluent.connect.storage.partitioner'
export const PARTITIONER = {
  default: `${PACKAGE}.DefaultPartitioner`,
  field: `${PACKAGE}.FieldPartitioner`,
  time: `${PACKAGE}.TimeBasedPartitioner`,
  daily: `${PACKAGE}.DailyPartitioner`,
  hourly: `${PACKAGE}.HourlyPartitioner`,
} as const
