import { type Clock, errorMessage } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import { ErrorCode, errorName } from '@millrace/wire'
import type { MarkerSender } from './marker-sender'
import {
  listPartitions,
  NO_PARTITIONS,
  type PartitionSet,
  type TopicPartition,
  withPartitions,
} from './partitions'
import type { Transaction } from './transaction'

/** Pause between two attempts to write markers, or to store that all are written. */
const RETRY_MIN_MS = 20
const RETRY_MAX_MS = 1000

/** Who owns the transaction while it is brought to its end. */
export interface CompletionHost {
  readonly coordinatorEpoch: number
  /** Aborted when the transactions are given up: the next owner goes on. */
  readonly signal: AbortSignal
  /** The markers of all other partitions are written. */
  onMarkersWritten(remaining: PartitionSet): void
  /** Stores that the transaction is complete. Rejects if that is not known to be durable. */
  storeComplete(): Promise<void>
}

type Verdict = 'written' | 'retry' | 'fenced'

/**
 * Brings a transaction whose end is decided to that end: a marker to each partition, then the record that says so. It tries
 * until it succeeds, since the decision is durable and readers wait for it (TXN-2). Never rejects.
 */
export async function completeTransaction(
  deps: { markers: MarkerSender; clock: Clock; logger: Logger },
  host: CompletionHost,
  txn: Transaction,
): Promise<void> {
  const { transactionalId, state } = txn
  const logger = deps.logger.child({ transactionalId, state })
  const pauses = new Pauses(deps.clock, host.signal)
  let remaining = listPartitions(txn.partitions)
  while (remaining.length > 0 && !host.signal.aborted) {
    const failed = await sendMarkers({ ...deps, logger }, host, txn, remaining)
    if (failed === null || host.signal.aborted) return
    remaining = failed
    host.onMarkersWritten(withPartitions(NO_PARTITIONS, remaining))
    if (remaining.length > 0) await pauses.next()
  }
  while (!host.signal.aborted) {
    try {
      return await host.storeComplete()
    } catch (error) {
      if (host.signal.aborted) return
      logger.warn('end of a transaction not stored, trying again', { reason: errorMessage(error) })
      await pauses.next()
    }
  }
}

/** Returns the partitions to try again, or null if another coordinator has taken over. */
async function sendMarkers(
  { markers, logger }: { markers: MarkerSender; logger: Logger },
  { coordinatorEpoch }: CompletionHost,
  txn: Transaction,
  partitions: readonly TopicPartition[],
): Promise<TopicPartition[] | null> {
  const { producerId, producerEpoch, clientVersion, state } = txn
  const isCommit = state === 'PrepareCommit'
  const marker = { producerId, producerEpoch, coordinatorEpoch, isCommit }
  const errors = await markers.send({ ...marker, transactionVersion: clientVersion }, partitions)
  const failed: TopicPartition[] = []
  for (const [at, error] of errors.entries()) {
    const verdict = verdictOf(error)
    if (verdict === 'written') continue
    const { topic, partition } = partitions[at]
    logger.info('marker not written', { topic, partition, error: errorName(error), verdict })
    if (verdict === 'fenced') return null
    failed.push({ topic, partition })
  }
  return failed
}

function verdictOf(error: number): Verdict {
  switch (error) {
    case ErrorCode.NONE:
    // A later epoch has written to the partition, which it may only do after the end of this transaction.
    case ErrorCode.INVALID_PRODUCER_EPOCH:
      return 'written'
    case ErrorCode.TRANSACTION_COORDINATOR_FENCED:
      return 'fenced'
    default:
      return 'retry'
  }
}

/** Pauses that grow, and end when the transactions are given up. */
class Pauses {
  readonly #clock: Clock
  readonly #signal: AbortSignal
  #nextMs = RETRY_MIN_MS

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock
    this.#signal = signal
  }

  async next(): Promise<void> {
    const delayMs = this.#nextMs
    this.#nextMs = Math.min(delayMs * 2, RETRY_MAX_MS)
    await this.#clock.sleep(delayMs, this.#signal).catch(() => undefined)
  }
}
