/**
 * Fetch, key 1 - served: 4 to 18.
 * Does: reads whole batches up to the high watermark, or up to the last stable offset; waits up to maxWaitMs for minBytes;
 * keeps the sessions of its readers.
 * Versions: 5 log start offset; 7 sessions; 9 leader epoch; 12 flexible, last fetched epoch; 13 topic id; 15 replica state;
 * 16 where the leader is.
 * Gaps: replicas cannot fetch yet; there is no preferred read replica.   Invariants: ACK-2, FETCH-1, FETCH-2, FETCH-3.
 */
import type { MetadataImage } from '@millrace/controller'
import {
  failedFetch,
  type FetchContext,
  type FetchEntry,
  type PartitionFetchResult,
} from '@millrace/replication'
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode, ZERO_UUID } from '@millrace/wire'
import { handler, type RequestContext, type RequestOf, type ResponseOf } from './handler'
import { isIsolationLevel } from './isolation-level'
import { LeaderHints } from './leader-hints'

type Request = RequestOf<typeof ApiKey.Fetch>
type Response = ResponseOf<typeof ApiKey.Fetch>

const FIRST_VERSION_BY_ID = 13
const FIRST_VERSION_WITH_REPLICA_STATE = 15
const FIRST_VERSION_WITH_LEADERS = 16
const LAST_VERSION_WITHOUT_STORAGE_ERROR = 5
const READ_COMMITTED = 1
const UNKNOWN_EPOCH = -1
/** What an answer has for a partition besides its records. */
const PARTITION_OVERHEAD_BYTES = 50

export const fetch = handler(ApiKey.Fetch, { min: 4, max: 18, order: 'serial' }, (request, ctx) => {
  if (!isIsolationLevel(request.isolationLevel))
    return refuseAll(request, ErrorCode.UNKNOWN_SERVER_ERROR, ctx)
  const context = openContext(request, ctx)
  if (context.errorCode !== ErrorCode.NONE) return formatReply([], context, ctx)
  const { entries, refused } = planReads(request, context, ctx)
  const { fetchMaxBytes } = ctx.broker.config.values
  const quotaMaxBytes = ctx.throttle?.fetchMaxBytes ?? Infinity
  const maxBytes = Math.min(request.maxBytes, fetchMaxBytes, quotaMaxBytes)
  const results = ctx.broker.replicas.fetch({
    maxWaitMs: request.maxWaitMs,
    minBytes: Math.min(request.minBytes, maxBytes),
    maxBytes,
    isolationLevel:
      request.isolationLevel === READ_COMMITTED ? 'read_committed' : 'read_uncommitted',
    entries,
    timed: ctx.throttle?.timed,
  })
  const reply = (found: readonly PartitionFetchResult[]) => {
    const all = [...found, ...refused]
    return isWithinQuota(all, ctx)
      ? formatReply(all, context, ctx)
      : formatThrottled(request, context, ctx)
  }
  return results instanceof Promise
    ? results.then((found) => ctx.timed(() => reply(found)))
    : reply(results)
})

function openContext(request: Request, ctx: RequestContext): FetchContext {
  const image = ctx.broker.metadata()
  const usesTopicIds = ctx.apiVersion >= FIRST_VERSION_BY_ID
  const nameOf = (topicId: string) => image.topicById(topicId)?.name
  const named = (topic: string, topicId: string) => ({
    // The image's string, not the request's: a session may keep it for days.
    topic: usesTopicIds ? (nameOf(topicId) ?? null) : (image.topics.get(topic)?.name ?? topic),
    topicId: usesTopicIds ? topicId : null,
  })
  return ctx.broker.fetchSessions.open({
    sessionId: request.sessionId,
    sessionEpoch: request.sessionEpoch,
    usesTopicIds,
    isFromFollower: isFromReplica(request, ctx),
    wanted: request.topics.flatMap(({ topic, topicId, partitions }) => {
      const name = named(topic, topicId)
      return partitions.map((partition) => ({
        ...name,
        partition: partition.partition,
        fetchOffset: partition.fetchOffset,
        maxBytes: partition.partitionMaxBytes,
        // Any below 0 means that the reader knows none, here; elsewhere only -1 does.
        currentLeaderEpoch: Math.max(UNKNOWN_EPOCH, partition.currentLeaderEpoch),
        lastFetchedEpoch: partition.lastFetchedEpoch,
      }))
    }),
    forgotten: request.forgottenTopicsData.flatMap(({ topic, topicId, partitions }) => {
      const name = named(topic, topicId)
      return partitions.map((partition) => ({ ...name, partition }))
    }),
    nameOf,
  })
}

function isFromReplica(request: Request, ctx: RequestContext): boolean {
  const { replicaState, replicaId } = request
  return (
    (ctx.apiVersion >= FIRST_VERSION_WITH_REPLICA_STATE ? replicaState.replicaId : replicaId) >= 0
  )
}

interface ReadPlan {
  readonly entries: FetchEntry[]
  readonly refused: PartitionFetchResult[]
}

function planReads(request: Request, context: FetchContext, ctx: RequestContext): ReadPlan {
  const image = ctx.broker.metadata()
  const isReplica = isFromReplica(request, ctx)
  const mayRead = isReplica
    ? constant(ctx.allowsOnCluster(AclOperation.CLUSTER_ACTION))
    : remembered((topic) => ctx.allows(AclOperation.READ, ResourceType.TOPIC, topic))
  const plan: ReadPlan = { entries: [], refused: [] }
  for (const entry of context.entries) {
    const refusal = refusalOf(entry, image, mayRead)
    // Nobody follows a partition of ours.
    if (refusal === ErrorCode.NONE && isReplica)
      plan.refused.push(failedFetch(entry, ErrorCode.NOT_LEADER_OR_FOLLOWER))
    else if (refusal === ErrorCode.NONE) plan.entries.push(entry)
    else plan.refused.push({ ...failedFetch(entry, refusal), abortedTransactions: [] })
  }
  return plan
}

function refusalOf(
  entry: FetchEntry,
  image: MetadataImage,
  mayRead: (topic: string) => boolean,
): number {
  if (entry.topic === null) return ErrorCode.UNKNOWN_TOPIC_ID
  if (!mayRead(entry.topic)) return ErrorCode.TOPIC_AUTHORIZATION_FAILED
  return image.topics.get(entry.topic)?.partitions[entry.partition] === undefined
    ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    : ErrorCode.NONE
}

function constant(answer: boolean): () => boolean {
  return () => answer
}

/** Asks once per topic: a session may have a thousand partitions of one. */
function remembered(ask: (topic: string) => boolean): (topic: string) => boolean {
  const answers = new Map<string, boolean>()
  return (topic) => {
    const known = answers.get(topic)
    if (known !== undefined) return known
    const answer = ask(topic)
    answers.set(topic, answer)
    return answer
  }
}

function formatReply(
  results: readonly PartitionFetchResult[],
  context: FetchContext,
  ctx: RequestContext,
): Response {
  const reply = context.reply(results)
  const hints = new LeaderHints(ctx)
  const responses: ReturnType<typeof newTopic>[] = []
  for (const result of reply.results) {
    let topic = responses.at(-1)
    if (!topic || !isSameTopic(topic.entry, result.entry)) {
      topic = newTopic(result.entry)
      responses.push(topic)
    }
    topic.partitions.push(formatPartition(result, hints, ctx))
  }
  return {
    throttleTimeMs: 0,
    errorCode: reply.errorCode,
    sessionId: reply.sessionId,
    responses,
    nodeEndpoints: hints.endpoints,
  }
}

/** Counts what the answer would be, about to the byte. */
function isWithinQuota(results: readonly PartitionFetchResult[], { throttle }: RequestContext) {
  if (throttle === null) return true
  let bytes = 0
  for (const { records } of results)
    if (records.length > 0) bytes += records.length + PARTITION_OVERHEAD_BYTES
  return throttle.permitFetch(bytes)
}

/** Tells nothing: what was read is read again later. An answer that tells nothing opens no session either. */
function formatThrottled(request: Request, context: FetchContext, ctx: RequestContext): Response {
  return request.sessionEpoch > 0
    ? formatReply([], context, ctx)
    : { throttleTimeMs: 0, errorCode: ErrorCode.NONE, sessionId: 0, responses: [] }
}

/** Before a session is looked for. By id, newer clients get the error of the whole only. */
function refuseAll(request: Request, errorCode: number, ctx: RequestContext): Response {
  const isByName = ctx.apiVersion < FIRST_VERSION_BY_ID
  const refusal = {
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    abortedTransactions: [],
    records: Buffer.alloc(0),
  }
  const responses = request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition }) => ({ partitionIndex: partition, ...refusal })),
  }))
  return { throttleTimeMs: 0, errorCode, sessionId: 0, responses: isByName ? responses : [] }
}

function newTopic(entry: FetchEntry) {
  const { topic, topicId } = entry
  const partitions: ReturnType<typeof formatPartition>[] = []
  return { entry, topic: topic ?? '', topicId: topicId ?? ZERO_UUID, partitions }
}

function isSameTopic(one: FetchEntry, other: FetchEntry): boolean {
  return one.topicId === null ? one.topic === other.topic : one.topicId === other.topicId
}

function formatPartition(
  result: PartitionFetchResult,
  hints: LeaderHints,
  { apiVersion }: RequestContext,
) {
  const { entry, errorCode } = result
  const isLedElsewhere =
    errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER || errorCode === ErrorCode.FENCED_LEADER_EPOCH
  // Clients of that time take a storage error for one that does not pass.
  const isUnknownToClient =
    errorCode === ErrorCode.KAFKA_STORAGE_ERROR && apiVersion <= LAST_VERSION_WITHOUT_STORAGE_ERROR
  return {
    partitionIndex: entry.partition,
    errorCode: isUnknownToClient ? ErrorCode.NOT_LEADER_OR_FOLLOWER : errorCode,
    highWatermark: result.highWatermark,
    lastStableOffset: result.lastStableOffset,
    logStartOffset: result.logStartOffset,
    divergingEpoch: result.divergingEpoch ?? undefined,
    currentLeader:
      isLedElsewhere && entry.topic !== null && apiVersion >= FIRST_VERSION_WITH_LEADERS
        ? hints.leaderOf(entry.topic, entry.partition)
        : undefined,
    abortedTransactions: result.abortedTransactions,
    records: result.records,
  }
}
