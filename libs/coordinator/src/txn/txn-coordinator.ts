import { errorMessage } from '@millrace/base'
import { ErrorCode } from '@millrace/wire'
import { AnswerLimit } from '../answer-limit'
import { coordinatorErrorOf } from '../append-error'
import type { LoadState } from '../coordinator-metrics'
import { onEachShard } from '../each-shard'
import { partitionOfKey } from '../java-hash-code'
import { PeriodicTask } from '../periodic-task'
import type { TransactionOptions } from './config'
import type { TopicPartition } from './partitions'
import {
  newTransaction,
  NO_EPOCH,
  NO_PRODUCER_ID,
  TRANSACTION_V2,
  type Transaction,
} from './transaction'
import {
  addPartitions,
  complete,
  type Decision,
  endTransaction,
  initProducer,
  type Moment,
  type ProducerClaim,
  verifyPartition,
} from './transitions'
import { type Outcome, TxnShard, type TxnShardDeps } from './txn-shard'

/** Who a producer is from now on; -1 and -1 with an error. */
export interface ProducerIdentity {
  readonly errorCode: number
  readonly producerId: number
  readonly producerEpoch: number
}

export interface TransactionalRequest extends ProducerClaim {
  readonly transactionalId: string
}

/** What ListTransactions asks for; everything that is empty or negative filters nothing. */
export interface TransactionFilter {
  readonly states: readonly string[]
  readonly producerIds: readonly number[]
  readonly minDurationMs: number
  readonly matchesId: ((transactionalId: string) => boolean) | null
}

/**
 * Answers all requests of the transactional ids whose partition of `__transaction_state` this broker leads. Every method
 * resolves with an answer: failures are error codes in it. Until `start` and after `stop` that is COORDINATOR_NOT_AVAILABLE.
 */
export class TxnCoordinator {
  readonly #deps: TxnShardDeps
  readonly #options: TransactionOptions
  readonly #shards = new Map<number, TxnShard>()
  readonly #tasks: PeriodicTask[]
  readonly #answers: AnswerLimit
  #partitionCount: number
  #isActive = false

  constructor(deps: TxnShardDeps, options: TransactionOptions) {
    this.#deps = deps
    this.#options = options
    this.#partitionCount = options.transactionsTopicPartitions
    this.#answers = new AnswerLimit(deps.clock, options.requestTimeoutMs)
    this.#tasks = [
      new PeriodicTask(deps.clock, options.abortTimedOutIntervalMs, () =>
        this.#onEachShard('abort late transactions', (shard) => shard.abortTimedOut()),
      ),
      new PeriodicTask(deps.clock, options.removeExpiredIntervalMs, () =>
        this.#onEachShard('remove expired transactional ids', (shard) =>
          shard.removeExpired(options.transactionalIdExpirationMs),
        ),
      ),
    ]
  }

  /** `partitionCount` is that of the topic if it exists: it never changes once transactional ids live in it. */
  start(partitionCount: number = this.#options.transactionsTopicPartitions): void {
    this.#partitionCount = partitionCount
    this.#isActive = true
    for (const task of this.#tasks) task.start()
  }

  stop(): void {
    this.#isActive = false
    for (const task of this.#tasks) task.stop()
    for (const shard of this.#shards.values()) shard.close(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    this.#shards.clear()
  }

  /** This broker leads the partition from now on, in this leader epoch: resolves when its transactions are loaded. */
  async onPartitionElected(partition: number, coordinatorEpoch: number): Promise<void> {
    if (!this.#isActive || this.#shards.has(partition)) return
    const shard = new TxnShard(this.#deps, { partition, coordinatorEpoch })
    this.#shards.set(partition, shard)
    await shard.load()
  }

  /** Another broker leads the partition: producers are told to look for it. */
  onPartitionResigned(partition: number): void {
    this.#shards.get(partition)?.close(ErrorCode.NOT_COORDINATOR)
    this.#shards.delete(partition)
  }

  /** The partition of `__transaction_state` that holds the transactional id. */
  partitionFor(transactionalId: string): number {
    return partitionOfKey(transactionalId, this.#partitionCount)
  }

  /** For the metrics: the partitions that are led, by how far they are loaded. */
  get loadStates(): LoadState[] {
    return Array.from(this.#shards.values(), ({ loadState }) => loadState)
  }

  /** Names a producer, and fences the one that had the transactional id before. */
  async initProducerId(request: {
    transactionalId: string
    timeoutMs: number
    claim: ProducerClaim | null
  }): Promise<ProducerIdentity> {
    const { transactionalId, timeoutMs } = request
    const maxTimeoutMs = this.#options.transactionMaxTimeoutMs
    if (transactionalId === '') return refused(ErrorCode.INVALID_REQUEST)
    if (timeoutMs <= 0 || timeoutMs > maxTimeoutMs) {
      return refused(ErrorCode.INVALID_TRANSACTION_TIMEOUT)
    }
    const found = await this.#findOrAdd(transactionalId, timeoutMs)
    if (!found.shard) return refused(found.error)
    const serverVersion = this.#deps.transactionVersion()
    const { error, txn } = await this.#change(found.shard, transactionalId, (current, moment) =>
      initProducer(current, { ...request, serverVersion }, moment),
    )
    if (error !== ErrorCode.NONE || !txn) return refused(error)
    // The transaction of its predecessor is being aborted: the producer gets its epoch when it asks again after that.
    if (txn.state !== 'Empty') return refused(ErrorCode.CONCURRENT_TRANSACTIONS)
    return identityOf(txn)
  }

  /** Takes partitions into the producer's transaction; an error code for all of them. */
  async addPartitions(
    request: TransactionalRequest & {
      partitions: readonly TopicPartition[]
      clientVersion: number
    },
  ): Promise<number> {
    const { shard, error } = this.#shardOf(request.transactionalId)
    if (!shard) return error
    const outcome = await this.#change(shard, request.transactionalId, (txn, moment) =>
      addPartitions(txn, request, moment),
    )
    return outcome.error
  }

  /** Whether partitions are in the producer's transaction: an error code for each. */
  verifyPartitions(
    request: TransactionalRequest & { partitions: readonly TopicPartition[] },
  ): number[] {
    const { shard, error } = this.#shardOf(request.transactionalId)
    if (!shard) return request.partitions.map(() => error)
    const txn = shard.transaction(request.transactionalId)
    if (!txn) return request.partitions.map(() => ErrorCode.INVALID_PRODUCER_ID_MAPPING)
    return request.partitions.map((partition) => verifyPartition(txn, request, partition))
  }

  /** Commits or aborts. The answer comes when the decision is durable; markers are written after it. */
  async endTransaction(
    request: TransactionalRequest & { isCommit: boolean; clientVersion: number },
  ): Promise<ProducerIdentity> {
    const { shard, error } = this.#shardOf(request.transactionalId)
    if (!shard) return refused(error)
    const outcome = await this.#change(shard, request.transactionalId, (txn, moment) =>
      endTransaction(txn, request, moment),
    )
    return endAnswer(outcome, request.clientVersion)
  }

  describe(transactionalId: string): { errorCode: number; txn: Transaction | null } {
    const { shard, error } = this.#shardOf(transactionalId)
    if (!shard) return { errorCode: error, txn: null }
    const txn = shard.transaction(transactionalId)
    return { errorCode: txn ? ErrorCode.NONE : ErrorCode.TRANSACTIONAL_ID_NOT_FOUND, txn }
  }

  list(filter: TransactionFilter): { errorCode: number; transactions: Transaction[] } {
    if (!this.#isActive) {
      return { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, transactions: [] }
    }
    const now = this.#deps.clock.now()
    const transactions: Transaction[] = []
    for (const shard of this.#shards.values()) {
      if (shard.error === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) {
        return { errorCode: shard.error, transactions: [] }
      }
      for (const txn of shard.transactions()) if (isListed(txn, filter, now)) transactions.push(txn)
    }
    return { errorCode: ErrorCode.NONE, transactions }
  }

  async #findOrAdd(transactionalId: string, timeoutMs: number): Promise<FoundShard> {
    const found = this.#shardOf(transactionalId)
    if (!found.shard || found.shard.transaction(transactionalId)) return found
    try {
      const producerId = await this.#deps.producerIds.next()
      const now = this.#deps.clock.now()
      // Another request may have added it meanwhile, or the partition may be somebody else's by now: `change` looks.
      found.shard.add(newTransaction({ transactionalId, producerId, timeoutMs, now }))
      return found
    } catch (error) {
      const reason = errorMessage(error)
      this.#deps.logger.error('no producer id', { transactionalId, reason })
      return { shard: null, error: ErrorCode.COORDINATOR_NOT_AVAILABLE }
    }
  }

  /** The shard of a transactional id if it serves, else null and why. */
  #shardOf(transactionalId: string): FoundShard {
    if (!this.#isActive) return { shard: null, error: ErrorCode.COORDINATOR_NOT_AVAILABLE }
    if (transactionalId === '') return { shard: null, error: ErrorCode.INVALID_REQUEST }
    const shard = this.#shards.get(this.partitionFor(transactionalId))
    if (!shard) return { shard: null, error: ErrorCode.NOT_COORDINATOR }
    return shard.error === ErrorCode.NONE
      ? { shard, error: ErrorCode.NONE }
      : { shard: null, error: shard.error }
  }

  /** Never rejects. A producer that gives up waiting finds the transaction in motion, or moved, when it comes again. */
  async #change(
    shard: TxnShard,
    transactionalId: string,
    decide: (txn: Transaction, moment: Moment) => Decision,
  ): Promise<Outcome> {
    try {
      return await this.#answers.within(shard.change(transactionalId, decide))
    } catch (error) {
      return { error: coordinatorErrorOf(error), txn: null }
    }
  }

  #onEachShard(task: string, run: (shard: TxnShard) => Promise<void>): Promise<void> {
    const where = { shards: this.#shards.values(), logger: this.#deps.logger }
    return onEachShard(where, task, (shard) => this.#answers.within(run(shard)))
  }
}

type FoundShard = { shard: TxnShard; error: 0 } | { shard: null; error: number }

function isListed(txn: Transaction, filter: TransactionFilter, now: number): boolean {
  const { states, producerIds, minDurationMs, matchesId } = filter
  if (producerIds.length > 0 && !producerIds.includes(txn.producerId)) return false
  if (states.length > 0 && !states.includes(txn.state)) return false
  if (minDurationMs >= 0 && now - txn.startTimestamp <= minDurationMs) return false
  return matchesId === null || matchesId(txn.transactionalId)
}

/** The newer protocol tells the producer who it is in its next transaction. */
function endAnswer({ error, txn }: Outcome, clientVersion: number): ProducerIdentity {
  const isTold = error === ErrorCode.NONE && clientVersion >= TRANSACTION_V2
  if (!isTold || !txn) return refused(error)
  return identityOf(
    txn.state === 'PrepareCommit' || txn.state === 'PrepareAbort' ? complete(txn, 0) : txn,
  )
}

function identityOf({ producerId, producerEpoch }: Transaction): ProducerIdentity {
  return { errorCode: ErrorCode.NONE, producerId, producerEpoch }
}

function refused(errorCode: number): ProducerIdentity {
  return { errorCode, producerId: NO_PRODUCER_ID, producerEpoch: NO_EPOCH }
}
