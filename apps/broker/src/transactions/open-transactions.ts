import type { Clock } from '@millrace/base'
import type { Controller } from '@millrace/controller'
import { type GroupCoordinator, TxnCoordinator } from '@millrace/coordinator'
import type { ReplicaManager } from '@millrace/replication'
import type { Logger } from '@millrace/telemetry'
import type { BrokerConfig } from '../config'
import { createCoordinatorLog } from '../coordinator-log'
import { featureLevel } from '../features'
import type { ProducerIdBlock } from '../producer-id-block'
import { LocalMarkers } from './local-markers'
import { TxnVerifier } from './txn-verifier'

/** Kafka's `request.timeout.ms` between brokers: after it a marker is sent again. */
const MARKER_TIMEOUT_MS = 30_000

export interface TransactionParts {
  readonly transactions: TxnCoordinator
  readonly txnVerifier: TxnVerifier
  readonly markers: LocalMarkers
}

/** The transaction coordinator and what it takes to work with this broker's logs. */
export function openTransactions(
  deps: {
    replicas: ReplicaManager
    groups: GroupCoordinator
    controller: Controller
    producerIds: ProducerIdBlock
    clock: Clock
    logger: Logger
  },
  config: { values: BrokerConfig['values']; isVerifying: () => boolean },
): TransactionParts {
  const { replicas, groups, controller, producerIds, clock, logger } = deps
  const metadata = () => controller.metadata()
  const markers = new LocalMarkers({ replicas, groups, metadata }, { timeoutMs: MARKER_TIMEOUT_MS })
  const transactions = new TxnCoordinator(
    {
      log: createCoordinatorLog(replicas),
      clock,
      logger,
      markers,
      producerIds,
      transactionVersion: () => featureLevel(metadata(), 'transaction.version'),
    },
    config.values,
  )
  const txnVerifier = new TxnVerifier(
    { coordinator: transactions, clock },
    {
      isVerifying: config.isVerifying,
      retryBackoffMs: config.values.addPartitionsRetryBackoffMs,
      retryMaxMs: config.values.addPartitionsRetryBackoffMaxMs,
    },
  )
  return { transactions, txnVerifier, markers }
}
