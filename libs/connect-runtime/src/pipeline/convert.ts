import { NO_HEADERS, SinkRecord, type Header, type HeaderConverter } from '@millrace/connect-api'
import type { RecordCursor, RecordHeader } from '@millrace/record'
import type { Converters } from './build'
import type { RawRecord } from './dead-letter'
import type { StageMark } from './stage'

/** The headers of a record as bytes. @throws RecordError */
export function encodeHeaders(
  converter: HeaderConverter,
  topic: string,
  headers: readonly Header[],
): RecordHeader[] {
  return headers.map((header) => ({
    key: header.key,
    value: converter.fromConnect(topic, header),
  }))
}

/** A record where it was read, undecoded. */
export interface RecordSource {
  readonly topic: string
  readonly partition: number
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  readonly cursor: RecordCursor
}

/** Makes the one object that a record is in a sink. Sets `mark` on the way. @throws whatever a converter throws */
export function decodeRecord(
  converters: Converters,
  source: RecordSource,
  mark: StageMark,
): SinkRecord {
  const { topic, partition, cursor } = source
  mark.stage = 'KEY_CONVERTER'
  mark.plugin = converters.keyName
  const key = converters.key.toConnect(topic, cursor.key())
  mark.stage = 'VALUE_CONVERTER'
  mark.plugin = converters.valueName
  const value = converters.value.toConnect(topic, cursor.value())
  mark.stage = 'HEADER_CONVERTER'
  mark.plugin = converters.headerName
  const headers = decodeHeaders(converters.header, topic, cursor.headers())
  const { offset, timestamp } = cursor
  return new SinkRecord({
    topic,
    partition,
    offset,
    timestamp: timestamp < 0 ? null : timestamp,
    timestampType: timestamp < 0 ? 'NoTimestampType' : source.timestampType,
    keySchema: key.schema,
    key: key.value,
    valueSchema: value.schema,
    value: value.value,
    headers,
  })
}

/** The current record of the cursor, for the dead letter queue. */
export function rawRecord({ topic, partition, cursor }: RecordSource): RawRecord {
  return {
    topic,
    partition,
    offset: cursor.offset,
    timestamp: cursor.timestamp,
    key: cursor.key(),
    value: cursor.value(),
    headers: cursor.headers(),
  }
}

function decodeHeaders(
  converter: HeaderConverter,
  topic: string,
  headers: readonly RecordHeader[],
): readonly Header[] {
  if (headers.length === 0) return NO_HEADERS
  return headers.map((header) => ({
    key: header.key,
    ...converter.toConnect(topic, header.key, header.value),
  }))
}
