/** A transactional id in `__transaction_state`. The version that leads a key is the record's type, and 0 is the only one. */
import {
  decodeVersioned,
  encodeVersioned,
  field,
  type Infer,
  type InferInput,
  list,
  message,
} from '@millrace/wire'
import { NO_PARTITIONS, type PartitionSet, withPartitions } from '../txn/partitions'
import { NO_EPOCH, type Transaction, txnStates } from '../txn/transaction'
import type { LogRecord } from './codec'

const TransactionLogKey = message(
  { name: 'TransactionLogKey', key: -1, versions: '0', flexible: 'none' },
  { transactionalId: field('string', '0+') },
)
const KEY_VERSION = 0

const TransactionLogValue = message(
  { name: 'TransactionLogValue', key: -1, versions: '0-1', flexible: '1+' },
  {
    producerId: field('int64', '0+'),
    previousProducerId: field('int64', '1+', { tag: 0, default: -1 }),
    nextProducerId: field('int64', '1+', { tag: 1, default: -1 }),
    producerEpoch: field('int16', '0+'),
    nextProducerEpoch: field('int16', '1+', { tag: 3, default: -1 }),
    transactionTimeoutMs: field('int32', '0+'),
    transactionStatus: field('int8', '0+'),
    transactionPartitions: list(
      '0+',
      { topic: field('string', '0+'), partitionIds: list('0+', 'int32') },
      { nullable: '0+' },
    ),
    transactionLastUpdateTimestampMs: field('int64', '0+'),
    transactionStartTimestampMs: field('int64', '0+'),
    clientTransactionVersion: field('int16', '1+', { tag: 2, default: 0 }),
  },
)
type TransactionLogValue = Infer<typeof TransactionLogValue>

/** What a record of the log says; null for a transactional id that was removed. */
export interface TransactionRecord {
  readonly transactionalId: string
  readonly transaction: Transaction | null
}

/** `valueVersion` is 0 while the cluster is at transaction.version 0, else 1. */
export function encodeTransaction(transaction: Transaction, valueVersion: 0 | 1): LogRecord {
  return {
    key: keyOf(transaction.transactionalId),
    value: encodeVersioned(TransactionLogValue, valueVersion, valueOf(transaction)),
  }
}

/** The record that removes a transactional id. */
export function transactionTombstone(transactionalId: string): LogRecord {
  return { key: keyOf(transactionalId), value: null }
}

/**
 * Reads a record; null if it is of a type or version that this version does not know.
 * @throws PlatformError WIRE_* if its bytes make no sense.
 */
export function decodeTransaction({ key, value }: LogRecord): TransactionRecord | null {
  if (key.length < 2 || key.readInt16BE(0) !== KEY_VERSION) return null
  const { transactionalId } = decodeVersioned(TransactionLogKey, key).value
  if (value === null) return { transactionalId, transaction: null }
  if (value.readInt16BE(0) > TransactionLogValue.versions.max) return null
  const stored = decodeVersioned(TransactionLogValue, value).value
  const state = txnStates[stored.transactionStatus]
  if (state === undefined) return null
  return { transactionalId, transaction: { ...fieldsOf(stored), transactionalId, state } }
}

function keyOf(transactionalId: string): Buffer {
  return encodeVersioned(TransactionLogKey, KEY_VERSION, { transactionalId })
}

function valueOf(transaction: Transaction): InferInput<typeof TransactionLogValue> {
  const { partitions, state } = transaction
  return {
    producerId: transaction.producerId,
    previousProducerId: transaction.previousProducerId,
    nextProducerId: transaction.nextProducerId,
    producerEpoch: transaction.producerEpoch,
    transactionTimeoutMs: transaction.timeoutMs,
    transactionStatus: txnStates.indexOf(state),
    transactionPartitions:
      state === 'Empty'
        ? null
        : Array.from(partitions, ([topic, ids]) => ({ topic, partitionIds: [...ids] })),
    transactionLastUpdateTimestampMs: transaction.lastUpdateTimestamp,
    transactionStartTimestampMs: transaction.startTimestamp,
    clientTransactionVersion: transaction.clientVersion,
  }
}

function fieldsOf(value: TransactionLogValue): Omit<Transaction, 'transactionalId' | 'state'> {
  return {
    producerId: value.producerId,
    previousProducerId: value.previousProducerId,
    nextProducerId: value.nextProducerId,
    producerEpoch: value.producerEpoch,
    lastProducerEpoch: NO_EPOCH,
    timeoutMs: value.transactionTimeoutMs,
    partitions: partitionsOf(value),
    startTimestamp: value.transactionStartTimestampMs,
    lastUpdateTimestamp: value.transactionLastUpdateTimestampMs,
    clientVersion: value.clientTransactionVersion,
  }
}

function partitionsOf({ transactionPartitions }: TransactionLogValue): PartitionSet {
  const listed = (transactionPartitions ?? []).flatMap(({ topic, partitionIds }) =>
    partitionIds.map((partition) => ({ topic, partition })),
  )
  return withPartitions(NO_PARTITIONS, listed)
}
