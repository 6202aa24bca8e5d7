/**
 * ListOffsets, key 2 - served: 1 to 11.
 * Does: finds the offset of a timestamp, or of one of the special ones below.
 * Versions: 2 isolation level; 4 leader epoch; 6 flexible; 7 max timestamp (-3); 8 earliest local (-4); 9 latest tiered (-5);
 * 11 earliest pending upload (-6).
 * Gaps: there is no tiered storage: -4 answers as -2, and -5 and -6 answer that there is no such offset.
 */
import type { Partition } from '@millrace/replication'
import { toWireFailure } from '@millrace/replication'
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { handler, type RequestContext } from './handler'

const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
const EARLIEST_LOCAL = -4
const LATEST_TIERED = -5
const EARLIEST_PENDING_UPLOAD = -6
const READ_COMMITTED = 1

interface FoundOffset {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}
const NOT_FOUND: FoundOffset = { offset: -1, timestamp: -1, leaderEpoch: -1 }

export const listOffsets = handler(ApiKey.ListOffsets, { min: 1, max: 11 }, (request, ctx) => ({
  throttleTimeMs: 0,
  topics: request.topics.map(({ name, partitions }) => {
    const isAllowed = ctx.allows(AclOperation.DESCRIBE, ResourceType.TOPIC, name)
    const isCommittedOnly = request.isolationLevel === READ_COMMITTED
    return {
      name,
      partitions: partitions.map(({ partitionIndex, currentLeaderEpoch, timestamp }) =>
        isAllowed
          ? answerPartition(ctx, {
              name,
              partitionIndex,
              currentLeaderEpoch,
              timestamp,
              isCommittedOnly,
            })
          : { partitionIndex, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, ...NOT_FOUND },
      ),
    }
  }),
}))

interface Wanted {
  readonly name: string
  readonly partitionIndex: number
  readonly currentLeaderEpoch: number
  readonly timestamp: number
  readonly isCommittedOnly: boolean
}

function answerPartition(ctx: RequestContext, wanted: Wanted) {
  const { name, partitionIndex } = wanted
  const partition = ctx.broker.replicas.partition(name, partitionIndex)
  const errorCode = partition
    ? partition.checkLeaderEpoch(wanted.currentLeaderEpoch)
    : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  if (!partition || errorCode !== ErrorCode.NONE) return { partitionIndex, errorCode, ...NOT_FOUND }
  try {
    return { partitionIndex, errorCode, ...findOffset(partition, wanted) }
  } catch (error) {
    return { partitionIndex, ...NOT_FOUND, errorCode: toWireFailure(error).errorCode }
  }
}

function findOffset(partition: Partition, wanted: Wanted): FoundOffset {
  const { log } = partition
  const visibleEnd = wanted.isCommittedOnly ? partition.lastStableOffset : partition.highWatermark
  switch (wanted.timestamp) {
    case LATEST:
      return { offset: visibleEnd, timestamp: -1, leaderEpoch: partition.leaderEpoch }
    case EARLIEST:
    case EARLIEST_LOCAL:
      return {
        offset: log.logStartOffset,
        timestamp: -1,
        leaderEpoch: log.epochOf(log.logStartOffset),
      }
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
      return NOT_FOUND
    case MAX_TIMESTAMP:
      return visible(log.maxTimestampOffset(), visibleEnd)
    default:
      return visible(log.offsetForTimestamp(wanted.timestamp), visibleEnd)
  }
}

/** What lies above the high watermark does not exist yet for a client. */
function visible(found: FoundOffset | null, visibleEnd: number): FoundOffset {
  return found !== null && found.offset < visibleEnd ? found : NOT_FOUND
}
