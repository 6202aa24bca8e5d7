import type { Clock } from '@millrace/base'
import { BatchBuilder } from '@millrace/record'
import { ErrorCode, protocolError } from '@millrace/wire'
import type { CoordinatorLog, TransactionMarker } from './coordinator-log'
import type { LogRecord } from './records/codec'

/** Writes wait in one batch while the batch before is on its way; a batch is closed at this size. */
const BATCH_MAX_BYTES = 512 * 1024
/** Waiting writes; more are refused with a retriable error. */
const WAITING_MAX_COUNT = 10_000

/** The producer in whose transaction records are written, and the guard that the log gave out before the transaction was looked up (TXN-4). */
export interface TransactionalProducer {
  readonly producerId: number
  readonly producerEpoch: number
  readonly verification?: number
}

type Content =
  | { readonly type: 'records'; readonly records: readonly LogRecord[] }
  | {
      readonly type: 'transactional'
      readonly records: readonly LogRecord[]
      readonly producer: TransactionalProducer
    }
  | { readonly type: 'marker'; readonly marker: TransactionMarker }

interface Waiting {
  readonly content: Content
  readonly onDurable: () => void
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Writes one partition of a coordinator's topic, one batch at a time. What waits shares the next batch, so that the fsync of
 * the log is shared as well, and memory follows the log in its own order (GROUP-4).
 */
export class RecordWriter {
  readonly #log: CoordinatorLog
  readonly #clock: Clock
  readonly #topic: string
  readonly #partition: number
  readonly #builder = new BatchBuilder({ initialBytes: 4096 })
  #waiting: Waiting[] = []
  #isWriting = false
  #closedWith: number | null = null

  constructor(
    deps: { log: CoordinatorLog; clock: Clock },
    { topic, partition }: { topic: string; partition: number },
  ) {
    this.#log = deps.log
    this.#clock = deps.clock
    this.#topic = topic
    this.#partition = partition
  }

  /**
   * Calls `onDurable` in the order of the calls, once the records are durable, and then resolves.
   * @throws ProtocolError of the log; nothing is known to be stored then.
   */
  write(records: readonly LogRecord[], onDurable: () => void): Promise<void> {
    return this.#enqueue({ type: 'records', records }, onDurable)
  }

  /** Writes records that count only once a marker commits them. As `write`. */
  writeTransactional(
    producer: TransactionalProducer,
    records: readonly LogRecord[],
    onDurable: () => void,
  ): Promise<void> {
    return this.#enqueue({ type: 'transactional', records, producer }, onDurable)
  }

  /** Ends a producer's transaction in this partition. As `write`. */
  writeMarker(marker: TransactionMarker, onDurable: () => void): Promise<void> {
    return this.#enqueue({ type: 'marker', marker }, onDurable)
  }

  /** Refuses what waits and what comes; a batch on its way ends without effect. */
  close(error: number): void {
    this.#closedWith = error
    for (const { reject } of this.#waiting.splice(0)) reject(protocolError(error))
  }

  #enqueue(content: Content, onDurable: () => void): Promise<void> {
    if (this.#closedWith !== null) return Promise.reject(protocolError(this.#closedWith))
    if (this.#waiting.length >= WAITING_MAX_COUNT) {
      return Promise.reject(protocolError(ErrorCode.COORDINATOR_NOT_AVAILABLE))
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ content, onDurable, resolve, reject })
      if (!this.#isWriting) void this.#writeAll()
    })
  }

  /** Never rejects: each failure goes to those who wait for it. */
  async #writeAll(): Promise<void> {
    this.#isWriting = true
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup()
      try {
        await this.#append(group)
        if (this.#closedWith !== null) throw protocolError(this.#closedWith)
        for (const { onDurable, resolve } of group) {
          onDurable()
          resolve()
        }
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    this.#isWriting = false
  }

  /** What goes to the log at once: a marker or a transaction's records alone, else all records that fit, at least one write. */
  #takeGroup(): Waiting[] {
    if (this.#waiting[0].content.type !== 'records') return this.#waiting.splice(0, 1)
    this.#builder.reset()
    const now = this.#clock.now()
    let count = 0
    for (; count < this.#waiting.length; count++) {
      const { content } = this.#waiting[count]
      if (content.type !== 'records') break
      if (count > 0 && this.#builder.estimatedBytes >= BATCH_MAX_BYTES) break
      this.#fill(content.records, now)
    }
    return this.#waiting.splice(0, count)
  }

  #append([{ content }]: readonly Waiting[]): Promise<void> {
    switch (content.type) {
      case 'marker':
        return this.#log.appendMarker(this.#topic, this.#partition, content.marker)
      case 'records':
        return this.#log.append(this.#topic, this.#partition, this.#builder.build())
      case 'transactional': {
        const { producerId, producerEpoch, verification } = content.producer
        this.#builder.reset()
        this.#fill(content.records, this.#clock.now())
        const batch = this.#builder.build({ producerId, producerEpoch, isTransactional: true })
        return this.#log.append(this.#topic, this.#partition, batch, verification)
      }
    }
  }

  #fill(records: readonly LogRecord[], now: number): void {
    for (const { key, value } of records) this.#builder.append(now, key, value)
  }
}
