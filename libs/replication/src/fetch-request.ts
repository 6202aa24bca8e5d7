import { ErrorCode } from '@millrace/wire'
import { batch } from '@millrace/record'
import { failedFetch, type FetchEntry, type PartitionFetchResult } from './fetch-entry'
import { toWireFailure } from './log-error-codes'
import type { Partition } from './partition'

const NO_RECORDS = Buffer.alloc(0)

export type IsolationLevel = 'read_uncommitted' | 'read_committed'

export interface FetchRequest {
  readonly maxWaitMs: number
  readonly minBytes: number
  /** Of the whole answer. The first batch goes out even when it is larger: else nobody could ever read it. */
  readonly maxBytes: number
  readonly isolationLevel: IsolationLevel
  readonly entries: readonly FetchEntry[]
  /** Runs what is done after a wait, so that whoever asks can count the time that it takes. */
  readonly timed?: <T>(work: () => T) => T
}

/** One look at all partitions of a fetch. */
export interface FetchPass {
  readonly results: PartitionFetchResult[]
  readonly sizeBytes: number
  /** An error of any partition is told at once. */
  readonly isUrgent: boolean
}

export type PartitionLookup = (entry: FetchEntry) => Partition | undefined

/** Reads the partitions in the order of the request until `maxBytes` are gathered; the client, or its session, rotates that order. */
export function readPartitions(
  request: FetchRequest,
  partitionOf: PartitionLookup,
  missingErrorOf: (entry: FetchEntry) => number,
): FetchPass {
  const results: PartitionFetchResult[] = []
  let leftBytes = request.maxBytes
  let sizeBytes = 0
  let isUrgent = false
  for (const entry of request.entries) {
    const partition = partitionOf(entry)
    const result =
      partition === undefined
        ? failedFetch(entry, missingErrorOf(entry))
        : readPartition(partition, entry, {
            isolationLevel: request.isolationLevel,
            maxBytes: Math.min(entry.maxBytes, leftBytes),
            minOneBatch: sizeBytes === 0,
          })
    results.push(result)
    sizeBytes += result.records.length
    leftBytes = Math.max(0, leftBytes - result.records.length)
    isUrgent ||= result.errorCode !== ErrorCode.NONE || result.divergingEpoch !== null
  }
  return { results, sizeBytes, isUrgent }
}

/** Where a reader must stop. ACK-2: what lies between there and the end of the log may not be shown yet. */
export function visibleLimit(partition: Partition, isolationLevel: IsolationLevel): number {
  return isolationLevel === 'read_committed' ? partition.lastStableOffset : partition.highWatermark
}

/** Why the entry cannot be read, or NONE. */
export function fetchRefusal(partition: Partition, entry: FetchEntry): number {
  if (entry.topicId !== null && entry.topicId !== partition.log.topicId)
    return ErrorCode.INCONSISTENT_TOPIC_ID
  return partition.checkLeaderEpoch(entry.currentLeaderEpoch)
}

interface ReadOptions {
  readonly isolationLevel: IsolationLevel
  readonly maxBytes: number
  readonly minOneBatch: boolean
}

function readPartition(
  partition: Partition,
  entry: FetchEntry,
  options: ReadOptions,
): PartitionFetchResult {
  const refusal = fetchRefusal(partition, entry)
  if (refusal !== ErrorCode.NONE) return failedFetch(entry, refusal)
  const { log } = partition
  const history = compareHistory(partition, entry)
  const isInLog = entry.fetchOffset >= log.logStartOffset && entry.fetchOffset <= log.logEndOffset
  if (history === 'unknown' || (history === null && !isInLog))
    return failedFetch(entry, ErrorCode.OFFSET_OUT_OF_RANGE)
  if (history === null && isBelowZero(partition, entry, options))
    return failedFetch(entry, ErrorCode.UNKNOWN_SERVER_ERROR)
  try {
    const records = history === null ? readRecords(partition, entry, options) : NO_RECORDS
    return {
      entry,
      errorCode: ErrorCode.NONE,
      highWatermark: partition.highWatermark,
      lastStableOffset: partition.lastStableOffset,
      logStartOffset: log.logStartOffset,
      divergingEpoch: history,
      abortedTransactions:
        options.isolationLevel === 'read_committed' ? abortedIn(partition, entry, records) : null,
      records,
    }
  } catch (error) {
    return failedFetch(entry, toWireFailure(error).errorCode)
  }
}

/** Kafka has no better word for it. */
function isBelowZero(partition: Partition, entry: FetchEntry, options: ReadOptions): boolean {
  const { maxBytes, isolationLevel } = options
  return maxBytes < 0 && entry.fetchOffset < visibleLimit(partition, isolationLevel)
}

function readRecords(partition: Partition, entry: FetchEntry, options: ReadOptions): Buffer {
  const { maxBytes, minOneBatch, isolationLevel } = options
  const maxOffsetExclusive = visibleLimit(partition, isolationLevel)
  const isFull = maxBytes === 0 && !minOneBatch
  if (isFull || entry.fetchOffset >= maxOffsetExclusive) return NO_RECORDS
  const limits = { maxBytes, maxOffsetExclusive, minOneBatch }
  return partition.log.read(entry.fetchOffset, limits).records
}

/** The aborted transactions that reach into the records. */
function abortedIn(
  { log }: Partition,
  { fetchOffset }: FetchEntry,
  records: Buffer,
): { producerId: number; firstOffset: number }[] {
  if (records.length === 0) return []
  let nextOffset = fetchOffset
  for (let at = 0; at < records.length; at += batch.sizeBytes(records, at))
    nextOffset = batch.nextOffset(records, at)
  return log.abortedTransactions(fetchOffset, nextOffset)
}

/**
 * Whether the reader's records are ours: null if they are (or it does not ask), else where the two histories part. Unknown,
 * if that cannot be told: then it must start over.
 */
function compareHistory(
  { log }: Partition,
  { lastFetchedEpoch, fetchOffset }: FetchEntry,
): { epoch: number; endOffset: number } | 'unknown' | null {
  if (lastFetchedEpoch < 0) return null
  const ours = log.endOffsetForEpoch(lastFetchedEpoch)
  if (ours.epoch < 0 || ours.endOffset < 0 || fetchOffset < log.logStartOffset) return 'unknown'
  return ours.epoch < lastFetchedEpoch || ours.endOffset < fetchOffset ? ours : null
}
