import { ErrorCode } from '@millrace/wire'
import type { FetchPass, PartitionFetchResult } from './delayed-fetch'
import { toWireFailure } from './log-error-codes'
import type { Partition } from './partition'

const NO_RECORDS = Buffer.alloc(0)

export interface FetchEntry {
  readonly topic: string
  readonly partition: number
  readonly fetchOffset: number
  readonly maxBytes: number
  /** -1 when the reader does not know it. */
  readonly currentLeaderEpoch: number
  /** Epoch of the last batch the reader has, -1 when it does not check for lost history. */
  readonly lastFetchedEpoch: number
}

export interface FetchRequest {
  readonly maxWaitMs: number
  readonly minBytes: number
  /** Of the whole answer. The first batch goes out even when it is larger: else nobody could ever read it. */
  readonly maxBytes: number
  readonly isolationLevel: 'read_uncommitted' | 'read_committed'
  readonly entries: readonly FetchEntry[]
}

/** Reads the partitions in the order of the request until `maxBytes` are gathered; the client rotates that order. */
export function readPartitions(
  request: FetchRequest,
  partitionOf: (topic: string, partition: number) => Partition | undefined,
): FetchPass {
  const results: PartitionFetchResult[] = []
  let leftBytes = request.maxBytes
  let sizeBytes = 0
  let isUrgent = false
  for (const entry of request.entries) {
    const partition = partitionOf(entry.topic, entry.partition)
    const result =
      partition === undefined
        ? failedFetch(entry, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        : readPartition(partition, entry, {
            isolationLevel: request.isolationLevel,
            maxBytes: Math.max(0, Math.min(entry.maxBytes, leftBytes)),
            minOneBatch: sizeBytes === 0,
          })
    results.push(result)
    sizeBytes += result.records.length
    leftBytes -= result.records.length
    isUrgent ||= result.errorCode !== ErrorCode.NONE || result.divergingEpoch !== null
  }
  return { results, sizeBytes, isUrgent }
}

export function failedFetch(
  entry: { topic: string; partition: number },
  errorCode: number,
  partition?: Partition,
): PartitionFetchResult {
  const isLedElsewhere =
    errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER || errorCode === ErrorCode.FENCED_LEADER_EPOCH
  return {
    topic: entry.topic,
    partition: entry.partition,
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    divergingEpoch: null,
    currentLeader:
      partition && isLedElsewhere
        ? { leaderId: partition.leader, leaderEpoch: partition.leaderEpoch }
        : null,
    records: NO_RECORDS,
  }
}

function readPartition(
  partition: Partition,
  entry: FetchEntry,
  options: {
    isolationLevel: FetchRequest['isolationLevel']
    maxBytes: number
    minOneBatch: boolean
  },
): PartitionFetchResult {
  const refusal = partition.checkLeaderEpoch(entry.currentLeaderEpoch)
  if (refusal !== ErrorCode.NONE) return failedFetch(entry, refusal, partition)
  const { log } = partition
  const divergingEpoch = findDivergence(partition, entry)
  const { highWatermark, lastStableOffset } = partition
  const maxOffsetExclusive =
    options.isolationLevel === 'read_committed' ? lastStableOffset : highWatermark
  // ACK-2: between the high watermark and the end of the log there is something, but nothing that may be shown yet.
  if (entry.fetchOffset < log.logStartOffset || entry.fetchOffset > log.logEndOffset)
    return failedFetch(entry, ErrorCode.OFFSET_OUT_OF_RANGE)
  try {
    const hasNothing = divergingEpoch !== null || entry.fetchOffset >= maxOffsetExclusive
    const isFull = options.maxBytes === 0 && !options.minOneBatch
    const records =
      hasNothing || isFull
        ? NO_RECORDS
        : log.read(entry.fetchOffset, {
            maxBytes: options.maxBytes,
            maxOffsetExclusive,
            minOneBatch: options.minOneBatch,
          }).records
    return {
      topic: entry.topic,
      partition: entry.partition,
      errorCode: ErrorCode.NONE,
      highWatermark,
      lastStableOffset,
      logStartOffset: log.logStartOffset,
      divergingEpoch,
      currentLeader: null,
      records,
    }
  } catch (error) {
    return failedFetch(entry, toWireFailure(error).errorCode)
  }
}

/** Where the reader's history and ours part: it holds records of an epoch that ended earlier here. */
function findDivergence(
  partition: Partition,
  entry: FetchEntry,
): { epoch: number; endOffset: number } | null {
  if (entry.lastFetchedEpoch < 0) return null
  const known = partition.log.endOffsetForEpoch(entry.lastFetchedEpoch)
  const isSame = known.epoch === entry.lastFetchedEpoch && known.endOffset >= entry.fetchOffset
  return isSame || known.epoch < 0 ? null : known
}
