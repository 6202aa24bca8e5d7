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
import { missingPostgres, type Postgres, startPostgres } from '../../../test/peers/postgres'
import { postgresCdc } from '../src/plugin'

const silent: PluginLogger = { debug() {}, info() {}, warn() {}, error() {} }

/** Where a server may come from; one that is missing is named by a skipped suite. */
export const SERVERS = ['npm', 'machine'] as const

/** `describe` where that server can be had, else a skipped one that says what is missing. */
export function describeWithPostgres(
  from: (typeof SERVERS)[number] | 'any',
  run: () => void,
): void {
  const missing = missingPostgres(from)
  if (missing === null) describe(`with the Postgres of ${from}`, run)
  else describe.skip(`with the Postgres of ${from} (${missing})`, run)
}

type ResultRow = Record<string, unknown>

export interface Database extends Postgres {
  readonly sql: (text: string, parameters?: unknown[]) => Promise<ResultRow[]>
  readonly end: () => Promise<void>
}

/** A server with a session to it that survives restarts. @throws if there is none: skip the test by `missingPostgres` */
export async function openDatabase(
  from: 'npm' | 'machine' | 'any',
  flags: readonly string[] = [],
): Promise<Database> {
  const server = await startPostgres({ from, flags })
  if ('missing' in server) throw new Error(server.missing)
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
  before: ResultRow | null
  after: ResultRow | null
  source: ResultRow
  op: string
  transaction: ResultRow | null
  ts_ns: bigint
}

export function envelopeOf(record: SourceRecord): Envelope {
  return record.value as Envelope
}

/** `op` of each record, `-` for a tombstone. */
export function operations(records: readonly SourceRecord[]): string {
  return records.map((record) => (record.value === null ? '-' : envelopeOf(record).op)).join('')
}

export function identityOf(record: SourceRecord): string {
  const { op, source } = envelopeOf(record)
  return `${JSON.stringify(record.key)} ${op} ${String(source.lsn)}`
}

export function fieldNames(schema: {
  readonly fields: readonly { readonly name: string }[]
}): string[] {
  return schema.fields.map(({ name }) => name)
}

export async function pollUntil(run: Harness, isEnough: () => Promise<boolean>): Promise<void> {
  for (let n = 0; n < 500; n++) {
    await run.poll()
    if (await isEnough()) return
  }
  throw new Error('gave up')
}

/** One server for the tests of a suite: each finds an empty schema and has a slot name of its own. */
export function useDatabase(from: (typeof SERVERS)[number]) {
  let database: Database
  let testCount = 0
  const slotName = () => `slot_${testCount}`
  beforeAll(async () => {
    database = await openDatabase(from)
  })
  afterAll(() => database.end())
  beforeEach(async () => {
    testCount++
    await database.sql('drop schema public cascade')
    await database.sql('create schema public')
    await database.sql('drop publication if exists dbz_publication')
  })
  afterEach(async () => {
    await database.sql(
      'select pg_drop_replication_slot(slot_name) from pg_replication_slots where not active',
    )
  })
  return {
    database: () => database,
    slotName,
    harness: (properties: Record<string, string> = {}) =>
      new Harness(database, { 'slot.name': slotName(), ...properties }),
  }
}
