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
  const { requestTimeoutMs: timeoutMs } = config.values
  const markers = new LocalMarkers({ replicas, groups, metadata }, { timeoutMs })
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
