import { errorCode, errorMessage } from '@millrace/base'
import {
  batch,
  checkBatch,
  checkStoredBatch,
  hasKeylessRecord,
  maxRecordTimestamp,
  nextBatchSize,
} from '@millrace/record'
import type { LogConfig } from './config'
import { logErrors } from './errors'
import {
  checkSequence,
  findDuplicate,
  type ProducerState,
  type StoredBatch,
} from './producer-state'

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
}

/**
 * Checks an append before any of it is taken: one batch of a client or a coordinator, as many as a leader sent. Returns null
 * if it may be taken, or where the records are already if this is a retry of what is stored.
 * @throws PlatformError LOG_CORRUPT_BATCH, LOG_BATCH_TOO_LARGE, LOG_INVALID_RECORD, LOG_INVALID_TIMESTAMP,
 * LOG_INVALID_TXN_STATE, LOG_OUT_OF_ORDER_SEQUENCE, LOG_INVALID_PRODUCER_EPOCH
 */
export function checkRecords(records: Buffer, context: AppendContext): StoredBatch | null {
  if (records.length === 0) throw invalidRecord(context, 'there is no batch')
  if (context.origin === 'replication') {
    checkCopies(records, context)
    return null
  }
  const size = checkShape(records, 0, context)
  // Kafka takes one, too. Of several, one may be stored already and another not: no single answer is true then.
  if (size < records.length) throw invalidRecord(context, 'bytes follow the one batch')
  checkContent(records, context)
  return checkProducer(records, context)
}

/**
 * Gives a checked batch its offset, the leader epoch and, if `appendTimeMs` is not -1, the log's time. Only this touches a
 * producer's bytes; but for times, nothing under the checksum.
 */
export function stampRecords(
  records: Buffer,
  stamp: { firstOffset: number; leaderEpoch: number; appendTimeMs: number },
): void {
  batch.setBaseOffset(records, 0, stamp.firstOffset)
  batch.setLeaderEpoch(records, 0, stamp.leaderEpoch)
  if (stamp.appendTimeMs >= 0) {
    batch.setMaxTimestampAndType(records, 0, 'LogAppendTime', stamp.appendTimeMs)
  } else if (isNewestWrong(records)) {
    batch.setMaxTimestampAndType(records, 0, 'CreateTime', newestTimestamp(records))
  }
}

/** The last offset and the newest time of stamped batches. */
export function summarize(records: Buffer): { lastOffset: number; maxTimestamp: number } {
  let lastOffset = -1
  let maxTimestamp = -1
  for (let at = 0; at < records.length; at += batch.sizeBytes(records, at)) {
    lastOffset = batch.lastOffset(records, at)
    maxTimestamp = Math.max(maxTimestamp, batch.maxTimestamp(records, at))
  }
  return { lastOffset, maxTimestamp }
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

/** Format, checksum and size. Returns the size. */
function checkShape(records: Buffer, at: number, context: AppendContext): number {
  try {
    if (context.origin === 'replication') checkStoredBatch(records, at)
    else checkBatch(records, at)
  } catch (error) {
    throw refuse(error, at, context)
  }
  const size = nextBatchSize(records, at)
  const { maxMessageBytes, segmentBytes } = context.config
  const maxBytes =
    context.origin === 'replication' ? segmentBytes : Math.min(maxMessageBytes, segmentBytes)
  if (size > maxBytes || records.length > segmentBytes) {
    const params = { sizeBytes: Math.max(size, records.length), where: context.where, maxBytes }
    throw logErrors.create('LOG_BATCH_TOO_LARGE', params)
  }
  return size
}

/** A damaged batch may be sent again; one that says the wrong thing under a good checksum never gets better. */
function refuse(error: unknown, at: number, context: AppendContext): Error {
  const isContent = [
    'RECORD_BAD_MAGIC',
    'RECORD_BAD_COUNT',
    'RECORD_BAD_TIMESTAMP',
    'RECORD_UNKNOWN_CODEC',
  ]
  const reason = errorMessage(error)
  if (isContent.includes(errorCode(error) ?? '')) return invalidRecord(context, reason, error)
  const params = { position: at, where: context.where, reason }
  return logErrors.create('LOG_CORRUPT_BATCH', params, { cause: error })
}

/** What a leader demands of a new batch beyond its shape. */
function checkContent(records: Buffer, context: AppendContext): void {
  const isControl = batch.isControl(records, 0)
  if (context.origin === 'client') {
    if (isControl) throw invalidRecord(context, 'only a coordinator writes control records')
    if (batch.isTransactional(records, 0)) {
      // Without a coordinator that ends it, the transaction would stay open for ever.
      throw logErrors.create('LOG_INVALID_TXN_STATE', { where: context.where })
    }
    if (batch.producerId(records, 0) >= 0 && batch.baseSequence(records, 0) < 0) {
      throw invalidRecord(context, 'an idempotent batch has no sequence')
    }
    checkTimestamps(records, context)
  }
  if (!isControl && context.config.cleanupPolicy.includes('compact')) checkKeys(records, context)
}

/** Looks at the header only: the batch's own largest and first time stand for its records. */
function checkTimestamps(records: Buffer, context: AppendContext): void {
  const { config, nowMs, where } = context
  if (config.messageTimestampType === 'LogAppendTime') return
  const from = nowMs - config.messageTimestampBeforeMaxMs
  const to = nowMs + config.messageTimestampAfterMaxMs
  const first = batch.baseTimestamp(records, 0)
  const newest = newestTimestamp(records)
  if (batch.timestampType(records, 0) === 'LogAppendTime') {
    throw logErrors.create('LOG_INVALID_TIMESTAMP', {
      timestamp: newest,
      where,
      reason: 'is marked LogAppendTime, which only the log sets',
    })
  }
  const wrong = newest > to ? newest : first >= 0 && first < from ? first : -1
  if (wrong < 0) return
  const reason = `is outside ${from} to ${to}`
  throw logErrors.create('LOG_INVALID_TIMESTAMP', { timestamp: wrong, where, reason })
}

/** Some clients (kafkajs) put the last record's time there: what is older than the first one cannot be the newest. */
function isNewestWrong(records: Buffer): boolean {
  return batch.maxTimestamp(records, 0) < batch.baseTimestamp(records, 0)
}

/** A wrong one would hide the batch from searches by time, and let retention take it too early. */
function newestTimestamp(records: Buffer): number {
  return isNewestWrong(records) ? maxRecordTimestamp(records, 0) : batch.maxTimestamp(records, 0)
}

/** Compaction goes by key, so every record of a compacted topic needs one. */
function checkKeys(records: Buffer, context: AppendContext): void {
  let isKeyless: boolean
  try {
    isKeyless = hasKeylessRecord(records, 0)
  } catch (error) {
    throw invalidRecord(context, errorMessage(error), error)
  }
  if (isKeyless) throw invalidRecord(context, 'a record of a compacted topic has no key')
}

/** LOG-5: a producer's batches enter the log once and in the order of their sequences. */
function checkProducer(records: Buffer, context: AppendContext): StoredBatch | null {
  const producerId = batch.producerId(records, 0)
  if (producerId < 0) return null
  const { where, producers } = context
  const epoch = batch.producerEpoch(records, 0)
  const sequence = batch.baseSequence(records, 0)
  const entry = producers.entry(producerId)
  if (context.origin === 'client' && entry !== undefined) {
    const duplicate = findDuplicate(entry, epoch, sequence, batch.lastSequence(records, 0))
    if (duplicate !== undefined) return duplicate
  }
  const position = producers.position(producerId)
  const verdict = checkSequence(position, epoch, sequence)
  if (verdict === 'stale-epoch') {
    const currentEpoch = position?.epoch
    throw logErrors.create('LOG_INVALID_PRODUCER_EPOCH', { producerId, epoch, where, currentEpoch })
  }
  // A coordinator's batches (offset commits in a transaction, markers) carry no sequences: only the epoch counts.
  if (verdict === 'out-of-order' && context.origin === 'client') {
    const lastSequence = position?.lastSequence
    const params = { producerId, sequence, where, lastSequence }
    throw logErrors.create('LOG_OUT_OF_ORDER_SEQUENCE', params)
  }
  return null
}

function invalidRecord(context: AppendContext, reason: string, cause?: unknown): Error {
  return logErrors.create('LOG_INVALID_RECORD', { where: context.where, reason }, { cause })
}
