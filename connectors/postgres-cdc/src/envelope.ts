import {
  INT64,
  OPTIONAL_INT64,
  OPTIONAL_STRING,
  primitive,
  type Schema,
  STRING,
  structOf,
} from '@millrace/connect-api'
import type { Row } from './schema/row-decoder'
import type { TableSchema } from './schema/table-schema'

/** Version that `source.version` names. */
export const CONNECTOR_VERSION = '0.1.0'

export type Operation = 'c' | 'u' | 'd' | 'r' | 't'
export type SnapshotMarker =
  | 'first'
  | 'first_in_data_collection'
  | 'true'
  | 'last_in_data_collection'
  | 'last'
  | 'false'

/** A point in time in the three units that an event has. Nanoseconds pass 2^53, hence a bigint: made once, shared by many events. */
export interface Moment {
  readonly ms: number
  readonly us: number
  readonly ns: bigint
}

export function momentOfMillis(ms: number): Moment {
  return { ms, us: ms * 1000, ns: BigInt(ms) * 1_000_000n }
}
export function momentOfMicros(us: number): Moment {
  return { ms: Math.floor(us / 1000), us, ns: BigInt(us) * 1000n }
}

const SNAPSHOT_SCHEMA = primitive('string', {
  optional: true,
  name: 'io.debezium.data.Enum',
  version: 1,
  parameters: {
    allowed: 'true,first,first_in_data_collection,last_in_data_collection,last,false,incremental',
  },
  default: 'false',
})

const SOURCE_SCHEMA = structOf(
  {
    version: STRING,
    connector: STRING,
    name: STRING,
    ts_ms: INT64,
    snapshot: SNAPSHOT_SCHEMA,
    db: STRING,
    sequence: OPTIONAL_STRING,
    ts_us: OPTIONAL_INT64,
    ts_ns: OPTIONAL_INT64,
    schema: STRING,
    table: STRING,
    txId: OPTIONAL_INT64,
    lsn: OPTIONAL_INT64,
    xmin: OPTIONAL_INT64,
    origin: OPTIONAL_STRING,
    origin_lsn: OPTIONAL_INT64,
  },
  { name: 'io.debezium.connector.postgresql.Source', version: 1 },
)

const TRANSACTION_BLOCK_SCHEMA = structOf(
  { id: STRING, total_order: INT64, data_collection_order: INT64 },
  { name: 'event.block', version: 1, optional: true },
)

/** The schema of a table's events. `valueSchema` must be optional. */
export function envelopeSchema(name: string, valueSchema: Schema): Schema {
  return structOf(
    {
      before: valueSchema,
      after: valueSchema,
      source: SOURCE_SCHEMA,
      transaction: TRANSACTION_BLOCK_SCHEMA,
      op: STRING,
      ts_ms: OPTIONAL_INT64,
      ts_us: OPTIONAL_INT64,
      ts_ns: OPTIONAL_INT64,
    },
    { name, version: 2 },
  )
}

/** Where an event is numbered inside its transaction. */
export interface TransactionBlock {
  readonly id: string
  readonly total_order: number
  readonly data_collection_order: number
}

/** What the events of one source share. */
export interface SourceIdentity {
  readonly prefix: string
  readonly database: string
}

export interface EventOrigin {
  readonly table: TableSchema
  readonly moment: Moment
  readonly snapshot: SnapshotMarker
  readonly txId: number | null
  readonly lsn: number
  /** Last commit before the event, null if none is known. */
  readonly lsnCommit: number | null
}

/** The `source` block. Properties are in schema order. */
export function sourceBlock(identity: SourceIdentity, origin: EventOrigin): Row {
  const { table, moment, lsn, lsnCommit } = origin
  return {
    version: CONNECTOR_VERSION,
    connector: 'postgresql',
    name: identity.prefix,
    ts_ms: moment.ms,
    snapshot: origin.snapshot,
    db: identity.database,
    sequence: lsnCommit === null ? `[null,"${lsn}"]` : `["${lsnCommit}","${lsn}"]`,
    ts_us: moment.us,
    ts_ns: moment.ns,
    schema: table.schema,
    table: table.name,
    txId: origin.txId,
    lsn,
    xmin: null,
    origin: null,
    origin_lsn: null,
  }
}

export interface Change {
  readonly op: Operation
  readonly before: Row | null
  readonly after: Row | null
  readonly source: Row
  readonly transaction: TransactionBlock | null
}

/** The value of an event. `now` is when we made it. */
export function envelope(change: Change, now: Moment): Row {
  return {
    before: change.before,
    after: change.after,
    source: change.source,
    transaction: change.transaction,
    op: change.op,
    ts_ms: now.ms,
    ts_us: now.us,
    ts_ns: now.ns,
  }
}

export const HEARTBEAT_KEY_SCHEMA = structOf(
  { serverName: STRING },
  { name: 'io.debezium.connector.common.ServerNameKey', version: 1 },
)
export const HEARTBEAT_VALUE_SCHEMA = structOf(
  { ts_ms: INT64 },
  { name: 'io.debezium.connector.common.Heartbeat', version: 1 },
)

export const TRANSACTION_KEY_SCHEMA = structOf(
  { id: STRING },
  { name: 'io.debezium.connector.common.TransactionMetadataKey', version: 1 },
)
