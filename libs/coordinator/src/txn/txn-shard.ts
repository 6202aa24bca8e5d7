import { type Clock, errorMessage } from '@millrace/base'
import { nextBatchSize, RecordCursor } from '@millrace/record'
import type { Logger } from '@millrace/telemetry'
import { ErrorCode } from '@millrace/wire'
import { coordinatorErrorOf } from '../append-error'
import { type CoordinatorLog, TRANSACTIONS_TOPIC } from '../coordinator-log'
import type { LoadState } from '../coordinator-metrics'
import { RecordWriter } from '../record-writer'
import {
  decodeTransaction,
  encodeTransaction,
  transactionTombstone,
} from '../records/transaction-log'
import { completeTransaction } from './completion'
import type { MarkerSender } from './marker-sender'
import type { PartitionSet } from './partitions'
import { isEnding, type Transaction } from './transaction'
import { complete, type Decision, fence, isExpired, isTimedOut, type Moment } from './transitions'

/** Transactional ids that one batch of tombstones removes at most. */
const TOMBSTONES_MAX = 1000

export interface TxnShardDeps {
  readonly log: CoordinatorLog
  readonly clock: Clock
  readonly logger: Logger
  readonly markers: MarkerSender
  /** Never gives the same id twice. */
  readonly producerIds: { next(): Promise<number> }
  /** The finalised level of transaction.version. */
  readonly transactionVersion: () => number
}

interface Entry {
  /** What the log says. */
  txn: Transaction
  /** The next state is on its way to the log. */
  isStoring: boolean
}

/** What came of a request: an error code, and the state that it led to or met. */
export interface Outcome {
  readonly error: number
  readonly txn: Transaction | null
}

/**
 * The transactional ids of one partition of `__transaction_state`. Memory is what the log says (TXN-1): a state counts when
 * it is durable, and `load` goes on from there.
 */
export class TxnShard {
  readonly partition: number
  readonly #deps: TxnShardDeps
  readonly #logger: Logger
  readonly #coordinatorEpoch: number
  readonly #writer: RecordWriter
  readonly #entries = new Map<string, Entry>()
  /** Null until the partition is loaded. */
  #loadTookMs: number | null = null
  /** Set when the partition was given up or could not be read: what requests are told from then on. */
  #closedWith: number | null = null

  constructor(deps: TxnShardDeps, options: { partition: number; coordinatorEpoch: number }) {
    const { partition } = options
    this.partition = partition
    this.#deps = deps
    this.#coordinatorEpoch = options.coordinatorEpoch
    this.#logger = deps.logger.child({ topic: TRANSACTIONS_TOPIC, partition })
    this.#writer = new RecordWriter(deps, { topic: TRANSACTIONS_TOPIC, partition })
  }

  /** What requests are told instead of an answer; NONE when the shard serves. */
  get error(): number {
    if (this.#closedWith !== null) return this.#closedWith
    return this.#loadTookMs === null ? ErrorCode.COORDINATOR_LOAD_IN_PROGRESS : ErrorCode.NONE
  }

  /** For the metrics. One that was closed by whoever leads it now is not among those that are asked. */
  get loadState(): LoadState {
    if (this.#closedWith !== null) return { state: 'failed', loadTookMs: null }
    const loadTookMs = this.#loadTookMs
    return { state: loadTookMs === null ? 'loading' : 'active', loadTookMs }
  }

  /** Replays the partition and goes on with every transaction whose end was decided (TXN-2). Never rejects. */
  async load(): Promise<void> {
    const { clock } = this.#deps
    const startedMs = clock.monotonicMs()
    try {
      await this.#replayLog()
      if (this.#closedWith !== null) return // resigned meanwhile
    } catch (error) {
      this.#logger.error('could not load the transactions of a partition', {
        reason: errorMessage(error),
      })
      this.close(ErrorCode.NOT_COORDINATOR)
      return
    }
    this.#loadTookMs = clock.monotonicMs() - startedMs
    const ending = [...this.#entries.values()].filter(({ txn }) => isEnding(txn))
    const level = this.#entries.size > 0 ? 'info' : 'debug'
    this.#logger[level]('loaded transactional ids', {
      count: this.#entries.size,
      ending: ending.length,
    })
    for (const entry of ending) this.#startCompletion(entry)
  }

  /** Refuses what waits and what comes, and stops sending markers. */
  close(error: number): void {
    if (this.#closedWith !== null) return
    this.#closedWith = error
    this.#writer.close(error)
    this.#entries.clear()
  }

  transaction(transactionalId: string): Transaction | null {
    return this.#entries.get(transactionalId)?.txn ?? null
  }

  *transactions(): IterableIterator<Transaction> {
    for (const { txn } of this.#entries.values()) yield txn
  }

  /** Makes room for a transactional id, which counts when its first state is stored. One that exists stays. */
  add(txn: Transaction): void {
    if (this.#entries.has(txn.transactionalId)) return
    this.#entries.set(txn.transactionalId, { txn, isStoring: false })
  }

  /**
   * Carries out what `decide` says about a transactional id, and resolves when that is durable. An open end is brought to
   * its end after that. Never rejects.
   */
  async change(
    transactionalId: string,
    decide: (txn: Transaction, moment: Moment) => Decision,
  ): Promise<Outcome> {
    let newProducerId: number | null = null
    for (;;) {
      if (this.error !== ErrorCode.NONE) return { error: this.error, txn: null }
      const entry = this.#entries.get(transactionalId)
      if (!entry) return { error: ErrorCode.INVALID_PRODUCER_ID_MAPPING, txn: null }
      const { txn, isStoring } = entry
      const decision = decide(txn, { now: this.#deps.clock.now(), isStoring, newProducerId })
      if (decision.type === 'answer') return { error: decision.error, txn }
      if (decision.type === 'store') return this.#store(entry, decision.next)
      try {
        newProducerId = await this.#deps.producerIds.next()
      } catch (error) {
        this.#logger.error('no producer id', { transactionalId, reason: errorMessage(error) })
        return { error: ErrorCode.COORDINATOR_NOT_AVAILABLE, txn }
      }
      // The state may have changed while we waited: it is judged again, and an id that is not needed is lost, which costs nothing.
    }
  }

  /** Aborts what is open for too long. Resolves when that is decided, which does not wait for markers. */
  async abortTimedOut(): Promise<void> {
    const now = this.#deps.clock.now()
    const late = [...this.#entries.values()].filter(
      ({ txn, isStoring }) => !isStoring && isTimedOut(txn, now),
    )
    await Promise.all(late.map(({ txn }) => this.#abort(txn)))
  }

  /** Forgets transactional ids that nobody has used for so long. @throws ProtocolError */
  async removeExpired(expirationMs: number): Promise<void> {
    const now = this.#deps.clock.now()
    const isUnused = ({ txn, isStoring }: Entry) => !isStoring && isExpired(txn, now, expirationMs)
    const unused = [...this.#entries.values()].filter(isUnused)
    for (let at = 0; at < unused.length; at += TOMBSTONES_MAX) {
      // While one chunk was on its way, a producer of the next may have come back.
      const chunk = unused.slice(at, at + TOMBSTONES_MAX).filter(isUnused)
      if (chunk.length > 0) await this.#remove(chunk)
    }
  }

  async #remove(entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) entry.isStoring = true
    try {
      const tombstones = entries.map(({ txn }) => transactionTombstone(txn.transactionalId))
      await this.#writer.write(tombstones, () => {
        for (const { txn } of entries) this.#entries.delete(txn.transactionalId)
      })
    } catch (error) {
      for (const entry of entries) entry.isStoring = false
      throw error
    }
  }

  async #abort({ transactionalId, producerId, producerEpoch }: Transaction): Promise<void> {
    const version = this.#deps.transactionVersion()
    const { error } = await this.change(transactionalId, (txn, moment) => {
      // The client, or the next producer, may have been faster.
      const isSame = txn.producerId === producerId && txn.producerEpoch === producerEpoch
      if (!isSame || moment.isStoring || !isTimedOut(txn, moment.now)) {
        return { type: 'answer', error: ErrorCode.CONCURRENT_TRANSACTIONS }
      }
      return fence(txn, version, moment)
    })
    if (error === ErrorCode.NONE) {
      this.#logger.info('transaction aborted: its time is over', { transactionalId, producerId })
    }
  }

  async #replayLog(): Promise<void> {
    const cursor = new RecordCursor()
    for (let fromOffset = 0; ; ) {
      const { log } = this.#deps
      const { records, nextOffset } = await log.read(TRANSACTIONS_TOPIC, this.partition, fromOffset)
      if (records.length === 0 || this.#closedWith !== null) return
      for (let at = 0; at < records.length; at += nextBatchSize(records, at)) {
        cursor.open(records, at)
        while (cursor.next()) this.#replay(cursor.key(), cursor.value())
      }
      fromOffset = nextOffset
    }
  }

  #replay(key: Buffer | null, value: Buffer | null): void {
    const record = key && decodeTransaction({ key, value })
    if (!record) {
      this.#logger.warn('a record of an unknown kind was left alone')
      return
    }
    const { transactionalId, transaction } = record
    if (transaction) this.#entries.set(transactionalId, { txn: transaction, isStoring: false })
    else this.#entries.delete(transactionalId)
  }

  /** TXN-1: nobody is told of a state, and nothing follows from it, before it is durable. */
  async #store(entry: Entry, next: Transaction): Promise<Outcome> {
    try {
      await this.#write(entry, next)
      return { error: ErrorCode.NONE, txn: next }
    } catch (error) {
      const { transactionalId, state } = next
      const reason = errorMessage(error)
      this.#logger.warn('state of a transaction not stored', { transactionalId, state, reason })
      return { error: coordinatorErrorOf(error), txn: entry.txn }
    }
  }

  async #write(entry: Entry, next: Transaction): Promise<void> {
    entry.isStoring = true
    try {
      const valueVersion = this.#deps.transactionVersion() >= 1 ? 1 : 0
      await this.#writer.write([encodeTransaction(next, valueVersion)], () => {
        entry.txn = next
        entry.isStoring = false
        if (isEnding(next)) this.#startCompletion(entry)
      })
    } catch (error) {
      // It may be in the log all the same. Then what is stored next overrules it, and until then nothing followed from it.
      entry.isStoring = false
      throw error
    }
  }

  #startCompletion(entry: Entry): void {
    const host = {
      coordinatorEpoch: this.#coordinatorEpoch,
      isClosed: () => this.#closedWith !== null,
      onMarkersWritten: (partitions: PartitionSet) => {
        entry.txn = { ...entry.txn, partitions }
      },
      storeComplete: () => this.#write(entry, complete(entry.txn, this.#deps.clock.now())),
    }
    const deps = { ...this.#deps, logger: this.#logger }
    void completeTransaction(deps, host, entry.txn)
  }
}
