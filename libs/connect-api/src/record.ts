import type { Schema } from './schema'

/**
 * A value of the Connect data model. With a schema: int8 to int32 and floats are numbers, int64 is a number while it is a
 * safe integer and a bigint beyond, bytes are Buffers, structs plain objects, arrays arrays, maps Maps, Decimal values
 * `Decimal`, Date, Time and Timestamp values `Date`. Without a schema (null): what JSON has, with bigints for whole
 * numbers beyond the safe range. Values are never changed after they were handed over: a transform makes new ones.
 */
export type Value = unknown

export interface Header {
  readonly key: string
  readonly schema: Schema | null
  readonly value: Value
}
export const NO_HEADERS: readonly Header[] = Object.freeze([])

/** What a transform may replace. Properties that are left out stay as they are. */
export interface RecordChange {
  readonly topic?: string
  readonly partition?: number | null
  readonly keySchema?: Schema | null
  readonly key?: Value
  readonly valueSchema?: Schema | null
  readonly value?: Value
  readonly timestamp?: number | null
  readonly headers?: readonly Header[]
}

interface ConnectRecordFields {
  readonly topic: string
  /** Partition of the topic; null in a source record leaves the choice to the partitioner. */
  readonly partition: number | null
  readonly keySchema: Schema | null
  readonly key: Value
  readonly valueSchema: Schema | null
  readonly value: Value
  /** Milliseconds since the epoch; null in a source record means now. */
  readonly timestamp: number | null
  readonly headers: readonly Header[]
}

/** Position in a source, as Connect stores it: flat, of null, string, number (or bigint), boolean and Buffer. */
export type SourcePosition = Readonly<
  Record<string, string | number | bigint | boolean | Buffer | null>
>

export interface SourceRecordFields extends ConnectRecordFields {
  /** Which part of the source: `{ server: 'shop' }`. Share one object between the records of a partition. */
  readonly sourcePartition: SourcePosition
  /** Where to go on after this record. */
  readonly sourceOffset: SourcePosition
}

/** A record on its way from a source into the log. */
export class SourceRecord implements SourceRecordFields {
  readonly topic: string
  readonly partition: number | null
  readonly keySchema: Schema | null
  readonly key: Value
  readonly valueSchema: Schema | null
  readonly value: Value
  readonly timestamp: number | null
  readonly headers: readonly Header[]
  readonly sourcePartition: SourcePosition
  readonly sourceOffset: SourcePosition

  constructor(fields: SourceRecordFields) {
    this.topic = fields.topic
    this.partition = fields.partition
    this.keySchema = fields.keySchema
    this.key = fields.key
    this.valueSchema = fields.valueSchema
    this.value = fields.value
    this.timestamp = fields.timestamp
    this.headers = fields.headers
    this.sourcePartition = fields.sourcePartition
    this.sourceOffset = fields.sourceOffset
  }

  /** A copy with some fields replaced. */
  with(change: RecordChange): SourceRecord {
    return new SourceRecord({ ...this, ...change })
  }
}

export interface SinkRecordFields extends ConnectRecordFields {
  readonly partition: number
  readonly offset: number
  readonly timestampType: 'CreateTime' | 'LogAppendTime' | 'NoTimestampType'
}

/** A record on its way from the log into a sink. */
export class SinkRecord implements SinkRecordFields {
  readonly topic: string
  readonly partition: number
  readonly keySchema: Schema | null
  readonly key: Value
  readonly valueSchema: Schema | null
  readonly value: Value
  readonly timestamp: number | null
  readonly headers: readonly Header[]
  readonly offset: number
  readonly timestampType: SinkRecordFields['timestampType']
  /** Where the record was consumed, whatever transforms made of `topic` and `partition`: offsets are committed for this. */
  readonly originalTopic: string
  readonly originalPartition: number

  constructor(
    fields: SinkRecordFields & {
      readonly originalTopic?: string
      readonly originalPartition?: number
    },
  ) {
    this.topic = fields.topic
    this.partition = fields.partition
    this.keySchema = fields.keySchema
    this.key = fields.key
    this.valueSchema = fields.valueSchema
    this.value = fields.value
    this.timestamp = fields.timestamp
    this.headers = fields.headers
    this.offset = fields.offset
    this.timestampType = fields.timestampType
    this.originalTopic = fields.originalTopic ?? fields.topic
    this.originalPartition = fields.originalPartition ?? fields.partition
  }

  /** A copy with some fields replaced; the original position stays. */
  with(change: RecordChange): SinkRecord {
    return new SinkRecord({ ...this, ...change, partition: change.partition ?? this.partition })
  }
}

export type ConnectRecord = SourceRecord | SinkRecord
