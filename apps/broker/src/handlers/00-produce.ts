/**
 * Produce, key 0 - served: 3 to 13.
 * Does: appends each partition's batches and answers when they are safe; acks=0 answers nothing and closes on failure.
 * Versions: 3 record batch v2; 5 log start offset; 7 zstd; 8 record errors; 9 flexible; 10 current leader; 13 topic id.
 * Advertised from 0, because librdkafka takes a broker without version 0 for one it cannot produce to.
 * Gaps: transactional batches are refused (INVALID_TXN_STATE) until there is a transaction coordinator; a bad record is
 * told by errorMessage, without its index in recordErrors.   Invariants: ACK-1, ACK-4.
 */
import { batch, BATCH_HEADER_BYTES, Codec } from '@millrace/record'
import type { AppendEntry, PartitionAppendResult } from '@millrace/replication'
import { ApiKey, ErrorCode, errorText } from '@millrace/wire'
import { brokerErrors } from '../errors'
import { findTopic, partitionError } from './find-partition'
import { handler, type RequestContext, type RequestOf, type ResponseOf } from './handler'

type Request = RequestOf<typeof ApiKey.Produce>
type Response = ResponseOf<typeof ApiKey.Produce>

const FIRST_VERSION_BY_ID = 13
const FIRST_VERSION_WITH_ZSTD = 7

export const produce = handler(
  ApiKey.Produce,
  { min: 3, max: 13, advertisedMin: 0 },
  (request, ctx) => {
    const { acks } = request
    if (acks !== 0 && acks !== 1 && acks !== -1)
      return refuseAll(request, ErrorCode.INVALID_REQUIRED_ACKS)
    if (request.transactionalId !== null) return refuseAll(request, ErrorCode.INVALID_TXN_STATE)
    const plan = planAppends(request, ctx)
    // ACK-4: the append itself happens in this turn, so pipelined requests of a connection reach the log in their order.
    const appended = ctx.broker.replicas.append({
      acks,
      timeoutMs: request.timeoutMs,
      origin: 'client',
      entries: plan.entries,
    })
    return appended.then((results) => {
      if (acks === 0) return closeOnFailure(plan, results)
      return { responses: formatTopics(request, plan, results, ctx) }
    })
  },
)

interface AppendPlan {
  readonly entries: AppendEntry[]
  /** By partition in the order of the request: NONE if it is an entry, else why not. */
  readonly refusals: number[]
}

function planAppends(request: Request, ctx: RequestContext): AppendPlan {
  const image = ctx.broker.metadata()
  const plan: AppendPlan = { entries: [], refusals: [] }
  for (const { name, topicId, partitionData } of request.topicData) {
    const reference = { name, topicId, isById: ctx.apiVersion >= FIRST_VERSION_BY_ID }
    const found = findTopic(image, reference)
    for (const { index, records } of partitionData) {
      let refusal = partitionError(found, reference, index)
      // Only the coordinators write to their topics.
      if (found?.isInternal) refusal = ErrorCode.INVALID_TOPIC_EXCEPTION
      if (refusal === ErrorCode.NONE) refusal = recordsError(records, ctx.apiVersion)
      plan.refusals.push(refusal)
      if (found && records && refusal === ErrorCode.NONE)
        plan.entries.push({ topic: found.name, partition: index, records })
    }
  }
  return plan
}

/** What this version of the request may not carry; the rest is the log's to check. */
function recordsError(records: Buffer | null, apiVersion: number): number {
  if (records === null || records.length === 0) return ErrorCode.INVALID_RECORD
  if (apiVersion >= FIRST_VERSION_WITH_ZSTD || records.length < BATCH_HEADER_BYTES)
    return ErrorCode.NONE
  return batch.codec(records, 0) === Codec.zstd
    ? ErrorCode.UNSUPPORTED_COMPRESSION_TYPE
    : ErrorCode.NONE
}

function formatTopics(
  request: Request,
  plan: AppendPlan,
  results: readonly PartitionAppendResult[],
  ctx: RequestContext,
): Response['responses'] {
  let at = 0
  let resultAt = 0
  return request.topicData.map((topic) => ({
    name: topic.name,
    topicId: topic.topicId,
    partitionResponses: topic.partitionData.map(({ index }) => {
      const refusal = plan.refusals[at++]
      if (refusal !== ErrorCode.NONE) return refused(index, refusal)
      const result = results[resultAt++]
      return {
        index,
        errorCode: result.errorCode,
        baseOffset: result.baseOffset,
        logAppendTimeMs: result.logAppendTimeMs,
        logStartOffset: result.logStartOffset,
        errorMessage: result.errorMessage,
        currentLeader: currentLeader(result, ctx),
      }
    }),
  }))
}

/** Tells a client that came to the wrong broker where to go, so that it need not ask for metadata. */
function currentLeader(result: PartitionAppendResult, ctx: RequestContext) {
  if (result.errorCode !== ErrorCode.NOT_LEADER_OR_FOLLOWER) return undefined
  const topic = ctx.broker.metadata().topics.get(result.topic)
  const partition = topic?.partitions[result.partition]
  return partition && { leaderId: partition.leader, leaderEpoch: partition.leaderEpoch }
}

function refused(index: number, errorCode: number) {
  return { index, errorCode, baseOffset: -1, errorMessage: errorText(errorCode) }
}

function refuseAll(request: Request, errorCode: number): Response | null {
  if (request.acks === 0)
    throw brokerErrors.create('BROKER_REQUEST_REFUSED', { reason: errorText(errorCode) })
  return {
    responses: request.topicData.map((topic) => ({
      name: topic.name,
      topicId: topic.topicId,
      partitionResponses: topic.partitionData.map(({ index }) => refused(index, errorCode)),
    })),
  }
}

function closeOnFailure(plan: AppendPlan, results: readonly PartitionAppendResult[]): null {
  const failed = results.find(({ errorCode }) => errorCode !== ErrorCode.NONE)
  if (failed)
    throw brokerErrors.create('BROKER_UNACKED_APPEND_FAILED', {
      topic: failed.topic,
      partition: failed.partition,
      reason: failed.errorMessage,
    })
  const refusal = plan.refusals.find((code) => code !== ErrorCode.NONE)
  if (refusal !== undefined)
    throw brokerErrors.create('BROKER_REQUEST_REFUSED', { reason: errorText(refusal) })
  return null
}
