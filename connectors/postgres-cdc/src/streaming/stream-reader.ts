import type { PluginLogger, SourcePosition, SourceRecord } from '@millrace/connect-api'
import {
  type Moment,
  momentOfMicros,
  momentOfMillis,
  type Operation,
  sourceBlock,
  type TransactionBlock,
} from '../envelope'
import { toConnectError } from '../errors'
import {
  isSamePosition,
  type MessageType,
  sourcePartition,
  streamOffset,
  type StreamPosition,
} from '../offsets'
import { Catalog } from '../schema/catalog'
import { Cells } from '../schema/row-decoder'
import { completeShape, type TableSchema, type TableSchemas } from '../schema/table-schema'
import {
  addCreate,
  addDelete,
  addKeyChange,
  addTruncate,
  addUpdate,
  type EventContext,
  type KeyedRow,
} from './change-records'
import {
  type Begin,
  Message,
  readBegin,
  readCommitStop,
  readRelation,
  readTruncatedOids,
  Tuple,
} from './pgoutput'
import { ReplicationConnection, type ReplicationDeps } from './replication-connection'
import { resumeStep, startLsn, wasGiven } from './resume'
import { TransactionCounter } from './transaction-counter'

export interface StreamDeps extends ReplicationDeps {
  readonly logger: PluginLogger
  readonly schemas: TableSchemas
}

/** What streaming starts from. */
export interface StreamStart {
  readonly position: StreamPosition
  /** The last position that is known to be stored, null if none is. */
  readonly committed: StreamPosition | null
  /** Whether records were given up to `position` and may not be stored yet. */
  readonly hasGiven: boolean
}

/** Operations that are left out, as `skipped.operations` names them. */
type Skipped = ReadonlySet<string>

/** Turns the stream of one slot into records, from a position on. */
export class StreamReader {
  readonly #deps: StreamDeps
  readonly #connection: ReplicationConnection
  readonly #skipped: Skipped
  readonly #partition: SourcePosition
  readonly #identity: { readonly prefix: string; readonly database: string }
  readonly #tables = new Map<number, TableSchema | null>()
  readonly #cells = new Cells()
  readonly #oldCells = new Cells()
  readonly #counter: TransactionCounter | null
  /** Opened for the first Relation message: what that leaves out is in the catalog. */
  #catalog: Catalog | null = null
  /** Cut the stream while records were being gathered: thrown by the next poll, since those records count as given. */
  #failure: Error | null = null

  /** How far records were given. Never moves back. */
  #position: StreamPosition
  #offset: SourcePosition
  #hasGiven: boolean
  #committed: StreamPosition | null
  /** End of the last transaction that was taken completely, given or filtered. */
  #completedLsn: number
  /** Where we resume; null once a new transaction was met. */
  #resume: StreamPosition | null

  /** The running transaction; null between transactions. */
  #transaction: Begin | null = null
  #moment: Moment = momentOfMillis(0)
  #step: 'skip' | 'resume' | 'give' = 'give'
  #eventLsn = 0
  #eventOrdinal = 0
  #hasBegun = false

  private constructor(deps: StreamDeps, connection: ReplicationConnection, start: StreamStart) {
    const { config } = deps
    this.#deps = deps
    this.#connection = connection
    this.#skipped = new Set(config.skippedOperations.split(',').map((part) => part.trim()))
    this.#partition = sourcePartition(config.topicPrefix)
    this.#identity = { prefix: config.topicPrefix, database: config.database }
    this.#counter = config.provideTransactionMetadata ? new TransactionCounter() : null
    this.#position = start.position
    this.#resume = start.position
    this.#committed = start.committed
    this.#hasGiven = start.hasGiven
    this.#completedLsn = startLsn(start.position)
    this.#offset = streamOffset(start.position, deps.clock.now() * 1000, 'COMMIT')
  }

  static async open(deps: StreamDeps, start: StreamStart): Promise<StreamReader> {
    const connection = await ReplicationConnection.open(deps, startLsn(start.position))
    return new StreamReader(deps, connection, start)
  }

  /** What a new reader would go on from after this one failed. */
  get progress(): StreamStart {
    return { position: this.#position, committed: this.#committed, hasGiven: this.#hasGiven }
  }

  /** An offset that also says which transactions are complete: for heartbeats. */
  checkpoint(): SourcePosition {
    this.#setPosition({ ...this.#position, lsnCommit: this.#completedLsn }, 'COMMIT')
    return this.#offset
  }

  /** The next records; none if there are none within `maxWaitMs`. */
  async poll(maxWaitMs: number): Promise<SourceRecord[]> {
    const { clock } = this.#deps
    const records: SourceRecord[] = []
    const deadline = clock.monotonicMs() + maxWaitMs
    for (;;) {
      await this.#take(records)
      const leftMs = deadline - clock.monotonicMs()
      if (records.length > 0 || leftMs <= 0) return records
      await this.#connection.wait(leftMs)
    }
  }

  /** A position is stored: the slot may forget what lies before. */
  commit(position: StreamPosition): void {
    this.#committed = position
    this.#confirm()
  }

  wake(): void {
    this.#connection.wake()
  }

  close(): void {
    this.#connection.close()
    this.#catalog?.close()
    this.#catalog = null
  }

  /**
   * Never past what is stored. When all that was given is stored, what was filtered out since counts as done as well: a slot
   * must not hold WAL for changes that nobody wants.
   */
  #confirm(): void {
    if (!this.#deps.config.flushLsnSource) return
    const isAllStored =
      !this.#hasGiven ||
      (this.#committed !== null && isSamePosition(this.#committed, this.#position))
    if (!isAllStored) {
      if (this.#committed?.lsnCommit) this.#connection.confirm(this.#committed.lsnCommit)
      return
    }
    this.#connection.confirm(this.#completedLsn)
    if (this.#transaction === null) this.#connection.confirm(this.#connection.keepaliveLsn)
  }

  /** Decodes what has arrived, up to a full batch. An event's records stay together, so that a batch may end a few late. */
  async #take(records: SourceRecord[]): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    const { clock, config } = this.#deps
    const now = momentOfMillis(clock.now())
    try {
      while (records.length < config.maxBatchSize) {
        const at = this.#connection.next(this.#onKeepalive)
        if (at === 0) return
        if (this.#connection.buffer[at] === Message.relation) await this.#onRelation(at + 1)
        else this.#onMessage(records, at, now)
      }
    } catch (error) {
      this.#failure = toConnectError(error, 'streaming')
      if (records.length === 0) throw this.#failure
    }
  }

  readonly #onKeepalive = (): void => this.#confirm()

  #onMessage(records: SourceRecord[], at: number, now: Moment): void {
    const { buffer } = this.#connection
    switch (buffer[at]) {
      case Message.begin:
        return this.#onBegin(readBegin(buffer, at + 1))
      case Message.commit:
        return this.#onCommit(records, readCommitStop(buffer, at + 1))
      case Message.insert:
        return this.#onInsert(records, at + 1, now)
      case Message.update:
        return this.#onUpdate(records, at + 1, now)
      case Message.delete:
        return this.#onDelete(records, at + 1, now)
      case Message.truncate:
        return this.#onTruncate(records, at + 1, now)
      // Types and origins tell nothing that the records show.
      default:
    }
  }

  #onBegin(begin: Begin): void {
    this.#transaction = begin
    this.#moment = momentOfMicros(begin.commitMicros)
    this.#eventLsn = 0
    this.#eventOrdinal = 0
    this.#hasBegun = false
    this.#step = this.#resume === null ? 'give' : resumeStep(begin, this.#resume)
    if (this.#step === 'give') this.#resume = null
    this.#counter?.begin(begin.txId, this.#connection.lsn)
  }

  #onCommit(records: SourceRecord[], stopLsn: number): void {
    this.#completedLsn = stopLsn
    this.#transaction = null
    if (this.#hasBegun && this.#step !== 'skip') this.#addBoundary(records, 'END')
    if (this.#step === 'resume') this.#resume = null
  }

  /** @throws RetriableError if the catalog cannot be asked */
  async #onRelation(at: number): Promise<void> {
    const relation = readRelation(this.#connection.buffer, at)
    if (!this.#deps.schemas.isCaptured(relation.schema, relation.name)) {
      this.#tables.set(relation.oid, null)
      return
    }
    this.#catalog ??= new Catalog(await this.#deps.sessions.open())
    const shape = completeShape(relation, await this.#catalog.describe(relation.oid))
    this.#tables.set(relation.oid, await this.#deps.schemas.resolve(shape, this.#catalog))
  }

  #onInsert(records: SourceRecord[], at: number, now: Moment): void {
    const { buffer } = this.#connection
    const table = this.#startEvent(records, buffer.readUInt32BE(at), 'c')
    if (table === null) return
    this.#cells.readTuple(buffer, at + 5)
    const after = this.#decode(table, this.#cells)
    addCreate(records, this.#event(table, 'INSERT', now), after)
  }

  #onUpdate(records: SourceRecord[], at: number, now: Moment): void {
    const { buffer } = this.#connection
    const table = this.#startEvent(records, buffer.readUInt32BE(at), 'u')
    if (table === null) return
    const kind = buffer[at + 4]
    const hasOld = kind !== Tuple.new
    const newAt = hasOld ? this.#oldCells.readTuple(buffer, at + 5) : at + 4
    this.#cells.readTuple(buffer, newAt + 1)
    if (kind === Tuple.old) this.#cells.fillUnchanged(this.#oldCells)
    const after = this.#decode(table, this.#cells)
    const event = this.#event(table, 'UPDATE', now)
    if (!hasOld) return addUpdate(records, event, null, after)
    const before = this.#decode(table, this.#oldCells)
    if (before.key === null || table.hasSameKey(this.#oldCells, this.#cells)) {
      return addUpdate(records, event, before.row, after)
    }
    addKeyChange(records, event, before, after, this.#deps.config.tombstonesOnDelete)
  }

  #onDelete(records: SourceRecord[], at: number, now: Moment): void {
    const { buffer } = this.#connection
    const table = this.#startEvent(records, buffer.readUInt32BE(at), 'd')
    if (table === null) return
    this.#oldCells.readTuple(buffer, at + 5)
    const before = this.#decode(table, this.#oldCells)
    const { tombstonesOnDelete } = this.#deps.config
    addDelete(records, this.#event(table, 'DELETE', now), before, tombstonesOnDelete)
  }

  #onTruncate(records: SourceRecord[], at: number, now: Moment): void {
    for (const oid of readTruncatedOids(this.#connection.buffer, at)) {
      const table = this.#startEvent(records, oid, 't')
      if (table !== null) addTruncate(records, this.#event(table, 'TRUNCATE', now))
    }
  }

  /**
   * Counts an event, whether it is wanted or not, so that its ordinal never depends on the configuration. Returns its table, or null if the event
   * is to be left out.
   */
  #startEvent(records: SourceRecord[], oid: number, op: Operation): TableSchema | null {
    const { lsn } = this.#connection
    this.#eventOrdinal = lsn === this.#eventLsn ? this.#eventOrdinal + 1 : 1
    this.#eventLsn = lsn
    const table = this.#tables.get(oid)
    if (table === undefined) throw new Error(`no Relation message came for table OID ${oid}`)
    if (table === null || this.#skipped.has(op)) return null
    if (this.#step === 'give') {
      if (!this.#hasBegun) this.#addBoundary(records, 'BEGIN')
      this.#hasBegun = true
      return table
    }
    if (this.#step === 'resume' && !wasGiven(lsn, this.#eventOrdinal, this.#resume!)) {
      this.#hasBegun = true
      return table
    }
    this.#hasBegun = true
    this.#counter?.count(table)
    return null
  }

  #decode(table: TableSchema, cells: Cells): KeyedRow {
    const row = table.decodeRow(cells)
    return { key: table.decodeKey(cells, row), row }
  }

  /** Moves the position to the event. */
  #event(table: TableSchema, messageType: MessageType, now: Moment): EventContext {
    const offsetBefore = this.#offset
    const { txId } = this.#transaction!
    const lsnCommit = this.#completedLsn
    const lsn = this.#eventLsn
    this.#setPosition({ lsn, ordinal: this.#eventOrdinal, txId, lsnCommit }, messageType)
    const transaction: TransactionBlock | null = this.#counter?.count(table) ?? null
    const source = sourceBlock(this.#identity, {
      table,
      moment: this.#moment,
      snapshot: 'false',
      txId,
      lsn,
      lsnCommit,
    })
    return {
      table,
      source,
      transaction,
      now,
      partition: this.#partition,
      offsetBefore,
      offset: this.#offset,
    }
  }

  #setPosition(position: StreamPosition, messageType: MessageType): void {
    this.#position = position
    this.#hasGiven = true
    this.#offset = streamOffset(position, this.#moment.us, messageType)
  }

  #addBoundary(records: SourceRecord[], status: 'BEGIN' | 'END'): void {
    if (this.#counter === null) return
    if (status === 'END') this.checkpoint()
    records.push(
      this.#counter.boundary(status, {
        topic: `${this.#identity.prefix}.transaction`,
        tsMs: this.#moment.ms,
        sourcePartition: this.#partition,
        sourceOffset: this.#offset,
      }),
    )
  }
}
