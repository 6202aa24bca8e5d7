import { readFileSync } from 'node:fs'
import { Client } from 'pg'
import { ConfigurationError, type PluginContext, RetriableError } from '@millrace/connect-api'
import { toConnectError } from './errors'
import type { PostgresConfig } from './options'

/** How the server prints values, whatever its or the role's defaults: the decoders of ./schema/text.ts rely on it. */
const SESSION_SETTINGS = [
  'DateStyle=ISO',
  'TimeZone=UTC',
  'IntervalStyle=postgres',
  'bytea_output=hex',
  'extra_float_digits=1',
  'lc_monetary=C',
  'statement_timeout=0',
  'idle_in_transaction_session_timeout=0',
]

const CONNECT_TIMEOUT_MS = 30_000
const NO_TLS = 'The server does not support SSL connections'

/** Opens sessions to the database that a configuration names. */
export class SessionFactory {
  readonly #config: PostgresConfig
  readonly #context: PluginContext
  /** Clear once `prefer` has met a server without TLS. */
  #triesTls: boolean
  readonly #open = new Set<Client>()
  #isClosed = false

  constructor(config: PostgresConfig, context: PluginContext) {
    this.#config = config
    this.#context = context
    this.#triesTls = config.sslMode !== 'disable' && config.sslMode !== 'allow'
  }

  /** A session for SQL. @throws RetriableError, ConfigurationError */
  open(): Promise<Client> {
    return this.#connect(false)
  }

  /** A session for replication commands, which takes simple queries only. @throws RetriableError, ConfigurationError */
  openReplication(): Promise<Client> {
    return this.#connect(true)
  }

  /** Cuts every session that is still open, whatever it waits for, and opens no more. */
  close(): void {
    this.#isClosed = true
    for (const client of this.#open) abandon(client)
    this.#open.clear()
  }

  async #connect(isReplication: boolean): Promise<Client> {
    const { hostname, port, database } = this.#config
    const doing = `connecting to ${hostname}:${port}/${database}`
    if (this.#isClosed) throw new RetriableError(`${doing}: the task is stopping`)
    try {
      return await this.#connectOnce(isReplication, this.#triesTls)
    } catch (error) {
      const message = (error as Error).message
      if (message !== NO_TLS) throw toConnectError(error, doing)
      if (this.#config.sslMode !== 'prefer') {
        throw new ConfigurationError(`${doing}: ${message} (check database.sslmode)`, {
          cause: error,
        })
      }
      this.#triesTls = false
      return this.#connectOnce(isReplication, false).catch((cause: unknown) => {
        throw toConnectError(cause, doing)
      })
    }
  }

  async #connectOnce(isReplication: boolean, useTls: boolean): Promise<Client> {
    const config = this.#config
    const client = new Client({
      host: config.hostname,
      port: config.port,
      user: config.user,
      // An empty password keeps the driver from looking into the home directory.
      password: config.password?.reveal() ?? '',
      database: config.database,
      ssl: useTls ? this.#tlsOptions() : false,
      keepAlive: config.tcpKeepAlive,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      application_name: `millrace ${config.topicPrefix}`,
      options: SESSION_SETTINGS.map((setting) => `-c ${setting}`).join(' '),
      ...(isReplication ? { replication: 'database' } : {}),
    } as ConstructorParameters<typeof Client>[0])
    // A lost session fails the query that runs, or the next one; this listener only keeps the event from being thrown.
    client.on('error', (error) => {
      this.#context.logger.debug('a database session failed', { cause: error.message })
    })
    client.on('end', () => this.#open.delete(client))
    this.#open.add(client)
    try {
      await client.connect()
      return client
    } catch (error) {
      abandon(client)
      this.#open.delete(client)
      throw error
    }
  }

  #tlsOptions() {
    const { sslMode, sslCert, sslKey, sslPassword, sslRootCert } = this.#config
    const checksSigner = sslMode === 'verify-ca' || sslMode === 'verify-full'
    return {
      rejectUnauthorized: checksSigner,
      ...(sslMode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
      ...(sslCert === null ? {} : { cert: readPem('database.sslcert', sslCert) }),
      ...(sslKey === null ? {} : { key: readPem('database.sslkey', sslKey) }),
      ...(sslPassword === null ? {} : { passphrase: sslPassword.reveal() }),
      ...(sslRootCert === null ? {} : { ca: readPem('database.sslrootcert', sslRootCert) }),
    }
  }
}

function readPem(key: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigurationError(`${key} cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

function abandon(client: Client): void {
  client.connection.stream.destroy()
}

/** Ends a session politely, without waiting for it. */
export function closeSession(client: Client): void {
  client.end().catch(() => abandon(client))
}

/** Runs one statement and gives its rows. @throws RetriableError, ConfigurationError, ConnectError naming `doing` */
export async function queryRows<R extends object>(
  client: Client,
  doing: string,
  sql: string,
  parameters?: readonly unknown[],
): Promise<R[]> {
  try {
    const result = await client.query<R>(
      sql,
      parameters === undefined ? undefined : [...parameters],
    )
    return result.rows
  } catch (error) {
    throw toConnectError(error, doing)
  }
}
