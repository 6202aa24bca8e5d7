import { Client } from 'pg'
import {
  failureKind,
  parseConfig,
  type PluginLogger,
  type SourcePosition,
  type SourceRecord,
  type SourceTask,
  systemClock,
} from '@millrace/connect-api'
import { type Postgres, startPostgres } from '../../../test/peers/postgres'
import { postgresCdc } from '../src/plugin'

const silent: PluginLogger = { debug() {}, info() {}, warn() {}, error() {} }

/** The servers of this machine; a missing one is named by a skipped test. */
export const SERVERS = ['npm', 'machine'] as const

export interface Database extends Postgres {
  readonly sql: (text: string, parameters?: unknown[]) => Promise<Record<string, any>[]>
  readonly end: () => Promise<void>
}

/** A server with a session to it that survives restarts. */
export async function openDatabase(
  from: 'npm' | 'machine' | 'any',
  flags: readonly string[] = [],
): Promise<Database | { readonly missing: string }> {
  const server = await startPostgres({ from, flags })
  if ('missing' in server) return server
  let client: Client | null = null
  const connect = async (): Promise<Client> => {
    const made = new Client(server.url)
    made.on('error', () => {
      if (client === made) client = null
    })
    await made.connect()
    return made
  }
  return {
    ...server,
    sql: async (text, parameters) => {
      client ??= await connect()
      const result = await client.query(text, parameters)
      return result.rows
    },
    end: async () => {
      await client?.end()
      await server.stop()
    },
  }
}

/**
 * What the runtime does around a task: keeps what was given, in order, and stores offsets when told to. A new task of the same
 * harness starts from the stored offset.
 */
export class Harness {
  readonly records: SourceRecord[] = []
  readonly failures: unknown[] = []
  readonly #properties: Record<string, string>
  #task: SourceTask | null = null
  #stored: SourcePosition | null
  #given: SourcePosition | null = null

  constructor(
    database: Postgres,
    properties: Record<string, string> = {},
    stored: SourcePosition | null = null,
  ) {
    this.#stored = stored
    this.#properties = {
      'topic.prefix': 'shop',
      'database.hostname': database.host,
      'database.port': String(database.port),
      'database.user': 'postgres',
      'database.dbname': 'postgres',
      'plugin.name': 'pgoutput',
      'poll.interval.ms': '50',
      ...properties,
    }
  }

  get stored(): SourcePosition | null {
    return this.#stored
  }

  async start(): Promise<void> {
    const { config, problems } = parseConfig(postgresCdc.options, this.#properties)
    if (problems.length > 0) throw new Error(JSON.stringify(problems))
    this.#task = postgresCdc.createTask(config, {
      clock: systemClock,
      logger: silent,
      connectorName: 'shop',
      taskId: 0,
      properties: this.#properties,
      offsets: async () => [this.#stored],
    })
    await this.#task.start()
  }

  /** One poll. A retriable failure is kept and gives no records, as in the runtime. */
  async poll(): Promise<readonly SourceRecord[]> {
    try {
      const records = await this.#task!.poll()
      this.records.push(...records)
      if (records.length > 0) this.#given = records[records.length - 1].sourceOffset
      return records
    } catch (error) {
      if (failureKind(error) !== 'retriable') throw error
      this.failures.push(error)
      await systemClock.sleep(50)
      return []
    }
  }

  /** Polls until `isEnough` says so. */
  async until(isEnough: (records: readonly SourceRecord[]) => boolean): Promise<void> {
    const deadline = systemClock.monotonicMs() + 30_000
    while (!isEnough(this.records)) {
      if (systemClock.monotonicMs() > deadline) {
        throw new Error(
          `gave up after ${this.records.length} records; failures: ${this.failures.map(String).join('; ')}`,
        )
      }
      await this.poll()
    }
  }

  async count(recordCount: number): Promise<void> {
    await this.until((records) => records.length >= recordCount)
  }

  /** Stores the offset of the last record, or of an earlier one, and tells the task. */
  async commit(record?: SourceRecord): Promise<void> {
    const offset = record?.sourceOffset ?? this.#given
    if (offset === null) return
    // Through JSON, as the offset topic does.
    this.#stored = JSON.parse(JSON.stringify(offset)) as SourcePosition
    await this.#task!.commit!([{ partition: { server: 'shop' }, offset }])
  }

  async stop(): Promise<void> {
    await this.#task!.stop()
    this.#task = null
  }
}

export type Envelope = {
  before: Record<string, any> | null
  after: Record<string, any> | null
  source: Record<string, any>
  op: string
  transaction: Record<string, any> | null
  ts_ns: bigint
}

export function envelopeOf(record: SourceRecord): Envelope {
  return record.value as Envelope
}

/** `op` of each record, `-` for a tombstone. */
export function operations(records: readonly SourceRecord[]): string {
  return records.map((record) => (record.value === null ? '-' : envelopeOf(record).op)).join('')
}
