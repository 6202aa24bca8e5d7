import { NO_PARTITIONS, type PartitionSet } from './partitions'

/** Names of the states as Kafka's tools show them, at the position of their number in the log. */
export const txnStates = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
] as const
export type TxnState = (typeof txnStates)[number]

/** States that Kafka has in passing only: they never lie in the log, but a tool may filter by them. */
export const passingTxnStates: readonly string[] = ['Dead', 'PrepareEpochFence']

/** The generation of the protocol with an epoch for each transaction, and partitions that are added without being announced. */
export const TRANSACTION_V2 = 2

export const NO_PRODUCER_ID = -1
export const NO_EPOCH = -1
const EPOCH_MAX = 2 ** 15 - 1

/** What is known of a transactional id: an immutable value, and all of it but `lastProducerEpoch` lies in the log. */
export interface Transaction {
  readonly transactionalId: string
  readonly producerId: number
  /** The producer id before the last transition; -1 if there was none. */
  readonly previousProducerId: number
  /** What the producer id becomes when the transaction completes, if its epochs are used up; else -1. */
  readonly nextProducerId: number
  /** -1 until the first InitProducerId is stored. */
  readonly producerEpoch: number
  /** The epoch before the last one, by which a retried request is told from a fenced one; -1 if not known. */
  readonly lastProducerEpoch: number
  readonly timeoutMs: number
  readonly state: TxnState
  /** Those whose marker is still missing, once the end is decided. */
  readonly partitions: PartitionSet
  /** Wall-clock time of the first partition, -1 if there never was one. */
  readonly startTimestamp: number
  readonly lastUpdateTimestamp: number
  /** The generation of the protocol that the client spoke last: below TRANSACTION_V2 the older one. */
  readonly clientVersion: number
}

export function newTransaction(fields: {
  transactionalId: string
  producerId: number
  timeoutMs: number
  now: number
}): Transaction {
  const { now, ...rest } = fields
  return {
    ...rest,
    previousProducerId: NO_PRODUCER_ID,
    nextProducerId: NO_PRODUCER_ID,
    producerEpoch: NO_EPOCH,
    lastProducerEpoch: NO_EPOCH,
    state: 'Empty',
    partitions: NO_PARTITIONS,
    startTimestamp: -1,
    lastUpdateTimestamp: now,
    clientVersion: 0,
  }
}

/** The last epoch is kept for fencing, so the one before it is the last that a producer gets. */
export function isEpochExhausted(epoch: number): boolean {
  return epoch >= EPOCH_MAX - 1
}

/** The end is decided and durable, and markers are on their way: nothing else may happen until they are all written. */
export function isEnding({ state }: Transaction): boolean {
  return state === 'PrepareCommit' || state === 'PrepareAbort'
}

/** The epoch after this one. The largest stays: going on from there would start at a negative one. */
export function bumpedEpoch(epoch: number): number {
  return Math.min(epoch + 1, EPOCH_MAX)
}
