import { ErrorCode } from '@millrace/wire'
import { hasPartition, NO_PARTITIONS, type TopicPartition, withPartitions } from './partitions'
import {
  bumpedEpoch,
  isEnding,
  isEpochExhausted,
  NO_EPOCH,
  NO_PRODUCER_ID,
  TRANSACTION_V2,
  type Transaction,
} from './transaction'

/**
 * What is to be done about a request: nothing, with the error to answer (NONE for a repeated request that had its effect);
 * store a new state; or decide again with a fresh producer id at hand.
 */
export type Decision =
  | { readonly type: 'answer'; readonly error: number }
  | { readonly type: 'store'; readonly next: Transaction }
  | { readonly type: 'needs-producer-id' }

export interface Moment {
  /** Wall-clock milliseconds. */
  readonly now: number
  /** A state is on its way to the log: what it will be is not known yet. */
  readonly isStoring: boolean
  /** A producer id that nobody has, or null if none was fetched yet. */
  readonly newProducerId: number | null
}

export interface ProducerClaim {
  readonly producerId: number
  readonly producerEpoch: number
}

/**
 * A producer with this transactional id begins. `claim` is what it believes to be, null if it just started. An open
 * transaction of its predecessor is aborted first (`PrepareAbort` in the decision): the producer has to ask again.
 */
export function initProducer(
  txn: Transaction,
  request: { timeoutMs: number; claim: ProducerClaim | null; serverVersion: number },
  moment: Moment,
): Decision {
  const { claim, timeoutMs } = request
  if (isInMotion(txn, moment)) return answer(ErrorCode.CONCURRENT_TRANSACTIONS)
  if (claim && !isOwner(txn, claim)) return answer(ErrorCode.PRODUCER_FENCED)
  if (txn.state === 'Ongoing') return fence(txn, request.serverVersion, moment)
  const identity = nextIdentity(txn, claim, moment)
  if ('type' in identity) return identity
  return store(txn, moment.now, {
    ...identity,
    timeoutMs,
    state: 'Empty',
    partitions: NO_PARTITIONS,
    startTimestamp: -1,
  })
}

/** Whether a producer that says who it is may go on: it is the present one, or the last one of a producer id that is used up. */
function isOwner(txn: Transaction, claim: ProducerClaim): boolean {
  return (
    txn.producerEpoch === NO_EPOCH ||
    claim.producerId === txn.producerId ||
    (claim.producerId === txn.previousProducerId && isEpochExhausted(claim.producerEpoch))
  )
}

type Identity = Pick<Transaction, 'producerId' | 'producerEpoch' | 'lastProducerEpoch'>

function nextIdentity(
  txn: Transaction,
  claim: ProducerClaim | null,
  { newProducerId }: Moment,
): Identity | Decision {
  const { producerId, producerEpoch, lastProducerEpoch } = txn
  const isCurrent = claim === null || claim.producerEpoch === producerEpoch
  if (isCurrent && isEpochExhausted(producerEpoch)) {
    if (newProducerId === null) return { type: 'needs-producer-id' }
    const last = claim ? producerEpoch : NO_EPOCH
    return { producerId: newProducerId, producerEpoch: 0, lastProducerEpoch: last }
  }
  if (claim === null) {
    return { producerId, producerEpoch: producerEpoch + 1, lastProducerEpoch: NO_EPOCH }
  }
  if (isCurrent || producerEpoch === NO_EPOCH) {
    return { producerId, producerEpoch: producerEpoch + 1, lastProducerEpoch: producerEpoch }
  }
  // The answer to the same request got lost: the epoch was bumped for this producer already.
  if (claim.producerEpoch === lastProducerEpoch) {
    return { producerId, producerEpoch, lastProducerEpoch }
  }
  return answer(ErrorCode.PRODUCER_FENCED)
}

/** Partitions join the transaction, which begins with the first ones. */
export function addPartitions(
  txn: Transaction,
  request: ProducerClaim & { partitions: readonly TopicPartition[]; clientVersion: number },
  moment: Moment,
): Decision {
  // First: after its epochs are used up a producer comes with its next id, which is not stored before the end is complete.
  if (isInMotion(txn, moment)) return answer(ErrorCode.CONCURRENT_TRANSACTIONS)
  const refusal = checkProducer(txn, request)
  if (refusal !== ErrorCode.NONE) return answer(refusal)
  const isOngoing = txn.state === 'Ongoing'
  const { partitions, clientVersion } = request
  if (isOngoing && partitions.every((partition) => hasPartition(txn.partitions, partition))) {
    return answer(ErrorCode.NONE)
  }
  return store(txn, moment.now, {
    state: 'Ongoing',
    partitions: withPartitions(txn.partitions, partitions),
    startTimestamp: isOngoing ? txn.startTimestamp : moment.now,
    clientVersion,
  })
}

/** Whether the producer may write to a partition that it has announced: an error code. */
export function verifyPartition(
  txn: Transaction,
  producer: ProducerClaim,
  partition: TopicPartition,
): number {
  const refusal = checkProducer(txn, producer)
  if (refusal !== ErrorCode.NONE) return refusal
  if (isEnding(txn)) return ErrorCode.CONCURRENT_TRANSACTIONS
  return hasPartition(txn.partitions, partition) ? ErrorCode.NONE : ErrorCode.TRANSACTION_ABORTABLE
}

/** The client commits or aborts. The rules of a repeated request differ between the generations of the protocol. */
export function endTransaction(
  txn: Transaction,
  request: ProducerClaim & { isCommit: boolean; clientVersion: number },
  moment: Moment,
): Decision {
  return request.clientVersion >= TRANSACTION_V2
    ? endV2(txn, request, moment)
    : endV1(txn, request, moment)
}

function endV1(
  txn: Transaction,
  request: ProducerClaim & { isCommit: boolean },
  moment: Moment,
): Decision {
  const refusal = checkProducer(txn, request)
  if (refusal !== ErrorCode.NONE) return answer(refusal)
  if (isInMotion(txn, moment)) return answer(ErrorCode.CONCURRENT_TRANSACTIONS)
  const { isCommit } = request
  if (txn.state === 'Ongoing') {
    return store(txn, moment.now, { ...prepared(isCommit), clientVersion: 0 })
  }
  return answer(hasEnded(txn, isCommit) ? ErrorCode.NONE : ErrorCode.INVALID_TXN_STATE)
}

/**
 * Each end bumps the epoch, so the epoch tells a repeated request (one behind) from the next one (the present one), and a
 * request that was on its way for long ends nothing that came after it (TXN-3).
 */
function endV2(
  txn: Transaction,
  request: ProducerClaim & { isCommit: boolean },
  moment: Moment,
): Decision {
  if (isInMotion(txn, moment)) return answer(ErrorCode.CONCURRENT_TRANSACTIONS)
  const { producerId, producerEpoch, isCommit } = request
  const isComplete = txn.state === 'CompleteCommit' || txn.state === 'CompleteAbort'
  const isRepeatedOverflow =
    isComplete &&
    txn.previousProducerId === producerId &&
    isEpochExhausted(producerEpoch) &&
    txn.producerEpoch === 0
  if (txn.producerId !== producerId && !isRepeatedOverflow) {
    return answer(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  }
  if (isRepeatedOverflow || (isComplete && txn.producerEpoch === producerEpoch + 1)) {
    return answer(hasEnded(txn, isCommit) ? ErrorCode.NONE : ErrorCode.INVALID_TXN_STATE)
  }
  if (txn.producerEpoch !== producerEpoch) return answer(ErrorCode.PRODUCER_FENCED)
  if (txn.state === 'Ongoing') return prepareV2(txn, { isCommit }, moment)
  // A producer that does not know whether anything began aborts to be sure, and gets a new epoch for it.
  return isCommit
    ? answer(ErrorCode.INVALID_TXN_STATE)
    : prepareV2(txn, { isCommit, startTimestamp: moment.now }, moment)
}

/** Aborts an open transaction for another reason than its producer's wish, who is fenced by it. */
export function fence(txn: Transaction, serverVersion: number, moment: Moment): Decision {
  if (serverVersion >= TRANSACTION_V2) return prepareV2(txn, { isCommit: false }, moment)
  return store(txn, moment.now, {
    ...prepared(false),
    producerEpoch: bumpedEpoch(txn.producerEpoch),
    lastProducerEpoch: NO_EPOCH,
    clientVersion: 0,
  })
}

function prepareV2(
  txn: Transaction,
  end: { isCommit: boolean; startTimestamp?: number },
  moment: Moment,
): Decision {
  const isExhausted = isEpochExhausted(txn.producerEpoch)
  if (isExhausted && moment.newProducerId === null) return { type: 'needs-producer-id' }
  return store(txn, moment.now, {
    ...prepared(end.isCommit),
    producerEpoch: bumpedEpoch(txn.producerEpoch),
    lastProducerEpoch: txn.producerEpoch,
    nextProducerId: isExhausted ? moment.newProducerId! : NO_PRODUCER_ID,
    startTimestamp: end.startTimestamp ?? txn.startTimestamp,
    clientVersion: TRANSACTION_V2,
  })
}

/** All markers are written. Also says what an EndTxn of the newer protocol answers, long before this is stored. */
export function complete(txn: Transaction, now: number): Transaction {
  const isRotated = txn.clientVersion >= TRANSACTION_V2 && txn.nextProducerId !== NO_PRODUCER_ID
  return {
    ...txn,
    ...(isRotated ? { producerId: txn.nextProducerId, producerEpoch: 0 } : {}),
    previousProducerId: txn.producerId,
    nextProducerId: NO_PRODUCER_ID,
    state: txn.state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort',
    partitions: NO_PARTITIONS,
    lastUpdateTimestamp: now,
  }
}

/** An open transaction whose client has let its time pass. */
export function isTimedOut(txn: Transaction, now: number): boolean {
  return txn.state === 'Ongoing' && txn.startTimestamp + txn.timeoutMs < now
}

/** A transactional id that nobody has used for so long, and that no transaction is open for. */
export function isExpired(txn: Transaction, now: number, expirationMs: number): boolean {
  const isIdle = txn.state !== 'Ongoing' && !isEnding(txn)
  return isIdle && txn.lastUpdateTimestamp <= now - expirationMs
}

/** Between two states: the client comes back. */
function isInMotion(txn: Transaction, { isStoring }: Moment): boolean {
  return isStoring || isEnding(txn)
}

function checkProducer(txn: Transaction, producer: ProducerClaim): number {
  if (txn.producerId !== producer.producerId) return ErrorCode.INVALID_PRODUCER_ID_MAPPING
  return txn.producerEpoch === producer.producerEpoch ? ErrorCode.NONE : ErrorCode.PRODUCER_FENCED
}

function hasEnded({ state }: Transaction, isCommit: boolean): boolean {
  return state === (isCommit ? 'CompleteCommit' : 'CompleteAbort')
}

function prepared(isCommit: boolean): Pick<Transaction, 'state'> {
  return { state: isCommit ? 'PrepareCommit' : 'PrepareAbort' }
}

function store(txn: Transaction, now: number, changes: Partial<Transaction>): Decision {
  const kept = { ...txn, previousProducerId: txn.producerId, lastUpdateTimestamp: now }
  return { type: 'store', next: { ...kept, ...changes } }
}

function answer(error: number): Decision {
  return { type: 'answer', error }
}
