import {
  failureKind,
  NO_HEADERS,
  type SourcePosition,
  SourceRecord,
  type SourceTask,
  type SourceTaskContext,
} from '@millrace/connect-api'
import type { Client } from 'pg'
import { HEARTBEAT_KEY_SCHEMA, HEARTBEAT_VALUE_SCHEMA } from './envelope'
import { toConnectError } from './errors'
import { parseOffset, sourcePartition, type StoredState, type StreamPosition } from './offsets'
import type { PostgresConfig } from './options'
import { ensurePublication } from './publication'
import { Catalog } from './schema/catalog'
import { TableSchemas } from './schema/table-schema'
import { closeSession, queryRows, SessionFactory } from './session'
import { checkSlot, createSlot, dropSlot, readSlot, type Slot } from './slot'
import { SnapshotReader } from './snapshot/snapshot-reader'
import { planStart } from './start-plan'
import { StreamReader, type StreamStart } from './streaming/stream-reader'

const DEFAULT_BUFFERED_BYTES = 4 * 1024 * 1024
const LONGEST_POLL_MS = 1000
const DROP_TRIES = 20
const DROP_RETRY_MS = 100

/**
 * Reads one database: its tables first if the mode says so, then its changes. A failure closes everything; the next poll opens it
 * again and goes on behind the last record that was given.
 */
export class PostgresTask implements SourceTask {
  readonly #config: PostgresConfig
  readonly #context: SourceTaskContext
  readonly #sessions: SessionFactory
  readonly #schemas: TableSchemas
  readonly #partition: SourcePosition
  readonly #maxBufferedBytes: number
  #snapshot: SnapshotReader | null = null
  #stream: StreamReader | null = null
  /** Whether the snapshot that runs is followed by streaming. */
  #streamsAfterSnapshot = true
  #isIdle = false
  #isStopped = false
  /** Where to stream on from; null until a snapshot or the stored offset gave a position. */
  #progress: StreamStart | null = null
  #stored: StoredState = { kind: 'none' }
  #committed: StreamPosition | null = null
  #hasGivenRows = false
  #lastHeartbeatMs: number
  #wakeIdle: (() => void) | null = null

  constructor(config: PostgresConfig, context: SourceTaskContext) {
    this.#config = config
    this.#context = context
    this.#sessions = new SessionFactory(config, context)
    this.#partition = sourcePartition(config.topicPrefix)
    this.#maxBufferedBytes =
      config.maxQueueBytes > 0 ? config.maxQueueBytes : DEFAULT_BUFFERED_BYTES
    this.#lastHeartbeatMs = context.clock.monotonicMs()
    this.#schemas = new TableSchemas(config, (column, typeOid) =>
      context.logger.warn('left a column out: its type has no mapping', { column, typeOid }),
    )
  }

  async start(): Promise<void> {
    if (this.#config.pluginName !== 'pgoutput') {
      this.#context.logger.warn('plugin.name is taken as pgoutput', {
        given: this.#config.pluginName,
      })
    }
    const [offset] = await this.#context.offsets([this.#partition])
    this.#stored = parseOffset(offset)
    if (this.#stored.kind === 'position') this.#committed = this.#stored.position
    try {
      await this.#open()
    } catch (error) {
      await this.#closeReaders()
      if (failureKind(error) !== 'retriable') throw error
      // The first poll tries again, and reports it if it still fails.
      this.#context.logger.warn('could not start yet', { cause: (error as Error).message })
    }
  }

  async poll(): Promise<readonly SourceRecord[]> {
    if (this.#isStopped) return []
    try {
      if (this.#snapshot === null && this.#stream === null && !this.#isIdle) await this.#open()
      const records = await this.#read()
      this.#addHeartbeat(records)
      return records
    } catch (error) {
      await this.#closeReaders()
      if (this.#isStopped) return []
      throw toConnectError(error, 'reading from Postgres')
    }
  }

  async commit(
    offsets: readonly { readonly partition: SourcePosition; readonly offset: SourcePosition }[],
  ): Promise<void> {
    const own = offsets.find(({ partition }) => partition.server === this.#config.topicPrefix)
    if (own === undefined) return
    const stored = parseOffset(own.offset)
    if (stored.kind !== 'position') return
    this.#committed = stored.position
    this.#stream?.commit(stored.position)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#wakeIdle?.()
    const hadSlot = this.#stream !== null || this.#snapshot !== null
    await this.#closeReaders()
    try {
      if (this.#config.slotDropOnStop && hadSlot) await this.#dropOwnSlot()
    } catch (error) {
      this.#context.logger.warn('could not drop the slot', { cause: (error as Error).message })
    } finally {
      this.#sessions.close()
    }
  }

  /** Decides how to go on, and opens what that needs. */
  async #open(): Promise<void> {
    if (this.#progress !== null) return this.#openStream(this.#progress)
    const client = await this.#sessions.open()
    try {
      const { slotName, snapshotMode, database } = this.#config
      const slot = await readSlot(client, slotName)
      if (slot !== null && snapshotMode !== 'initial_only') checkSlot(slotName, slot, database)
      const plan = planStart(snapshotMode, this.#stored, slot, slotName)
      if (plan.kind === 'idle') this.#isIdle = true
      else if (plan.kind === 'stream') await this.#resumeStream(client, plan.position)
      else if (plan.kind === 'stream-from-slot') await this.#streamFromSlot(client, slot)
      else if (plan.streams) await this.#openSnapshot(client, slot)
      else await this.#openSnapshotAlone()
    } finally {
      closeSession(client)
    }
  }

  async #resumeStream(client: Client, position: StreamPosition): Promise<void> {
    await this.#preparePublication(client)
    await this.#openStream({ position, committed: this.#committed, hasGiven: true })
  }

  async #streamFromSlot(client: Client, slot: Slot | null): Promise<void> {
    await this.#preparePublication(client)
    const lsn = slot?.confirmedFlushLsn ?? (await this.#createSlot((made) => made.consistentLsn))
    const position = { lsn, ordinal: 0, txId: null, lsnCommit: null }
    await this.#openStream({ position, committed: null, hasGiven: false })
  }

  /**
   * A slot without a completed snapshot is of no use: it is left from a run that was cut short, so it is made anew, and the snapshot is
   * taken exactly where the new one begins.
   */
  async #openSnapshot(client: Client, slot: Slot | null): Promise<void> {
    const { slotName } = this.#config
    await this.#preparePublication(client)
    if (slot !== null) {
      this.#context.logger.warn('dropping the slot of an earlier run to begin anew', { slotName })
      await dropSlot(client, slotName, slot)
    }
    this.#streamsAfterSnapshot = true
    await this.#createSlot(async ({ snapshotName, consistentLsn }) => {
      this.#snapshot = await this.#readTables({ snapshotName, lsn: consistentLsn })
    })
  }

  async #openSnapshotAlone(): Promise<void> {
    this.#streamsAfterSnapshot = false
    this.#snapshot = await this.#readTables({ snapshotName: null, lsn: null })
  }

  async #readTables(start: {
    readonly snapshotName: string | null
    readonly lsn: number | null
  }): Promise<SnapshotReader> {
    const deps = {
      clock: this.#context.clock,
      config: this.#config,
      schemas: this.#schemas,
      maxBufferedBytes: this.#maxBufferedBytes,
    }
    const snapshot = await SnapshotReader.open(deps, await this.#sessions.open(), start)
    this.#hasGivenRows = false
    this.#context.logger.info('snapshot began', {
      tables: snapshot.tableCount,
      lsn: snapshot.position.lsn,
    })
    return snapshot
  }

  /** The exported snapshot lives as long as the session that made the slot, so `use` runs before that is closed. */
  async #createSlot<T>(
    use: (made: {
      readonly consistentLsn: number
      readonly snapshotName: string
    }) => T | Promise<T>,
  ): Promise<T> {
    const replication = await this.#sessions.openReplication()
    try {
      const { slotName: name, slotFailover: isFailover } = this.#config
      return await use(await createSlot(replication, { name, isFailover }))
    } finally {
      closeSession(replication)
    }
  }

  async #preparePublication(client: Client): Promise<void> {
    const { publishViaPartitionRoot } = this.#config
    const tables = await new Catalog(client).tables(publishViaPartitionRoot)
    const captured = tables.filter(({ schema, name }) => this.#schemas.isCaptured(schema, name))
    if (captured.length === 0) this.#context.logger.warn('no table is captured yet')
    await ensurePublication(client, this.#config, captured)
  }

  async #openStream(start: StreamStart): Promise<void> {
    this.#progress = start
    const deps = {
      clock: this.#context.clock,
      logger: this.#context.logger,
      config: this.#config,
      sessions: this.#sessions,
      schemas: this.#schemas,
      maxBufferedBytes: this.#maxBufferedBytes,
    }
    this.#stream = await StreamReader.open(deps, start)
    this.#context.logger.info('streaming', { lsn: start.position.lsn })
  }

  async #read(): Promise<SourceRecord[]> {
    const maxWaitMs = Math.min(this.#config.pollIntervalMs, LONGEST_POLL_MS)
    if (this.#isIdle) await this.#idle(maxWaitMs)
    if (this.#stream !== null) return this.#stream.poll(maxWaitMs)
    if (this.#snapshot === null) return []
    const records = await this.#snapshot.poll(maxWaitMs)
    if (records.length > 0) this.#hasGivenRows = true
    if (this.#snapshot.isDone) await this.#endSnapshot(this.#snapshot)
    return records
  }

  /** The stream is opened by the next poll, so that a failure to do so does not take the last rows with it. */
  async #endSnapshot(snapshot: SnapshotReader): Promise<void> {
    this.#context.logger.info('snapshot completed')
    this.#snapshot = null
    if (this.#streamsAfterSnapshot) {
      const hasGiven = this.#hasGivenRows
      this.#progress = { position: snapshot.position, committed: this.#committed, hasGiven }
    } else {
      this.#isIdle = true
    }
  }

  async #idle(maxWaitMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#context.clock.schedule(maxWaitMs, resolve)
      this.#wakeIdle = () => {
        timer.cancel()
        resolve()
      }
    })
    this.#wakeIdle = null
  }

  #addHeartbeat(records: SourceRecord[]): void {
    const { clock, logger } = this.#context
    const { heartbeatIntervalMs, heartbeatTopicsPrefix, heartbeatActionQuery } = this.#config
    if (heartbeatIntervalMs === 0 || this.#stream === null) return
    const nowMs = clock.monotonicMs()
    if (nowMs - this.#lastHeartbeatMs < heartbeatIntervalMs) return
    this.#lastHeartbeatMs = nowMs
    records.push(
      new SourceRecord({
        topic: `${heartbeatTopicsPrefix}.${this.#config.topicPrefix}`,
        partition: null,
        keySchema: HEARTBEAT_KEY_SCHEMA,
        key: { serverName: this.#config.topicPrefix },
        valueSchema: HEARTBEAT_VALUE_SCHEMA,
        value: { ts_ms: clock.now() },
        timestamp: null,
        headers: NO_HEADERS,
        sourcePartition: this.#partition,
        sourceOffset: this.#stream.checkpoint(),
      }),
    )
    if (heartbeatActionQuery === null) return
    this.#runHeartbeatAction(heartbeatActionQuery).catch((error: unknown) =>
      logger.warn('heartbeat.action.query failed', { cause: (error as Error).message }),
    )
  }

  async #runHeartbeatAction(sql: string): Promise<void> {
    const client = await this.#sessions.open()
    try {
      await queryRows(client, 'running heartbeat.action.query', sql)
    } finally {
      closeSession(client)
    }
  }

  /** Keeps how far we came. A snapshot that is cut short leaves nothing: it begins anew. */
  async #closeReaders(): Promise<void> {
    if (this.#stream !== null)
      this.#progress = { ...this.#stream.progress, committed: this.#committed }
    this.#stream?.close()
    this.#stream = null
    this.#snapshot?.close()
    this.#snapshot = null
  }

  async #dropOwnSlot(): Promise<void> {
    const client = await this.#sessions.open()
    try {
      // The server needs a moment to see that we are gone.
      for (let triesLeft = DROP_TRIES; triesLeft > 0; triesLeft--) {
        const slot = await readSlot(client, this.#config.slotName)
        if (slot === null) return
        if (slot.activePid === null || triesLeft === 1) {
          return await dropSlot(client, this.#config.slotName, slot)
        }
        await this.#context.clock.sleep(DROP_RETRY_MS)
      }
    } finally {
      closeSession(client)
    }
  }
}
