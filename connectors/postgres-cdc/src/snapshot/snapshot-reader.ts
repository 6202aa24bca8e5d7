import { type Client, escapeIdentifier, escapeLiteral } from 'pg'
import { type Clock, NO_HEADERS, type SourcePosition, SourceRecord } from '@millrace/connect-api'
import {
  envelope,
  type Moment,
  momentOfMillis,
  type SnapshotMarker,
  sourceBlock,
} from '../envelope'
import { toConnectError } from '../errors'
import { Backend, MessageReader } from '../message-reader'
import {
  completedSnapshotOffset,
  snapshotOffset,
  sourcePartition,
  type StreamPosition,
} from '../offsets'
import type { PostgresConfig } from '../options'
import { quoteTable } from '../publication'
import { Catalog, type TableId } from '../schema/catalog'
import { Cells, type Row } from '../schema/row-decoder'
import type { TableSchema, TableSchemas } from '../schema/table-schema'
import { closeSession, queryRows } from '../session'

const LOCK_TIMEOUT_MS = 10_000

export interface SnapshotDeps {
  readonly clock: Clock
  readonly config: PostgresConfig
  readonly schemas: TableSchemas
  readonly maxBufferedBytes: number
}

export interface SnapshotStart {
  /** An exported snapshot, or null for one of our own. */
  readonly snapshotName: string | null
  /** Where streaming goes on, null to ask the server. */
  readonly lsn: number | null
}

interface SnapshotTable {
  readonly id: TableId
  readonly schema: TableSchema
  readonly columns: readonly string[]
  /** Shared by the rows that are neither first nor last. */
  readonly source: Row
}

/**
 * Reads all captured tables as of one moment, one after the other. Rows come as answers to plain SELECTs, which the server streams
 * while we read and stops when we do; they have the same text format as the cells of pgoutput, so one decoder serves both.
 */
export class SnapshotReader {
  readonly #deps: SnapshotDeps
  readonly #reader: MessageReader
  readonly #tables: readonly SnapshotTable[]
  readonly #position: StreamPosition
  readonly #partition: SourcePosition
  readonly #offset: SourcePosition
  readonly #cells = new Cells()
  #tableIndex = -1
  #isFirstOfTable = true
  #isFirst = true
  #isDone = false
  /** The last row, held back until we know what follows it: its marker depends on that. */
  #heldTable: SnapshotTable | null = null
  #heldRow: Row | null = null
  #heldKey: Row | null = null
  #heldMarker: SnapshotMarker = 'first'

  private constructor(
    deps: SnapshotDeps,
    reader: MessageReader,
    snapshot: {
      readonly tables: readonly SnapshotTable[]
      readonly position: StreamPosition
      readonly txId: number
      readonly began: Moment
    },
  ) {
    this.#deps = deps
    this.#reader = reader
    this.#tables = snapshot.tables
    this.#position = snapshot.position
    this.#partition = sourcePartition(deps.config.topicPrefix)
    this.#offset = snapshotOffset(snapshot.position.lsn, snapshot.txId, snapshot.began.us)
    this.#startNextTable()
  }

  /** Begins the transaction on `client`, which it takes over, also when it fails. */
  static async open(
    deps: SnapshotDeps,
    client: Client,
    start: SnapshotStart,
  ): Promise<SnapshotReader> {
    try {
      return await SnapshotReader.#begin(deps, client, start)
    } catch (error) {
      closeSession(client) // else each try would leave one behind, until the server takes no more
      throw error
    }
  }

  static async #begin(
    deps: SnapshotDeps,
    client: Client,
    start: SnapshotStart,
  ): Promise<SnapshotReader> {
    const doing = 'starting the snapshot'
    await queryRows(client, doing, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    if (start.snapshotName !== null) {
      const name = escapeLiteral(start.snapshotName)
      await queryRows(client, doing, `SET TRANSACTION SNAPSHOT ${name}`)
    }
    const catalog = new Catalog(client)
    const [state] = await queryRows<{ xmin: string; lsn: string }>(
      client,
      doing,
      `select txid_snapshot_xmin(txid_current_snapshot())::text as xmin,
        (pg_current_wal_lsn() - '0/0')::text as lsn`,
    )
    const captured = (await catalog.tables(deps.config.publishViaPartitionRoot)).filter(
      ({ schema, name }) => deps.schemas.isCaptured(schema, name),
    )
    await lockTables(client, captured)
    const position = {
      lsn: start.lsn ?? Number(state.lsn),
      ordinal: 0,
      // No transaction was begun: the next one is given from its first event.
      txId: null,
      lsnCommit: null,
    }
    const txId = Number(BigInt(state.xmin) & 0xffff_ffffn)
    const began = momentOfMillis(deps.clock.now())
    const tables: SnapshotTable[] = []
    for (const id of captured)
      tables.push(await describeTable(deps, catalog, { id, lsn: position.lsn, txId, began }))
    const reader = new MessageReader(client, deps.clock, {
      maxBufferedBytes: deps.maxBufferedBytes,
      paceMs: 0,
    })
    return new SnapshotReader(deps, reader, { tables, position, txId, began })
  }

  /** Where streaming goes on after the snapshot. */
  get position(): StreamPosition {
    return this.#position
  }

  get isDone(): boolean {
    return this.#isDone
  }

  get tableCount(): number {
    return this.#tables.length
  }

  /** The next rows; none if there are none within `maxWaitMs`, or when the snapshot is done. */
  async poll(maxWaitMs: number): Promise<SourceRecord[]> {
    const records: SourceRecord[] = []
    const deadline = this.#deps.clock.monotonicMs() + maxWaitMs
    for (;;) {
      this.#take(records)
      if (records.length > 0 || this.#isDone) return records
      const leftMs = deadline - this.#deps.clock.monotonicMs()
      if (leftMs <= 0) return records
      await this.#reader.wait(leftMs)
    }
  }

  wake(): void {
    this.#reader.wake()
  }

  close(): void {
    this.#reader.close()
  }

  /** Decodes what has arrived, up to a full batch. */
  #take(records: SourceRecord[]): void {
    const reader = this.#reader
    const now = momentOfMillis(this.#deps.clock.now())
    while (records.length < this.#deps.config.maxBatchSize && !this.#isDone) {
      const type = reader.next()
      if (type === 0) return
      if (type === Backend.dataRow) this.#onRow(records, now)
      else if (type === Backend.readyForQuery) this.#onTableRead(records, now)
      else if (type === Backend.error) {
        const { id } = this.#tables[this.#tableIndex]
        throw toConnectError(reader.readError(), `reading ${id.schema}.${id.name}`)
      }
    }
  }

  #onRow(records: SourceRecord[], now: Moment): void {
    const table = this.#tables[this.#tableIndex]
    this.#cells.readDataRow(this.#reader.buffer, this.#reader.bodyStart)
    const row = table.schema.decodeRow(this.#cells)
    const key = table.schema.decodeKey(this.#cells, row)
    if (this.#heldTable !== null) {
      // The very first row stays `first`, also in a table of one row.
      const isLastOfTable = this.#heldTable !== table && this.#heldMarker !== 'first'
      records.push(this.#record(isLastOfTable ? 'last_in_data_collection' : this.#heldMarker, now))
    }
    this.#heldTable = table
    this.#heldRow = row
    this.#heldKey = key
    this.#heldMarker = this.#isFirst
      ? 'first'
      : this.#isFirstOfTable
        ? 'first_in_data_collection'
        : 'true'
    this.#isFirst = false
    this.#isFirstOfTable = false
  }

  #onTableRead(records: SourceRecord[], now: Moment): void {
    if (this.#startNextTable()) return
    if (this.#heldTable !== null) records.push(this.#record('last', now))
    this.#heldTable = null
    this.#isDone = true
    this.#reader.close()
  }

  #startNextTable(): boolean {
    this.#tableIndex++
    this.#isFirstOfTable = true
    if (this.#tableIndex >= this.#tables.length) {
      this.#isDone = this.#tables.length === 0
      return false
    }
    const { id, columns } = this.#tables[this.#tableIndex]
    const list = columns.map((name) => escapeIdentifier(name)).join(', ')
    // Partitions and inheriting tables are captured as tables of their own.
    this.#reader.query(`SELECT ${list} FROM ${id.isPartitioned ? '' : 'ONLY '}${quoteTable(id)}`)
    return true
  }

  /** The held row as a record. */
  #record(snapshot: SnapshotMarker, now: Moment): SourceRecord {
    const { schema, source } = this.#heldTable!
    const change = {
      op: 'r',
      before: null,
      after: this.#heldRow,
      source: snapshot === 'true' ? source : { ...source, snapshot },
      transaction: null,
    } as const
    return new SourceRecord({
      topic: schema.topic,
      partition: null,
      keySchema: schema.keySchema,
      key: this.#heldKey,
      valueSchema: schema.envelopeSchema,
      value: envelope(change, now),
      timestamp: null,
      headers: NO_HEADERS,
      sourcePartition: this.#partition,
      sourceOffset: snapshot === 'last' ? completedSnapshotOffset(this.#offset) : this.#offset,
    })
  }
}

/** Keeps the shape of the tables until the snapshot ends, as pg_dump does; reads and writes go on. */
async function lockTables(client: Client, tables: readonly TableId[]): Promise<void> {
  if (tables.length === 0) return
  const doing = 'locking the tables against changes of their shape'
  await queryRows(client, doing, `SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`)
  const list = tables.map((table) => `ONLY ${quoteTable(table)}`).join(', ')
  await queryRows(client, doing, `LOCK TABLE ${list} IN ACCESS SHARE MODE`)
}

async function describeTable(
  deps: SnapshotDeps,
  catalog: Catalog,
  table: {
    readonly id: TableId
    readonly lsn: number
    readonly txId: number
    readonly began: Moment
  },
): Promise<SnapshotTable> {
  const { oid, schema, name } = table.id
  const description = await catalog.describe(oid)
  const resolved = await deps.schemas.resolve({ oid, schema, name, ...description }, catalog)
  const identity = { prefix: deps.config.topicPrefix, database: deps.config.database }
  return {
    id: table.id,
    schema: resolved,
    columns: description.columns.map((column) => column.name),
    source: sourceBlock(identity, {
      table: resolved,
      moment: table.began,
      snapshot: 'true',
      txId: table.txId,
      lsn: table.lsn,
      lsnCommit: null,
    }),
  }
}
