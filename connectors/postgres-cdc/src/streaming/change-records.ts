import {
  type Header,
  NO_HEADERS,
  type Schema,
  type SourcePosition,
  SourceRecord,
} from '@millrace/connect-api'
import { type Change, envelope, type Moment } from '../envelope'
import type { Row } from '../schema/row-decoder'
import type { TableSchema } from '../schema/table-schema'

/** Where one event stands: everything about it but its rows. */
export interface EventContext {
  readonly table: TableSchema
  readonly source: Row
  readonly transaction: Change['transaction']
  readonly now: Moment
  readonly partition: SourcePosition
  /** Position before the event and with it. */
  readonly offsetBefore: SourcePosition
  readonly offset: SourcePosition
}

/** A row and its key. */
export interface KeyedRow {
  readonly key: Row | null
  readonly row: Row | null
}

/**
 * Appends the records of an event. Of several records only the last has the event's offset, so that a restart between them
 * gives the whole event again.
 */
export function addCreate(records: SourceRecord[], event: EventContext, after: KeyedRow): void {
  const change = changeOf(event, 'c', null, after.row)
  records.push(toRecord(event, after.key, change, event.offset, NO_HEADERS))
}

export function addUpdate(
  records: SourceRecord[],
  event: EventContext,
  before: Row | null,
  after: KeyedRow,
): void {
  const change = changeOf(event, 'u', before, after.row)
  records.push(toRecord(event, after.key, change, event.offset, NO_HEADERS))
}

export function addDelete(
  records: SourceRecord[],
  event: EventContext,
  before: KeyedRow,
  withTombstone: boolean,
): void {
  const change = changeOf(event, 'd', before.row, null)
  // A compacted topic needs a key for a tombstone to mean something.
  const hasTombstone = withTombstone && before.key !== null
  const offset = hasTombstone ? event.offsetBefore : event.offset
  records.push(toRecord(event, before.key, change, offset, NO_HEADERS))
  if (hasTombstone) records.push(toRecord(event, before.key, null, event.offset, NO_HEADERS))
}

/** A changed key is a deletion under the old key and a creation under the new one, each naming the other in a header. */
export function addKeyChange(
  records: SourceRecord[],
  event: EventContext,
  before: KeyedRow,
  after: KeyedRow,
  withTombstone: boolean,
): void {
  const { keySchema } = event.table
  const deletion = changeOf(event, 'd', before.row, null)
  const newKey = keyHeader('__debezium.newkey', keySchema, after.key)
  records.push(toRecord(event, before.key, deletion, event.offsetBefore, newKey))
  if (withTombstone) records.push(toRecord(event, before.key, null, event.offsetBefore, newKey))
  const creation = changeOf(event, 'c', null, after.row)
  const oldKey = keyHeader('__debezium.oldkey', keySchema, before.key)
  records.push(toRecord(event, after.key, creation, event.offset, oldKey))
}

export function addTruncate(records: SourceRecord[], event: EventContext): void {
  const change = changeOf(event, 't', null, null)
  records.push(toRecord(event, null, change, event.offset, NO_HEADERS))
}

function changeOf(
  event: EventContext,
  op: Change['op'],
  before: Row | null,
  after: Row | null,
): Change {
  return { op, before, after, source: event.source, transaction: event.transaction }
}

function keyHeader(name: string, schema: Schema | null, key: Row | null): readonly Header[] {
  return [{ key: name, schema, value: key }]
}

/** A null change makes a tombstone. */
function toRecord(
  event: EventContext,
  key: Row | null,
  change: Change | null,
  sourceOffset: SourcePosition,
  headers: readonly Header[],
): SourceRecord {
  const { table } = event
  return new SourceRecord({
    topic: table.topic,
    partition: null,
    keySchema: key === null ? null : table.keySchema,
    key,
    valueSchema: change === null ? null : table.envelopeSchema,
    value: change === null ? null : envelope(change, event.now),
    timestamp: null,
    headers,
    sourcePartition: event.partition,
    sourceOffset,
  })
}
