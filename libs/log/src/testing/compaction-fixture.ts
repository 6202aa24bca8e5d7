import { Codec, RecordCursor, BatchBuilder, batch, type BatchFields } from '@millrace/record'
import type { LogConfig } from '../config'
import type { Log } from '../log'
import type { AppendOptions, MarkerOptions } from '../log-types'
import { CLIENT, NO_LIMIT, openLog, START_MS, type Harness } from './log-fixture'

/** Everything is due at once. */
export const COMPACTED: Partial<LogConfig> = {
  cleanupPolicy: ['compact'],
  segmentBytes: 1_000_000,
  minCleanableDirtyRatio: 0,
  deleteRetentionMs: 1000,
}

export interface KeyedRecord {
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
}

export type Keyed = readonly [key: string | null, value: string | null]

/** The log `orders-0`, which is compacted only when the test says so. */
export async function openCompacted(
  config: Partial<LogConfig> = {},
): Promise<Harness & { log: Log }> {
  const harness = await openLog({ config: { ...COMPACTED, ...config } })
  await harness.manager.cleaner.stop()
  return harness
}

export function keyedBatch(
  records: readonly Keyed[],
  fields: BatchFields & { codec?: Codec; timestamp?: number } = {},
): Buffer {
  const { codec, timestamp = START_MS, ...rest } = fields
  const builder = new BatchBuilder({ codec })
  for (const [key, value] of records) {
    builder.append(
      timestamp,
      key === null ? null : Buffer.from(key),
      value === null ? null : Buffer.from(value),
    )
  }
  return builder.build(rest)
}

/** Appends records as one batch in a segment of their own; returns the first offset. */
export function put(log: Log, ...records: Keyed[]): number {
  return putBatch(log, keyedBatch(records))
}

/** The same for a batch that was made before. */
export function putBatch(log: Log, records: Buffer, options: AppendOptions = CLIENT): number {
  return rolled(log, records.length, () => log.append(records, options).firstOffset)
}

/** Ends the transaction of a producer, in a segment of its own. */
export function putMarker(log: Log, options: Omit<MarkerOptions, 'leaderEpoch'>): number {
  return rolled(log, 100, () => log.appendMarker({ ...options, leaderEpoch: 0 }).firstOffset)
}

/** Appends as a producer in a transaction, whose coordinator always says yes. */
export function putInTransaction(
  log: Log,
  producer: { producerId: number; baseSequence: number; producerEpoch?: number },
  ...records: Keyed[]
): number {
  const { producerEpoch = 0 } = producer
  const request = { ...producer, producerEpoch, supportsEpochBump: false }
  const verification = log.startVerification(request) ?? undefined
  const sent = keyedBatch(records, { ...producer, producerEpoch, isTransactional: true })
  return putBatch(log, sent, { ...CLIENT, verification })
}

/** A segment that is as large as the batch has no room for another one. */
function rolled<Result>(log: Log, segmentBytes: number, append: () => Result): Result {
  const { config } = log
  log.updateConfig({ ...config, segmentBytes })
  try {
    return append()
  } finally {
    log.updateConfig(config)
  }
}

/** Makes all that was appended so far stable, and ends the active segment with a record that stays. */
export async function settleLog(log: Log): Promise<void> {
  put(log, ['~end', `${log.logEndOffset}`])
  await log.flush()
  log.setHighWatermark(log.logEndOffset)
  await log.applyRetention() // waits until sealed segments have their indexes
}

/** All records from the log start on, as a reader that goes on at the end of each batch sees them. */
export function recordsIn(log: Log, maxBytes = 1 << 20): KeyedRecord[] {
  const found: KeyedRecord[] = []
  const cursor = new RecordCursor()
  for (let offset = log.logStartOffset; offset < log.logEndOffset; ) {
    const { records } = log.read(offset, { ...NO_LIMIT, maxBytes })
    if (records.length === 0) throw new Error(`nothing is read at ${offset}`)
    for (let at = 0; at < records.length; at += batch.sizeBytes(records, at)) {
      const next = batch.nextOffset(records, at)
      if (next <= offset) throw new Error(`the batch at ${offset} ends at ${next}`)
      if (!batch.isControl(records, at)) found.push(...recordsOfBatch(cursor, records, at, offset))
      offset = next
    }
  }
  return found
}

function recordsOfBatch(
  cursor: RecordCursor,
  records: Buffer,
  at: number,
  fromOffset: number,
): KeyedRecord[] {
  const found: KeyedRecord[] = []
  for (cursor.open(records, at); cursor.next(); ) {
    const key = cursor.key()
    const value = cursor.value()
    if (cursor.offset < fromOffset) continue
    found.push({
      offset: cursor.offset,
      key: key === null ? null : String(key),
      value: value === null ? null : String(value),
    })
  }
  return found
}

/** `offset:key=value` of all records but those that only end segments. */
export function shown(log: Log): string[] {
  return recordsIn(log)
    .filter(({ key }) => key !== '~end')
    .map(({ offset, key, value }) => `${offset}:${key}=${value}`)
}
