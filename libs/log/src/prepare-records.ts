import { errorCode, errorMessage } from '@millrace/base'
import {
  batch,
  Codec,
  codecOf,
  DEFAULT_MAX_DECOMPRESSED_BYTES,
  inspectRecords,
  MAX_LISTED_FAULTS,
  recompressBatch,
  renumberBatch,
  type RecordFault,
  type RecordInspection,
  type RecordRules,
} from '@millrace/record'
import type { LogConfig } from './config'
import { logErrors } from './errors'
import { RefusedRecordsError } from './refused-records'

export interface PreparedRecords {
  /** The bytes that were given, or others with the same records: under the topic's codec, or with dense offsets. */
  readonly records: Buffer
  /** The largest time of a record, -1 if none has one: what the header must say. */
  readonly maxTimestamp: number
}

export interface PrepareContext {
  /** `topic-partition`, for messages. */
  readonly where: string
  readonly config: LogConfig
  readonly nowMs: number
}

/**
 * Holds the single records of a batch with a good header to the rules of the topic, and brings them into the form that the
 * topic stores.
 * @throws PlatformError LOG_INVALID_RECORD, LOG_INVALID_TIMESTAMP, LOG_UNREADABLE_RECORDS, LOG_BATCH_TOO_LARGE
 */
export function prepareRecords(records: Buffer, context: PrepareContext): PreparedRecords {
  const { config } = context
  const inspection = inspect(records, rulesOf(records, context), context)
  const isStamped = batch.timestampType(records, 0) === 'LogAppendTime'
  const faults = isStamped ? stampFaults(records, inspection, context) : inspection.faults
  if (faults.length > 0) throw refuseRecords(faults, context)
  const given = batch.codec(records, 0)
  const wanted = config.compressionType === 'producer' ? given : storedCodec(config.compressionType)
  const maxTimestamp = isStamped ? batch.maxTimestamp(records, 0) : inspection.maxTimestamp
  if (inspection.isDense && wanted === given) return { records, maxTimestamp }
  const { payload } = inspection
  const target = { payload, codec: wanted as Codec, level: levelOf(wanted, config) }
  const made = inspection.isDense
    ? recompressBatch(records, 0, target)
    : renumberBatch(records, 0, target)
  return { records: made, maxTimestamp }
}

function rulesOf(records: Buffer, { config, nowMs }: PrepareContext): RecordRules {
  const isKeyRequired = config.cleanupPolicy.includes('compact')
  const isProducerTime =
    config.messageTimestampType === 'CreateTime' && batch.timestampType(records, 0) === 'CreateTime'
  return isProducerTime
    ? {
        isKeyRequired,
        oldestMs: nowMs - config.messageTimestampBeforeMaxMs,
        newestMs: nowMs + config.messageTimestampAfterMaxMs,
      }
    : { isKeyRequired, oldestMs: -Infinity, newestMs: Infinity }
}

function inspect(records: Buffer, rules: RecordRules, { where }: PrepareContext): RecordInspection {
  try {
    return inspectRecords(records, 0, rules)
  } catch (cause) {
    const code = errorCode(cause)
    const reason = errorMessage(cause)
    if (code === 'RECORD_MALFORMED')
      throw logErrors.create('LOG_INVALID_RECORD', { where, reason }, { cause })
    if (code === 'RECORD_TOO_LARGE') {
      const maxBytes = `${DEFAULT_MAX_DECOMPRESSED_BYTES} unpacked`
      const params = { where, sizeBytes: records.length, maxBytes }
      throw logErrors.create('LOG_BATCH_TOO_LARGE', params, { cause })
    }
    throw logErrors.create('LOG_UNREADABLE_RECORDS', { where, reason }, { cause })
  }
}

/**
 * A batch that claims the log's time: all its records have the one in the header. Kafka takes it where records keep the
 * producer's time and this one is within bounds.
 */
function stampFaults(
  records: Buffer,
  inspection: RecordInspection,
  { config, nowMs }: PrepareContext,
): readonly RecordFault[] {
  if (inspection.faults.length > 0) return inspection.faults
  const timestamp = batch.maxTimestamp(records, 0)
  const isTaken =
    config.messageTimestampType === 'CreateTime' &&
    timestamp !== -1 &&
    timestamp >= nowMs - config.messageTimestampBeforeMaxMs &&
    timestamp <= nowMs + config.messageTimestampAfterMaxMs
  return isTaken ? [] : everyRecord(batch.recordCount(records, 0), timestamp)
}

/** The fault of a time that all records of a batch share. */
export function everyRecord(recordCount: number, timestamp: number): RecordFault[] {
  const length = Math.min(recordCount, MAX_LISTED_FAULTS)
  return Array.from({ length }, (_, index) => ({ index, kind: 'timestamp', timestamp }))
}

export function refuseRecords(
  faults: readonly RecordFault[],
  { where, config, nowMs }: PrepareContext,
): RefusedRecordsError {
  const from = nowMs - config.messageTimestampBeforeMaxMs
  const to = nowMs + config.messageTimestampAfterMaxMs
  const refused = faults.map(({ index, kind, timestamp }) => ({
    index,
    reason:
      kind === 'keyless'
        ? 'a record of a compacted topic needs a key'
        : `its timestamp ${timestamp} is outside ${from} to ${to}, or marked as the log's own`,
  }))
  // As Kafka has it: one wrong time among wrong keys makes the whole an INVALID_TIMESTAMP.
  const late = faults.find(({ kind }) => kind === 'timestamp')
  if (late === undefined)
    return new RefusedRecordsError(
      'LOG_INVALID_RECORD',
      { where, reason: `${refused[0].reason} (record ${refused[0].index})` },
      refused,
    )
  return new RefusedRecordsError(
    'LOG_INVALID_TIMESTAMP',
    { where, timestamp: late.timestamp, reason: `is outside ${from} to ${to}` },
    refused,
  )
}

function levelOf(codec: number, config: LogConfig): number | undefined {
  if (codec === Codec.zstd) return config.compressionZstdLevel
  const { compressionGzipLevel } = config
  return codec === Codec.gzip && compressionGzipLevel >= 0 ? compressionGzipLevel : undefined
}

function storedCodec(compressionType: string): number {
  return compressionType === 'uncompressed' ? Codec.none : codecOf(compressionType)
}
