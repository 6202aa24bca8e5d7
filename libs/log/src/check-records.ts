import { errorCode, errorMessage } from '@millrace/base'
import { batch, checkBatch, checkStoredBatch, nextBatchSize } from '@millrace/record'
import type { LogConfig } from './config'
import { logErrors } from './errors'
import { everyRecord, prepareRecords, refuseRecords, type PreparedRecords } from './prepare-records'
import { readMarker } from './marker'
import {
  checkSequence,
  findDuplicate,
  type ProducerEntry,
  type ProducerState,
  type StoredBatch,
} from './producer-state'
import type { Verifications } from './verifications'

/** The version of `transaction.version` from which on a marker's epoch is newer than that of the batches before it. */
const EPOCH_BUMP_VERSION = 2
const MAX_EPOCH = 2 ** 15 - 1

/** Who appends decides what is checked: a client may send anything, a leader's batch was checked where it came from. */
export type AppendOrigin = 'client' | 'coordinator' | 'replication'

/** What records are checked against; nothing in it is changed. */
export interface AppendContext {
  /** `topic-partition`, for messages. */
  readonly where: string
  readonly config: LogConfig
  readonly producers: ProducerState
  readonly origin: AppendOrigin
  readonly logEndOffset: number
  readonly nowMs: number
  readonly verifications: Verifications
  /** The caller's guard, if it asked the coordinator. */
  readonly verification: number | undefined
  /** Of a marker: from 2 on its epoch must be newer than all that the producer wrote with. */
  readonly transactionVersion: number
}

export interface CheckedRecords extends PreparedRecords {
  /** Where the records are already if this is a retry of what is stored, else null. */
  readonly duplicate: StoredBatch | null
}

/**
 * Checks an append before any of it is taken: one batch of a client or a coordinator, as many as a leader sent. Tells what
 * is to be stored.
 * @throws PlatformError LOG_CORRUPT_BATCH, LOG_BATCH_TOO_LARGE, LOG_BATCH_ABOVE_SEGMENT, LOG_INVALID_RECORD,
 * LOG_UNREADABLE_RECORDS, LOG_INVALID_TIMESTAMP, LOG_INVALID_TXN_STATE, LOG_OUT_OF_ORDER_SEQUENCE, LOG_INVALID_PRODUCER_EPOCH
 */
export function checkRecords(records: Buffer, context: AppendContext): CheckedRecords {
  if (records.length === 0) throw invalidRecord(context, 'there is no batch')
  if (context.origin === 'replication') {
    checkCopies(records, context)
    return { records, maxTimestamp: -1, duplicate: null }
  }
  const size = checkShape(records, 0, context)
  // Kafka takes one, too. Of several, one may be stored already and another not: no single answer is true then.
  if (size < records.length) throw invalidRecord(context, 'bytes follow the one batch')
  checkContent(records, context)
  const prepared = batch.isControl(records, 0)
    ? { records, maxTimestamp: batch.maxTimestamp(records, 0) }
    : prepareRecords(records, context)
  if (prepared.records !== records) checkSize(prepared.records.length, context)
  return { ...prepared, duplicate: checkProducer(records, context) }
}

function checkCopies(records: Buffer, context: AppendContext): void {
  let minOffset = context.logEndOffset
  for (let at = 0; at < records.length; ) {
    const size = checkShape(records, at, context)
    const offset = batch.baseOffset(records, at)
    if (offset < minOffset) throw invalidRecord(context, `offset ${offset} is in the log already`)
    minOffset = batch.nextOffset(records, at)
    at += size
  }
}

/** Size, format and checksum. Returns the size. */
function checkShape(records: Buffer, at: number, context: AppendContext): number {
  let size: number
  try {
    size = nextBatchSize(records, at)
    if (size > 0) checkSize(size, context)
    if (context.origin === 'replication') checkStoredBatch(records, at)
    else checkBatch(records, at)
  } catch (error) {
    throw refuse(error, { records, at }, context)
  }
  if (records.length > context.config.segmentBytes) checkSize(records.length, context)
  return size
}

function checkSize(sizeBytes: number, { where, config, origin }: AppendContext): void {
  const { maxMessageBytes, segmentBytes } = config
  if (origin !== 'replication' && sizeBytes > maxMessageBytes) {
    const params = { sizeBytes, where, maxBytes: maxMessageBytes }
    throw logErrors.create('LOG_BATCH_TOO_LARGE', params)
  }
  if (sizeBytes > segmentBytes) {
    const params = { sizeBytes, where, maxBytes: segmentBytes }
    throw logErrors.create('LOG_BATCH_ABOVE_SEGMENT', params)
  }
}

/** A damaged batch may be sent again; one that says the wrong thing under a good checksum never gets better. */
function refuse(
  error: unknown,
  { records, at }: { records: Buffer; at: number },
  context: AppendContext,
): unknown {
  const code = errorCode(error) ?? ''
  const reason = errorMessage(error)
  if (code.startsWith('LOG_')) return error
  if (code === 'RECORD_BAD_TIMESTAMP' && batch.recordCount(records, at) > 0)
    return allOutOfBounds(records, at, context)
  if (['RECORD_BAD_MAGIC', 'RECORD_BAD_COUNT', 'RECORD_BAD_TIMESTAMP'].includes(code))
    return invalidRecord(context, reason, error)
  const params = { position: at, where: context.where, reason }
  const kind = code === 'RECORD_UNKNOWN_CODEC' ? 'LOG_UNREADABLE_RECORDS' : 'LOG_CORRUPT_BATCH'
  return logErrors.create(kind, params, { cause: error })
}

/** The time of its records counts from that in the header, which is beyond the bounds of any topic. */
function allOutOfBounds(records: Buffer, at: number, context: AppendContext): Error {
  const faults = everyRecord(batch.recordCount(records, at), batch.baseTimestamp(records, at))
  return refuseRecords(faults, context)
}

/** What a leader demands of a new batch beyond its shape; single records are looked at later. */
function checkContent(records: Buffer, context: AppendContext): void {
  if (context.origin !== 'client') return
  if (batch.baseOffset(records, 0) !== 0)
    throw invalidRecord(context, `its base offset is ${batch.baseOffset(records, 0)}, not 0`)
  if (batch.isControl(records, 0))
    throw invalidRecord(context, 'only a coordinator writes control records')
  if (batch.producerId(records, 0) >= 0 && batch.baseSequence(records, 0) < 0)
    throw invalidRecord(context, 'an idempotent batch has no sequence')
}

/** LOG-5: a producer's batches enter the log once and in the order of their sequences. */
function checkProducer(records: Buffer, context: AppendContext): StoredBatch | null {
  const producerId = batch.producerId(records, 0)
  if (producerId < 0) return null
  const entry = context.producers.entry(producerId)
  if (batch.isControl(records, 0)) {
    checkMarker(records, context, entry)
    return null
  }
  if (context.origin === 'client' && entry !== undefined) {
    const epoch = batch.producerEpoch(records, 0)
    const lastSequence = batch.lastSequence(records, 0)
    const duplicate = findDuplicate(entry, epoch, batch.baseSequence(records, 0), lastSequence)
    if (duplicate !== undefined) return duplicate
  }
  checkOrder(records, context)
  checkTransaction(records, context, entry)
  return null
}

/** Epoch and sequence must follow what the producer wrote before. */
function checkOrder(records: Buffer, { where, producers, origin }: AppendContext): void {
  const producerId = batch.producerId(records, 0)
  const epoch = batch.producerEpoch(records, 0)
  const sequence = batch.baseSequence(records, 0)
  const position = producers.position(producerId)
  const verdict = checkSequence(position, epoch, sequence)
  if (verdict === 'stale-epoch') {
    const currentEpoch = position?.epoch
    throw logErrors.create('LOG_INVALID_PRODUCER_EPOCH', { producerId, epoch, where, currentEpoch })
  }
  // A coordinator's batches (offset commits in a transaction) carry no sequences: only the epoch counts.
  if (verdict === 'out-of-order' && origin === 'client') {
    throw outOfOrder(where, { producerId, sequence, lastSequence: position?.lastSequence })
  }
}

/**
 * LOG-9: a batch opens a transaction only if the coordinator was asked, and nothing has ended one of this producer since;
 * and while one is open all its batches belong to it.
 */
function checkTransaction(
  records: Buffer,
  context: AppendContext,
  entry: ProducerEntry | undefined,
): void {
  const { where, verifications } = context
  const producerId = batch.producerId(records, 0)
  const isTransactional = batch.isTransactional(records, 0)
  const isOpen = entry !== undefined && entry.currentTxnFirstOffset >= 0
  if (isOpen && !isTransactional) {
    throw invalidTxnState(
      context,
      producerId,
      'its transaction is open, and the batch is not in it',
    )
  }
  const isSameEpoch = entry?.epoch === batch.producerEpoch(records, 0)
  if (!isTransactional || (isOpen && isSameEpoch)) return
  if (!verifications.isGood(producerId, context.verification)) {
    throw invalidTxnState(context, producerId, 'it belongs to no transaction that is open here')
  }
  if (context.origin !== 'client') return
  const sequence = batch.baseSequence(records, 0)
  const isKnown = entry !== undefined && entry.batches.length > 0
  if (verifications.hasGapBefore(producerId, sequence, isKnown)) {
    throw outOfOrder(where, {
      producerId,
      sequence,
      lastSequence: entry?.batches.at(-1)?.lastSequence,
    })
  }
}

/** LOG-9: a marker of an older epoch, or from a coordinator that was replaced, must not end a later transaction. */
function checkMarker(
  records: Buffer,
  { where, transactionVersion }: AppendContext,
  entry: ProducerEntry | undefined,
): void {
  if (entry === undefined) return
  const producerId = batch.producerId(records, 0)
  const epoch = batch.producerEpoch(records, 0)
  const isAllowed =
    transactionVersion < EPOCH_BUMP_VERSION ? epoch >= entry.epoch : isNewerMarker(epoch, entry)
  if (!isAllowed) {
    const params = { producerId, epoch, where, currentEpoch: entry.epoch }
    throw logErrors.create('LOG_INVALID_PRODUCER_EPOCH', params)
  }
  const coordinatorEpoch = readMarker(records, 0)?.coordinatorEpoch ?? -1
  if (coordinatorEpoch < entry.coordinatorEpoch) {
    const currentEpoch = entry.coordinatorEpoch
    const params = { producerId, where, epoch: coordinatorEpoch, currentEpoch }
    throw logErrors.create('LOG_COORDINATOR_FENCED', params)
  }
}

/**
 * Each transaction ends with a raised epoch. The same one again is a retry of the marker, if nothing is open; at the largest
 * epoch no further raise is possible.
 */
function isNewerMarker(epoch: number, entry: ProducerEntry): boolean {
  if (epoch !== entry.epoch) return epoch > entry.epoch
  return entry.currentTxnFirstOffset < 0 || epoch === MAX_EPOCH
}

function outOfOrder(
  where: string,
  params: { producerId: number; sequence: number; lastSequence: number | undefined },
): Error {
  return logErrors.create('LOG_OUT_OF_ORDER_SEQUENCE', { where, ...params })
}

function invalidTxnState({ where }: AppendContext, producerId: number, reason: string): Error {
  return logErrors.create('LOG_INVALID_TXN_STATE', { producerId, where, reason })
}

function invalidRecord(context: AppendContext, reason: string, cause?: unknown): Error {
  return logErrors.create('LOG_INVALID_RECORD', { where: context.where, reason }, { cause })
}
