import { boolean, type ConfigOf, int, short } from '@millrace/config'

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const DAY_MS = 24 * 60 * MINUTE_MS

/** The broker's keys for transactions and their topic. */
export const transactionConfigDefinition = {
  transactionMaxTimeoutMs: int('transaction.max.timeout.ms', {
    default: 15 * MINUTE_MS,
    min: 1,
    unit: 'ms',
    importance: 'HIGH',
    doc: 'The longest time that a producer may ask for its transactions. While one is open, readers of committed records wait at it.',
  }),
  transactionalIdExpirationMs: int('transactional.id.expiration.ms', {
    default: 7 * DAY_MS,
    min: 1,
    unit: 'ms',
    importance: 'HIGH',
    doc: 'How long an unused transactional id is remembered. Never while its transaction is open.',
  }),
  abortTimedOutIntervalMs: int('transaction.abort.timed.out.transaction.cleanup.interval.ms', {
    default: 10 * SECOND_MS,
    min: 1,
    unit: 'ms',
    doc: 'How often transactions are looked for whose time is over, to abort them.',
  }),
  removeExpiredIntervalMs: int('transaction.remove.expired.transaction.cleanup.interval.ms', {
    default: 60 * MINUTE_MS,
    min: 1,
    unit: 'ms',
    doc: 'How often transactional ids are looked for that nobody uses any more.',
  }),
  partitionVerificationEnable: boolean('transaction.partition.verification.enable', {
    default: true,
    scope: 'dynamic',
    doc: 'Whether the coordinator is asked, before records of an older client open a transaction in a partition, if the partition is part of it.',
  }),
  requestTimeoutMs: int('request.timeout.ms', {
    default: 30 * SECOND_MS,
    unit: 'ms',
    importance: 'HIGH',
    doc: 'How long a producer waits for the state of its transaction to be stored. After that it is told to ask again; the state is stored all the same. A marker is sent again after so long.',
  }),
  addPartitionsRetryBackoffMs: int('add.partitions.to.txn.retry.backoff.ms', {
    default: 20,
    min: 1,
    unit: 'ms',
    importance: 'HIGH',
    doc: 'Pause before a partition is added again, when the transaction before is still being completed.',
  }),
  addPartitionsRetryBackoffMaxMs: int('add.partitions.to.txn.retry.backoff.max.ms', {
    default: 100,
    min: 0,
    unit: 'ms',
    importance: 'HIGH',
    doc: 'How long that is tried before the client has to try.',
  }),
  transactionsTopicPartitions: int('transaction.state.log.num.partitions', {
    default: 50,
    min: 1,
    importance: 'HIGH',
    doc: 'Partitions of __transaction_state when it is created; must not change later.',
  }),
  transactionsTopicReplicationFactor: short('transaction.state.log.replication.factor', {
    default: 3,
    min: 1,
    importance: 'HIGH',
    doc: 'Replicas of __transaction_state when it is created.',
  }),
  transactionsTopicMinIsr: int('transaction.state.log.min.isr', {
    default: 2,
    min: 1,
    importance: 'HIGH',
    doc: 'Replicas of __transaction_state that must have a state before it counts.',
  }),
  transactionsTopicSegmentBytes: int('transaction.state.log.segment.bytes', {
    default: 104_857_600,
    min: 1,
    unit: 'bytes',
    importance: 'HIGH',
    doc: 'Segment size of __transaction_state: small ones are compacted and loaded sooner.',
  }),
} as const
export type TransactionOptions = ConfigOf<typeof transactionConfigDefinition>
