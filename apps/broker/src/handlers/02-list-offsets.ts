/**
 * ListOffsets, key 2 - served: 1 to 11.
 * Does: finds the offset of a timestamp, or of one of the special ones below.
 * Versions: 2 isolation level; 4 leader epoch; 6 flexible; 7 max timestamp (-3); 8 earliest local (-4); 9 latest tiered (-5);
 * 11 earliest pending upload (-6).
 * Gaps: there is no tiered storage: -4 answers as -2, and -5 and -6 answer that there is no such offset.
 * Invariants: SEC-2.
 */
import type { Partition } from '@millrace/replication'
import { toWireFailure } from '@millrace/replication'
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { handler, type RequestContext, type RequestOf } from './handler'
import { isIsolationLevel } from './isolation-level'

type Request = RequestOf<typeof ApiKey.ListOffsets>
type PartitionRequest = Request['topics'][number]['partitions'][number]

const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
const EARLIEST_LOCAL = -4
const LATEST_TIERED = -5
const EARLIEST_PENDING_UPLOAD = -6
/** By special timestamp the first version that may ask for it. Other negative ones mean nothing. */
const FIRST_VERSION_OF: Readonly<Record<number, number>> = {
  [LATEST]: 1,
  [EARLIEST]: 1,
  [MAX_TIMESTAMP]: 7,
  [EARLIEST_LOCAL]: 8,
  [LATEST_TIERED]: 9,
  [EARLIEST_PENDING_UPLOAD]: 11,
}
const FIRST_VERSION_WITH_NOT_AVAILABLE = 5
const CONSUMER = -1
const READ_COMMITTED = 1

interface FoundOffset {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}
const NOT_FOUND: FoundOffset = { offset: -1, timestamp: -1, leaderEpoch: -1 }

export const listOffsets = handler(ApiKey.ListOffsets, { min: 1, max: 11 }, (request, ctx) => {
  const asked = new Map<string, number>()
  for (const { name, partitions } of request.topics)
    for (const { partitionIndex } of partitions) {
      const key = `${name}:${partitionIndex}`
      asked.set(key, (asked.get(key) ?? 0) + 1)
    }
  return {
    throttleTimeMs: 0,
    topics: request.topics.map(({ name, partitions }) => {
      const isAllowed = ctx.allows(AclOperation.DESCRIBE, ResourceType.TOPIC, name)
      return {
        name,
        partitions: partitions.flatMap((wanted) => {
          const { partitionIndex } = wanted
          const refused = (errorCode: number) => ({ partitionIndex, errorCode, ...NOT_FOUND })
          if (!isAllowed) return refused(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
          const count = asked.get(`${name}:${partitionIndex}`)
          if (count !== 1) {
            // Told once, however often it was asked for.
            asked.set(`${name}:${partitionIndex}`, 0)
            return count === 0 ? [] : refused(ErrorCode.INVALID_REQUEST)
          }
          return answerPartition(name, wanted, { request, ctx })
        }),
      }
    }),
  }
})

interface Asked {
  readonly request: Request
  readonly ctx: RequestContext
}

function answerPartition(name: string, wanted: PartitionRequest, { request, ctx }: Asked) {
  const { partitionIndex, timestamp, currentLeaderEpoch } = wanted
  const refused = (errorCode: number) => ({ partitionIndex, errorCode, ...NOT_FOUND })
  if (request.replicaId === CONSUMER && !isIsolationLevel(request.isolationLevel))
    return refused(ErrorCode.UNKNOWN_SERVER_ERROR)
  if (timestamp < 0 && ctx.apiVersion < (FIRST_VERSION_OF[timestamp] ?? Infinity))
    return refused(ErrorCode.UNSUPPORTED_VERSION)
  const partition = ctx.broker.replicas.partition(name, partitionIndex)
  if (!partition) return refused(ctx.broker.replicas.missingError(name, partitionIndex))
  const refusal = partition.checkLeaderEpoch(currentLeaderEpoch)
  if (refusal !== ErrorCode.NONE) return refused(refusal)
  try {
    const limit = visibleLimit(partition, request)
    const found = findOffset(partition, timestamp, limit)
    // A new leader does not know yet how far its predecessor had answered: what it says could go backwards.
    const isTooEarly =
      request.replicaId === CONSUMER &&
      partition.leaderEpochStartOffset > partition.highWatermark &&
      (timestamp === LATEST || (found === NOT_FOUND && timestamp !== LATEST_TIERED))
    if (!isTooEarly) return { partitionIndex, errorCode: ErrorCode.NONE, ...found }
    return refused(
      ctx.apiVersion >= FIRST_VERSION_WITH_NOT_AVAILABLE
        ? ErrorCode.OFFSET_NOT_AVAILABLE
        : ErrorCode.LEADER_NOT_AVAILABLE,
    )
  } catch (error) {
    return refused(toWireFailure(error).errorCode)
  }
}

/** What lies above does not exist yet for who asks. */
function visibleLimit(partition: Partition, { replicaId, isolationLevel }: Request): number {
  if (replicaId !== CONSUMER) return partition.log.logEndOffset
  return isolationLevel === READ_COMMITTED ? partition.lastStableOffset : partition.highWatermark
}

function findOffset(partition: Partition, timestamp: number, limit: number): FoundOffset {
  const { log } = partition
  switch (timestamp) {
    case LATEST:
      return { offset: limit, timestamp: -1, leaderEpoch: partition.leaderEpoch }
    case EARLIEST:
    case EARLIEST_LOCAL: {
      const offset = log.logStartOffset
      return { offset, timestamp: -1, leaderEpoch: log.epochOf(offset) }
    }
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
      return NOT_FOUND
    case MAX_TIMESTAMP:
      return visible(log.maxTimestampOffset(), limit)
    default:
      return visible(log.offsetForTimestamp(timestamp), limit)
  }
}

function visible(found: FoundOffset | null, limit: number): FoundOffset {
  return found !== null && found.offset < limit ? found : NOT_FOUND
}
