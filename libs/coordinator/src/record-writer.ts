import type { Clock } from '@millrace/base'
import { BatchBuilder } from '@millrace/record'
import { ErrorCode, protocolError } from '@millrace/wire'
import type { CoordinatorLog, TransactionMarker } from './coordinator-log'
import type { LogRecord } from './records/codec'

/** Writes wait while those before are on their way, then share a batch; it is closed at this size. */
const BATCH_MAX_BYTES = 512 * 1024
/** Batches that are on their way at once: those of transactions and markers cannot be shared. */
const ROUND_MAX_BATCHES = 64
/** Writes that wait while the disk is slow; more are refused with a retriable error. */
const WAITING_MAX_COUNT = 10_000
/** Bytes of those. A single larger write is still taken, alone. */
const WAITING_MAX_BYTES = 16 * 1024 * 1024

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
  readonly sizeBytes: number
  readonly onDurable: () => void
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Writes one partition of a coordinator's topic, in rounds. What waits goes into the next round, so that the fsync of the
 * log is shared, and memory follows the log in its own order (GROUP-4).
 */
export class RecordWriter {
  readonly #log: CoordinatorLog
  readonly #clock: Clock
  readonly #topic: string
  readonly #partition: number
  readonly #builder = new BatchBuilder({ initialBytes: 4096 })
  #waiting: Waiting[] = []
  #waitingBytes = 0
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
    const sizeBytes = content.type === 'marker' ? 0 : sizeOf(content.records)
    if (!this.#hasRoomFor(sizeBytes)) {
      return Promise.reject(protocolError(ErrorCode.COORDINATOR_NOT_AVAILABLE))
    }
    this.#waitingBytes += sizeBytes
    return new Promise((resolve, reject) => {
      this.#waiting.push({ content, sizeBytes, onDurable, resolve, reject })
      if (!this.#isWriting) void this.#writeAll()
    })
  }

  #hasRoomFor(sizeBytes: number): boolean {
    const { length: count } = this.#waiting
    if (count === 0) return true
    return count < WAITING_MAX_COUNT && this.#waitingBytes + sizeBytes <= WAITING_MAX_BYTES
  }

  /** Never rejects: each failure goes to those who wait for it. */
  async #writeAll(): Promise<void> {
    this.#isWriting = true
    while (this.#waiting.length > 0) {
      const round = this.#takeRound()
      const appended = await Promise.allSettled(round.map((group) => this.#append(group)))
      for (const [at, result] of appended.entries()) this.#settle(round[at], result)
    }
    this.#isWriting = false
  }

  #settle(group: readonly Waiting[], result: PromiseSettledResult<void>): void {
    for (const { onDurable, resolve, reject } of group) {
      if (result.status === 'rejected') reject(result.reason)
      else if (this.#closedWith !== null) reject(protocolError(this.#closedWith))
      else {
        onDurable()
        resolve()
      }
    }
  }

  /** What goes to the log at once, by batches: a marker or a transaction's records alone, else all neighbours that fit. */
  #takeRound(): Waiting[][] {
    const round: Waiting[][] = []
    let sharedBytes = BATCH_MAX_BYTES
    let count = 0
    for (const waiting of this.#waiting) {
      const { content } = waiting
      const isShared = content.type === 'records' && sharedBytes < BATCH_MAX_BYTES
      if (isShared) round.at(-1)!.push(waiting)
      else if (round.length === ROUND_MAX_BATCHES) break
      else {
        round.push([waiting])
        sharedBytes = content.type === 'records' ? 0 : BATCH_MAX_BYTES
      }
      if (content.type === 'records') sharedBytes += waiting.sizeBytes
      this.#waitingBytes -= waiting.sizeBytes
      count++
    }
    this.#waiting.splice(0, count)
    return round
  }

  /** Reaches the log before this returns its promise, so in the order of the calls. */
  async #append(group: readonly Waiting[]): Promise<void> {
    const [{ content }] = group
    if (content.type === 'marker') {
      return this.#log.appendMarker(this.#topic, this.#partition, content.marker)
    }
    this.#builder.reset()
    const now = this.#clock.now()
    for (const waiting of group) this.#fill(waiting.content, now)
    if (content.type === 'records') {
      return this.#log.append(this.#topic, this.#partition, this.#builder.build())
    }
    const { producerId, producerEpoch, verification } = content.producer
    const batch = this.#builder.build({ producerId, producerEpoch, isTransactional: true })
    return this.#log.append(this.#topic, this.#partition, batch, verification)
  }

  #fill(content: Content, now: number): void {
    if (content.type === 'marker') return
    for (const { key, value } of content.records) this.#builder.append(now, key, value)
  }
}

function sizeOf(records: readonly LogRecord[]): number {
  let sizeBytes = 0
  for (const { key, value } of records) sizeBytes += key.length + (value?.length ?? 0)
  return sizeBytes
}
