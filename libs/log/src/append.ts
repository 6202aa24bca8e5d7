import { batch, buildControlBatch, ControlType } from '@millrace/record'
import { checkRecords } from './check-records'
import { logErrors } from './errors'
import type { LogParts } from './log-parts'
import type { AppendOptions, AppendResult, MarkerOptions } from './log-types'
import type { StoredBatch } from './producer-state'
import type { VerificationRequest } from './verifications'

interface Append extends AppendOptions {
  /** Of a marker: from 2 on its epoch must be newer than all that the producer wrote with. */
  readonly transactionVersion?: number
}

/** The way of produced batches: checked, stamped with their offsets, handed to the writer. See `Log.append`. */
export function appendRecords(
  log: LogParts,
  records: Buffer,
  { leaderEpoch, origin, verification, transactionVersion = 0 }: Append,
): AppendResult {
  const { deps, where, config, state, verifications } = log
  const { producers, logEndOffset, logStartOffset } = state
  const nowMs = deps.clock.now()
  const checked = checkRecords(records, {
    where,
    config,
    producers,
    origin,
    logEndOffset,
    nowMs,
    verifications,
    verification,
    transactionVersion,
  })
  if (checked.duplicate !== null) return resultOfFirst(checked.duplicate, log)
  const { records: kept, maxTimestamp } = checked
  const isCopy = origin === 'replication'
  const firstOffset = isCopy ? batch.baseOffset(records, 0) : logEndOffset
  const isStamped = !isCopy && config.messageTimestampType === 'LogAppendTime'
  const appendTimeMs = isStamped ? nowMs : -1
  if (!isCopy) stampRecords(kept, { firstOffset, leaderEpoch, appendTimeMs, maxTimestamp })
  store(log, kept, { firstOffset, nowMs })
  return {
    firstOffset,
    lastOffset: state.logEndOffset - 1,
    nextOffset: state.logEndOffset,
    logAppendTime: appendTimeMs,
    logStartOffset,
    isDuplicate: false,
  }
}

/** See `Log.appendMarker`. */
export function appendMarker(log: LogParts, options: MarkerOptions): AppendResult {
  const { isCommit, leaderEpoch, transactionVersion = 0 } = options
  const records = buildControlBatch({
    ...options,
    type: isCommit ? ControlType.commit : ControlType.abort,
    timestamp: options.timestamp ?? log.deps.clock.now(),
  })
  const append = { leaderEpoch, origin: 'coordinator', transactionVersion } as const
  return appendRecords(log, records, append)
}

/** See `Log.startVerification`. */
export function startVerification(
  { state, where, verifications }: LogParts,
  request: VerificationRequest,
): number | null {
  const { producerId, producerEpoch: epoch } = request
  const entry = state.producers.entry(producerId)
  if (entry !== undefined && epoch < entry.epoch) {
    const params = { producerId, epoch, where, currentEpoch: entry.epoch }
    throw logErrors.create('LOG_INVALID_PRODUCER_EPOCH', params)
  }
  if (entry?.epoch === epoch && entry.currentTxnFirstOffset >= 0) return null
  return verifications.start(request)
}

/** If no new segment can be made, nothing was changed yet. */
function store(
  { writer, health }: LogParts,
  records: Buffer,
  { firstOffset, nowMs }: { firstOffset: number; nowMs: number },
): void {
  try {
    writer.store(records, firstOffset, nowMs)
  } catch (error) {
    throw health.explain(error)
  }
}

/** The answer of the first time, but for the time: Kafka tells the newest of the batch, whoever it comes from. */
function resultOfFirst(stored: StoredBatch, { state }: LogParts): AppendResult {
  return {
    firstOffset: stored.lastOffset - stored.offsetDelta,
    lastOffset: stored.lastOffset,
    nextOffset: stored.lastOffset + 1,
    logAppendTime: stored.timestamp,
    logStartOffset: state.logStartOffset,
    isDuplicate: true,
  }
}

/**
 * Gives a checked batch its offset, the leader epoch, and the log's time or, if `appendTimeMs` is -1, the newest of its own.
 * Only this touches a producer's bytes; under the checksum, only what was wrong.
 */
function stampRecords(
  records: Buffer,
  stamp: {
    firstOffset: number
    leaderEpoch: number
    appendTimeMs: number
    maxTimestamp: number
  },
): void {
  const { firstOffset, leaderEpoch, appendTimeMs, maxTimestamp } = stamp
  batch.setBaseOffset(records, 0, firstOffset)
  batch.setLeaderEpoch(records, 0, leaderEpoch)
  if (appendTimeMs >= 0) {
    batch.setMaxTimestampAndType(records, 0, 'LogAppendTime', appendTimeMs)
  } else if (
    // Some clients (kafkajs) put the last record's time there. A wrong one hides the batch from searches by time.
    batch.maxTimestamp(records, 0) !== maxTimestamp ||
    batch.timestampType(records, 0) === 'LogAppendTime'
  ) {
    batch.setMaxTimestampAndType(records, 0, 'CreateTime', maxTimestamp)
  }
}
