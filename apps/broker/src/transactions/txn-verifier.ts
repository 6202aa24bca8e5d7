import type { Clock } from '@millrace/base'
import {
  OFFSETS_TOPIC,
  TRANSACTION_V2,
  type TopicPartition,
  type TransactionalRequest,
  type TxnCoordinator,
} from '@millrace/coordinator'
import { ErrorCode } from '@millrace/wire'

/** First versions of a request whose partitions join the transaction by being written to. */
const PRODUCE_ADDING_VERSION = 12
const OFFSET_COMMIT_ADDING_VERSION = 5
/** First versions whose clients know TRANSACTION_ABORTABLE. */
const PRODUCE_ABORTABLE_VERSION = 11
const OFFSET_COMMIT_ABORTABLE_VERSION = 4

export interface VerifierOptions {
  /** Whether older clients' partitions are verified. Asked each time, as it can be changed while the broker runs. */
  readonly isVerifying: () => boolean
  readonly retryBackoffMs: number
  readonly retryMaxMs: number
}

/**
 * Asks the transaction coordinator, before records open a transaction in a partition, whether the partition is part of it.
 * A newer client's partition becomes part of it by this, durable before the records are (TXN-4).
 */
export class TxnVerifier {
  readonly #coordinator: TxnCoordinator
  readonly #clock: Clock
  readonly #options: VerifierOptions

  constructor(deps: { coordinator: TxnCoordinator; clock: Clock }, options: VerifierOptions) {
    this.#coordinator = deps.coordinator
    this.#clock = deps.clock
    this.#options = options
  }

  /** What Produce answers for each partition; NONE if the records may be appended. Never rejects. */
  async verifyProduce(
    request: TransactionalRequest & { apiVersion: number; partitions: readonly TopicPartition[] },
  ): Promise<number[]> {
    const { apiVersion, partitions } = request
    const isAdding = apiVersion >= PRODUCE_ADDING_VERSION
    const knowsAbortable = apiVersion >= PRODUCE_ABORTABLE_VERSION
    const errors = await this.#verify(request, partitions, isAdding)
    return errors.map((error) => produceError(clientError(error, knowsAbortable), isAdding))
  }

  /** What TxnOffsetCommit answers, whose offsets lie in this partition of the offsets topic. Never rejects. */
  async verifyOffsetCommit(
    request: TransactionalRequest & { apiVersion: number; offsetsPartition: number },
  ): Promise<number> {
    const { apiVersion, offsetsPartition } = request
    const isAdding = apiVersion >= OFFSET_COMMIT_ADDING_VERSION
    const knowsAbortable = apiVersion >= OFFSET_COMMIT_ABORTABLE_VERSION
    const partitions = [{ topic: OFFSETS_TOPIC, partition: offsetsPartition }]
    const [error] = await this.#verify(request, partitions, isAdding)
    return clientError(error, knowsAbortable)
  }

  async #verify(
    request: TransactionalRequest,
    partitions: readonly TopicPartition[],
    isAdding: boolean,
  ): Promise<number[]> {
    if (isAdding) {
      const error = await this.#add(request, partitions)
      return partitions.map(() => error)
    }
    if (!this.#options.isVerifying()) return partitions.map(() => ErrorCode.NONE)
    return this.#coordinator.verifyPartitions({ ...request, partitions })
  }

  /** The transaction before may still be completing: a short wait is cheaper than to have the client send everything again. */
  async #add(
    request: TransactionalRequest,
    partitions: readonly TopicPartition[],
  ): Promise<number> {
    const startMs = this.#clock.monotonicMs()
    for (;;) {
      const error = await this.#coordinator.addPartitions({
        ...request,
        partitions,
        clientVersion: TRANSACTION_V2,
      })
      const waitedMs = this.#clock.monotonicMs() - startMs
      if (error !== ErrorCode.CONCURRENT_TRANSACTIONS || waitedMs >= this.#options.retryMaxMs)
        return error
      await this.#clock.sleep(this.#options.retryBackoffMs)
    }
  }
}

function clientError(error: number, knowsAbortable: boolean): number {
  // A client that writes takes this one for fatal only where it is, and else begins again with a new epoch.
  if (error === ErrorCode.PRODUCER_FENCED) return ErrorCode.INVALID_PRODUCER_EPOCH
  if (error === ErrorCode.TRANSACTION_ABORTABLE && !knowsAbortable)
    return ErrorCode.INVALID_TXN_STATE
  return error
}

/** Older producers do not retry every error of a coordinator, but all retry this one, without asking for metadata. */
function produceError(error: number, isAdding: boolean): number {
  switch (error) {
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.NOT_COORDINATOR:
      return ErrorCode.NOT_ENOUGH_REPLICAS
    case ErrorCode.CONCURRENT_TRANSACTIONS:
      return isAdding ? error : ErrorCode.NOT_ENOUGH_REPLICAS
    default:
      return error
  }
}
