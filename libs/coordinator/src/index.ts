export { groupConfigDefinition, type GroupOptions } from './config'
export { groupConfigProblems } from './config-problems'
export {
  OFFSETS_TOPIC,
  TRANSACTIONS_TOPIC,
  type CoordinatorLog,
  type TransactionMarker,
} from './coordinator-log'
export type { Client } from './client'
export { loadTimesOf, partitionStatesOf, type LoadState } from './coordinator-metrics'
export { GroupCoordinator } from './group-coordinator'
export { topicPattern } from './topic-pattern/topic-pattern'
export { transactionConfigDefinition, type TransactionOptions } from './txn/config'
export type { MarkerSender } from './txn/marker-sender'
export { listPartitions, type TopicPartition } from './txn/partitions'
export { passingTxnStates, TRANSACTION_V2, txnStates, type Transaction } from './txn/transaction'
export {
  TxnCoordinator,
  type ProducerIdentity,
  type TransactionalRequest,
  type TransactionFilter,
} from './txn/txn-coordinator'
export type { TopicsView } from './topics-view'
export { noConsumerGroup } from './consumer-requests'
