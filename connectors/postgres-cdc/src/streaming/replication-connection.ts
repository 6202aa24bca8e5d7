import { escapeIdentifier, escapeLiteral } from 'pg'
import type { Clock, Timer } from '@millrace/connect-api'
import { toConnectError } from '../errors'
import { Backend, MessageReader } from '../message-reader'
import type { PostgresConfig } from '../options'
import { queryRows, type SessionFactory } from '../session'
import { formatLsn, readLsn, writeLsn } from './lsn'
import { writeMicros } from './pgoutput'

/** First bytes of what comes inside CopyData. */
const WAL_DATA = 0x77
const KEEPALIVE = 0x6b
const WAL_HEADER_BYTES = 25
/** See `MessageReaderOptions.paceMs`: between 2 and 5 the server is fastest. */
const PACE_MS = 3
/** The server gives a silent client up after wal_sender_timeout: speak this many times as often. */
const UPDATES_PER_TIMEOUT = 3

export interface ReplicationDeps {
  readonly clock: Clock
  readonly config: PostgresConfig
  readonly sessions: SessionFactory
  readonly maxBufferedBytes: number
}

/**
 * One START_REPLICATION stream: hands out pgoutput messages and reports progress back. Confirms nothing by itself: what the
 * slot may forget is told by `confirm`.
 */
export class ReplicationConnection {
  readonly #clock: Clock
  readonly #reader: MessageReader
  readonly #statusIntervalMs: number
  #timer: Timer | null = null
  #confirmedLsn: number
  #receivedLsn: number
  #isClosed = false
  /** LSN of the message that `next` returned, and what the server had sent when it sent the last keepalive. */
  lsn = 0
  keepaliveLsn = 0

  private constructor(
    clock: Clock,
    reader: MessageReader,
    start: { readonly lsn: number; readonly statusIntervalMs: number },
  ) {
    this.#clock = clock
    this.#reader = reader
    this.#confirmedLsn = start.lsn
    this.#receivedLsn = start.lsn
    this.#statusIntervalMs = start.statusIntervalMs
    this.#scheduleStatus()
  }

  /** Streams the transactions that commit at `startLsn` or later. @throws RetriableError, ConfigurationError */
  static async open(deps: ReplicationDeps, startLsn: number): Promise<ReplicationConnection> {
    const { clock, config, sessions } = deps
    const client = await sessions.openReplication()
    const doing = `streaming from slot ${config.slotName}`
    const [row] = await queryRows<{ wal_sender_timeout: string }>(
      client,
      doing,
      'SHOW wal_sender_timeout',
    )
    const reader = new MessageReader(client, clock, {
      maxBufferedBytes: deps.maxBufferedBytes,
      paceMs: PACE_MS,
    })
    try {
      const publication = escapeLiteral(escapeIdentifier(config.publicationName))
      reader.query(
        `START_REPLICATION SLOT ${escapeIdentifier(config.slotName)} LOGICAL ${formatLsn(startLsn)}` +
          ` (proto_version '1', publication_names ${publication})`,
      )
      while ((await reader.receive()) !== Backend.copyBoth);
    } catch (error) {
      reader.close()
      throw toConnectError(error, doing)
    }
    const timeoutMs = parseTimeout(row.wal_sender_timeout)
    const statusIntervalMs = Math.min(
      config.statusUpdateIntervalMs,
      timeoutMs / UPDATES_PER_TIMEOUT,
    )
    return new ReplicationConnection(clock, reader, { lsn: startLsn, statusIntervalMs })
  }

  /** Holds the message that `next` returned. */
  get buffer(): Buffer {
    return this.#reader.buffer
  }

  /**
   * Position in `buffer` of the next pgoutput message, 0 if none has arrived. Answers keepalives on the way: `onKeepalive` runs first,
   * so that it can confirm.
   */
  next(onKeepalive: () => void): number {
    const reader = this.#reader
    for (;;) {
      const type = reader.next()
      if (type === 0) return 0
      if (type === Backend.copyData) {
        const at = reader.bodyStart
        if (reader.buffer[at] === WAL_DATA) {
          this.lsn = readLsn(reader.buffer, at + 1)
          if (this.lsn > this.#receivedLsn) this.#receivedLsn = this.lsn
          return at + WAL_HEADER_BYTES
        }
        if (reader.buffer[at] === KEEPALIVE) this.#onKeepalive(at, onKeepalive)
      } else if (type === Backend.error) {
        throw toConnectError(reader.readError(), 'streaming')
      } else if (type === Backend.copyDone) {
        throw toConnectError(new Error('connection ended by the server'), 'streaming')
      }
    }
  }

  /** Waits for bytes, for `wake`, or until the time is over. */
  wait(timeoutMs: number): Promise<void> {
    return this.#reader.wait(timeoutMs)
  }

  wake(): void {
    this.#reader.wake()
  }

  /** The slot may forget what lies before; never goes back. */
  confirm(lsn: number): void {
    if (lsn <= this.#confirmedLsn) return
    this.#confirmedLsn = lsn
    this.#sendStatus()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#timer?.cancel()
    this.#reader.close()
  }

  #onKeepalive(at: number, onKeepalive: () => void): void {
    const { buffer } = this.#reader
    this.keepaliveLsn = readLsn(buffer, at + 1)
    if (this.keepaliveLsn > this.#receivedLsn) this.#receivedLsn = this.keepaliveLsn
    const wantsReply = buffer[at + 17] === 1
    onKeepalive()
    if (wantsReply) this.#sendStatus()
  }

  #scheduleStatus(): void {
    this.#timer = this.#clock.schedule(this.#statusIntervalMs, () => {
      this.#sendStatus()
      this.#scheduleStatus()
    })
  }

  #sendStatus(): void {
    if (this.#isClosed) return
    const status = Buffer.alloc(34)
    status[0] = 0x72
    writeLsn(status, Math.max(this.#receivedLsn, this.#confirmedLsn), 1)
    writeLsn(status, this.#confirmedLsn, 9)
    writeLsn(status, this.#confirmedLsn, 17)
    writeMicros(status, this.#clock.now() * 1000, 25)
    this.#reader.sendCopyData(status)
  }
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** `1min`, `500ms`; Infinity for 0, which switches the timeout off. */
function parseTimeout(text: string): number {
  const match = /^(\d+)\s*(ms|s|min|h|d)?$/.exec(text)
  const timeoutMs = match === null ? 0 : Number(match[1]) * UNIT_MS[match[2] ?? 'ms']
  return timeoutMs === 0 ? Infinity : timeoutMs
}
