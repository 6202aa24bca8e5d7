import { errorCode, errorMessage } from '@millrace/base'
import { batch, checkBatch, checkStoredBatch, nextBatchSize, RecordCursor } from '@millrace/record'
import type { LogConfig } from './config'
import { logErrors } from './errors'
import {
  checkSequence,
  findDuplicate,
  type ProducerPosition,
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

/** Reused: the log checks on one thread, and a cursor keeps nothing between batches. */
const cursor = new RecordCursor()

/**
 * Checks all batches of an append before any of it is taken. Returns null if they may be appended, or where the records
 * are already if this is a retry of what is stored.
 * @throws PlatformError LOG_CORRUPT_BATCH, LOG_BATCH_TOO_LARGE, LOG_INVALID_RECORD, LOG_INVALID_TIMESTAMP,
 * LOG_OUT_OF_ORDER_SEQUENCE, LOG_INVALID_PRODUCER_EPOCH
 */
export function checkRecords(records: Buffer, context: AppendContext): StoredBatch | null {
  if (records.length === 0) throw invalidRecord(context, 'there is no batch')
  const total = records.length
  let sequences: Map<number, ProducerPosition> | null = null // only for several batches in one append
  let minOffset = context.logEndOffset
  for (let at = 0; at < total; ) {
    const size = checkShape(records, at, context)
    if (context.origin === 'replication') {
      if (batch.baseOffset(records, at) < minOffset) {
        throw invalidRecord(
          context,
          `offset ${batch.baseOffset(records, at)} is in the log already`,
        )
      }
      minOffset = batch.nextOffset(records, at)
    } else {
      checkContent(records, at, context)
      if (size < total) sequences ??= new Map()
      const duplicate = checkProducer(records, at, context, sequences)
      if (duplicate !== null) return duplicate
    }
    at += size
  }
  return null
}

/**
 * Gives checked batches their offsets, the leader epoch and, if `appendTimeMs` is not -1, the log's time. Only this
 * touches a producer's bytes; but for the time, nothing under the checksum.
 */
export function stampRecords(
  records: Buffer,
  stamp: { firstOffset: number; leaderEpoch: number; appendTimeMs: number },
): void {
  let offset = stamp.firstOffset
  for (let at = 0; at < records.length; at += batch.sizeBytes(records, at)) {
    batch.setBaseOffset(records, at, offset)
    batch.setLeaderEpoch(records, at, stamp.leaderEpoch)
    if (stamp.appendTimeMs >= 0) {
      batch.setMaxTimestampAndType(records, at, 'LogAppendTime', stamp.appendTimeMs)
    }
    offset += batch.lastOffsetDelta(records, at) + 1
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
  const isContent = ['RECORD_BAD_COUNT', 'RECORD_BAD_TIMESTAMP', 'RECORD_UNKNOWN_CODEC']
  const reason = errorMessage(error)
  if (isContent.includes(errorCode(error) ?? '')) return invalidRecord(context, reason, error)
  const params = { position: at, where: context.where, reason }
  return logErrors.create('LOG_CORRUPT_BATCH', params, { cause: error })
}

/** What a leader demands of a new batch beyond its shape. */
function checkContent(records: Buffer, at: number, context: AppendContext): void {
  const isControl = batch.isControl(records, at)
  if (context.origin === 'client') {
    if (isControl) throw invalidRecord(context, 'only a coordinator writes control records')
    if (batch.producerId(records, at) >= 0 && batch.baseSequence(records, at) < 0) {
      throw invalidRecord(context, 'an idempotent batch has no sequence')
    }
    checkTimestamps(records, at, context)
  }
  if (!isControl && context.config.cleanupPolicy.includes('compact')) {
    checkKeys(records, at, context)
  }
}

/** Looks at the header only: the batch's own largest and first time stand for its records. */
function checkTimestamps(records: Buffer, at: number, context: AppendContext): void {
  const { config, nowMs, where } = context
  if (config.messageTimestampType === 'LogAppendTime') return
  if (batch.timestampType(records, at) === 'LogAppendTime') {
    throw invalidRecord(context, 'only the log sets LogAppendTime')
  }
  const from = nowMs - config.messageTimestampBeforeMaxMs
  const to = nowMs + config.messageTimestampAfterMaxMs
  const first = batch.baseTimestamp(records, at)
  const newest = batch.maxTimestamp(records, at)
  const wrong = newest > to ? newest : first >= 0 && first < from ? first : -1
  if (wrong < 0) return
  throw logErrors.create('LOG_INVALID_TIMESTAMP', { timestamp: wrong, where, from, to })
}

/** Compaction goes by key, so every record of a compacted topic needs one. */
function checkKeys(records: Buffer, at: number, context: AppendContext): void {
  try {
    for (cursor.open(records, at); cursor.next(); ) {
      if (cursor.keyBytes >= 0) continue
      throw invalidRecord(context, 'a record of a compacted topic has no key')
    }
  } catch (error) {
    if (errorCode(error) === 'LOG_INVALID_RECORD') throw error
    throw invalidRecord(context, errorMessage(error), error)
  }
}

/** LOG-5: a producer's batches enter the log once and in the order of their sequences. */
function checkProducer(
  records: Buffer,
  at: number,
  context: AppendContext,
  staged: Map<number, ProducerPosition> | null,
): StoredBatch | null {
  const producerId = batch.producerId(records, at)
  if (producerId < 0) return null
  const epoch = batch.producerEpoch(records, at)
  const firstSequence = batch.baseSequence(records, at)
  const lastSequence = batch.lastSequence(records, at)
  const entry = context.producers.entry(producerId)
  if (context.origin === 'client' && entry !== undefined) {
    const duplicate = findDuplicate(entry, epoch, firstSequence, lastSequence)
    if (duplicate !== undefined) return duplicate
  }
  const position = staged?.get(producerId) ?? context.producers.position(producerId)
  // A coordinator's batches (offset commits in a transaction, markers) carry no sequences: only the epoch counts.
  const isSequenced = context.origin === 'client' && firstSequence >= 0
  const verdict = checkSequence(position, epoch, firstSequence)
  const { where } = context
  if (verdict === 'stale-epoch') {
    const currentEpoch = position?.epoch
    throw logErrors.create('LOG_INVALID_PRODUCER_EPOCH', { producerId, epoch, where, currentEpoch })
  }
  if (verdict === 'out-of-order' && isSequenced) {
    const params = {
      producerId,
      sequence: firstSequence,
      where,
      lastSequence: position?.lastSequence,
    }
    throw logErrors.create('LOG_OUT_OF_ORDER_SEQUENCE', params)
  }
  staged?.set(producerId, { epoch, lastSequence })
  return null
}

function invalidRecord(context: AppendContext, reason: string, cause?: unknown): Error {
  return logErrors.create('LOG_INVALID_RECORD', { where: context.where, reason }, { cause })
}
