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
  /** Whether the transactions were given up: the next owner goes on. */
  isClosed(): boolean
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
  const pauses = new Pauses(deps.clock)
  let remaining = listPartitions(txn.partitions)
  while (remaining.length > 0 && !host.isClosed()) {
    const failed = await sendMarkers({ ...deps, logger }, host, txn, remaining)
    if (failed === null || host.isClosed()) return
    remaining = failed
    host.onMarkersWritten(withPartitions(NO_PARTITIONS, remaining))
    if (remaining.length > 0) await pauses.next()
  }
  while (!host.isClosed()) {
    try {
      return await host.storeComplete()
    } catch (error) {
      if (host.isClosed()) return
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
    const details = { topic, partition, error: errorName(error) }
    if (verdict === 'fenced') {
      logger.warn(
        'another coordinator has written to a partition: it ends the transaction',
        details,
      )
      return null
    }
    logger.info('marker not written, trying again', details)
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

/** Pauses that grow. */
class Pauses {
  readonly #clock: Clock
  #nextMs = RETRY_MIN_MS

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Does not keep the process alive. */
  next(): Promise<void> {
    const delayMs = this.#nextMs
    this.#nextMs = Math.min(delayMs * 2, RETRY_MAX_MS)
    return new Promise((resolve) => void this.#clock.schedule(delayMs, resolve))
  }
}
