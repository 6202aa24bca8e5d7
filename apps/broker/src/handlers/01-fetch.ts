/**
 * Fetch, key 1 - served: 4 to 18.
 * Does: reads whole batches up to the high watermark; waits up to maxWaitMs for minBytes.
 * Versions: 5 log start offset; 7 sessions; 9 leader epoch; 12 flexible, last fetched epoch; 13 topic id; 15 replica state.
 * Gaps: no fetch sessions (every answer has session 0, so clients send whole requests); replicas cannot fetch yet.
 * Invariants: ACK-2.
 */
import type { FetchEntry, PartitionFetchResult } from '@millrace/replication'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { findTopic, partitionError } from './find-partition'
import { handler, type RequestContext, type RequestOf, type ResponseOf } from './handler'

type Request = RequestOf<typeof ApiKey.Fetch>
type Response = ResponseOf<typeof ApiKey.Fetch>

const FIRST_VERSION_BY_ID = 13
const READ_COMMITTED = 1
const NO_RECORDS = Buffer.alloc(0)

export const fetch = handler(ApiKey.Fetch, { min: 4, max: 18 }, async (request, ctx) => {
  if (request.sessionId !== 0)
    return { errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND, throttleTimeMs: 0, responses: [] }
  const plan = planReads(request, ctx)
  const results = await ctx.broker.replicas.fetch({
    // A partition that cannot be read is told at once.
    maxWaitMs: plan.hasRefusal ? 0 : request.maxWaitMs,
    minBytes: request.minBytes,
    maxBytes: Math.min(request.maxBytes, ctx.broker.config.values.fetchMaxBytes),
    isolationLevel:
      request.isolationLevel === READ_COMMITTED ? 'read_committed' : 'read_uncommitted',
    entries: plan.entries,
  })
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    sessionId: 0,
    responses: formatTopics(request, plan, results),
  }
})

interface ReadPlan {
  readonly entries: FetchEntry[]
  /** By partition in the order of the request: NONE if it is an entry, else why not. */
  readonly refusals: number[]
  hasRefusal: boolean
}

function planReads(request: Request, ctx: RequestContext): ReadPlan {
  const image = ctx.broker.metadata()
  const plan: ReadPlan = { entries: [], refusals: [], hasRefusal: false }
  for (const { topic: name, topicId, partitions } of request.topics) {
    const reference = { name, topicId, isById: ctx.apiVersion >= FIRST_VERSION_BY_ID }
    const found = findTopic(image, reference)
    for (const partition of partitions) {
      const refusal = partitionError(found, reference, partition.partition)
      plan.refusals.push(refusal)
      if (refusal !== ErrorCode.NONE || !found) {
        plan.hasRefusal = true
        continue
      }
      plan.entries.push({
        topic: found.name,
        partition: partition.partition,
        fetchOffset: partition.fetchOffset,
        maxBytes: partition.partitionMaxBytes,
        currentLeaderEpoch: partition.currentLeaderEpoch,
        lastFetchedEpoch: partition.lastFetchedEpoch,
      })
    }
  }
  return plan
}

function formatTopics(
  request: Request,
  plan: ReadPlan,
  results: readonly PartitionFetchResult[],
): Response['responses'] {
  let at = 0
  let resultAt = 0
  return request.topics.map((topic) => ({
    topic: topic.topic,
    topicId: topic.topicId,
    partitions: topic.partitions.map(({ partition }) => {
      const refusal = plan.refusals[at++]
      return refusal === ErrorCode.NONE
        ? formatPartition(results[resultAt++])
        : {
            partitionIndex: partition,
            errorCode: refusal,
            highWatermark: -1,
            abortedTransactions: null,
            records: NO_RECORDS,
          }
    }),
  }))
}

function formatPartition(result: PartitionFetchResult) {
  return {
    partitionIndex: result.partition,
    errorCode: result.errorCode,
    highWatermark: result.highWatermark,
    lastStableOffset: result.lastStableOffset,
    logStartOffset: result.logStartOffset,
    divergingEpoch: result.divergingEpoch ?? undefined,
    currentLeader: result.currentLeader ?? undefined,
    abortedTransactions: null,
    records: result.records,
  }
}
