/**
 * Produce, key 0 - served: 3 to 13.
 * Does: appends each partition's batch and answers when it is safe; acks=0 answers nothing and closes on failure;
 * has transactional batches verified by their coordinator.
 * Versions: 3 record batch v2, transactions; 5 log start offset; 7 zstd; 8 record errors; 9 flexible; 10 where the leader is;
 * 12 a batch joins its partition to the transaction; 13 topic id.
 * Advertised from 0, because librdkafka takes a broker without version 0 for one it cannot produce to.
 * Gaps: none known.   Invariants: ACK-1, ACK-4, SEC-2.
 */
import type { PartitionAppendResult } from '@millrace/replication'
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode, errorText } from '@millrace/wire'
import { brokerErrors } from '../errors'
import type { ClientSession } from '../network/session'
import { handler, type RequestContext, type RequestOf, type ResponseOf } from './handler'
import { LeaderHints } from './leader-hints'
import {
  hasDamagedBatch,
  hasTransactionalBatch,
  hasTransactionalEntry,
  hasTwoProducers,
  planAppends,
  refuse,
  verifyTransactions,
  type PlannedPartition,
} from './produce-plan'

type Request = RequestOf<typeof ApiKey.Produce>
type Response = ResponseOf<typeof ApiKey.Produce>

/** By connection: the produce request that waits for a coordinator, so that those behind it do not overtake it. */
const verifying = new WeakMap<ClientSession, Promise<void>>()

export const produce = handler(
  ApiKey.Produce,
  { min: 3, max: 13, advertisedMin: 0 },
  (request, ctx) => {
    if (hasDamagedBatch(request))
      return refuseAll(request, ErrorCode.CORRUPT_MESSAGE, errorText(ErrorCode.CORRUPT_MESSAGE))
    if (hasTransactionalBatch(request) && !mayUseTransaction(request, ctx))
      return refuseAll(request, ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    const plan = planAppends(request, ctx)
    if (hasTwoProducers(plan)) return refuseAll(request, ErrorCode.INVALID_PRODUCER_ID_MAPPING)
    // ACK-4: the append itself happens in this turn, so pipelined requests of a connection reach the log in their order.
    const before = verifying.get(ctx.client)
    if (before === undefined && !hasTransactionalEntry(plan)) return append(request, plan, ctx)
    return appendInTurn(before, request, plan, ctx)
  },
)

/** Only a request with transactional batches is asked for its transactional id; then it must have one. */
function mayUseTransaction({ transactionalId }: Request, ctx: RequestContext): boolean {
  return (
    transactionalId !== null &&
    ctx.allows(AclOperation.WRITE, ResourceType.TRANSACTIONAL_ID, transactionalId)
  )
}

/** ACK-4 where a coordinator is asked: those behind wait until this one is in the log, as they do in Kafka. */
async function appendInTurn(
  before: Promise<void> | undefined,
  request: Request,
  plan: readonly PlannedPartition[],
  ctx: RequestContext,
): Promise<Response | null> {
  const { client } = ctx
  const { promise: turn, resolve: endTurn } = Promise.withResolvers<void>()
  verifying.set(client, turn)
  let answer: Promise<Response | null>
  try {
    await before
    if (hasTransactionalEntry(plan)) await verifyTransactions(plan, request.transactionalId!, ctx)
    // The topic may be gone since the plan was made; the append looks for the partition again.
    answer = ctx.timed(() => append(request, plan, ctx))
  } finally {
    if (verifying.get(client) === turn) verifying.delete(client)
    endTurn()
  }
  return answer
}

async function append(
  request: Request,
  plan: readonly PlannedPartition[],
  ctx: RequestContext,
): Promise<Response | null> {
  const { acks, timeoutMs } = request
  if (acks !== 0 && acks !== 1 && acks !== -1) {
    for (const planned of plan) if (planned.entry) refuse(planned, ErrorCode.INVALID_REQUIRED_ACKS)
    return formatReply(request, plan, [], ctx)
  }
  const results = await ctx.broker.replicas.append({
    acks,
    timeoutMs,
    origin: 'client',
    entries: plan.flatMap(({ entry }) => entry ?? []),
  })
  if (acks === 0) return closeOnFailure(plan, results)
  return ctx.timed(() => formatReply(request, plan, results, ctx))
}

function formatReply(
  request: Request,
  plan: readonly PlannedPartition[],
  results: readonly PartitionAppendResult[],
  ctx: RequestContext,
): Response {
  const hints = new LeaderHints(ctx)
  let at = 0
  let resultAt = 0
  const responses = request.topicData.map(({ name, topicId, partitionData }) => ({
    name,
    topicId,
    partitionResponses: partitionData.map(() => {
      const planned = plan[at++]
      return planned.entry === null
        ? formatRefusal(planned)
        : formatResult(results[resultAt++], hints)
    }),
  }))
  return { responses: responses.filter(hasPartitions), nodeEndpoints: hints.endpoints }
}

/** Of a topic that was named for nothing, nothing is told. */
function hasPartitions({ partitionResponses }: { partitionResponses: readonly object[] }): boolean {
  return partitionResponses.length > 0
}

function formatResult(result: PartitionAppendResult, hints: LeaderHints) {
  const { topic, partition, errorCode, recordErrors } = result
  return {
    index: partition,
    errorCode,
    baseOffset: result.baseOffset,
    logAppendTimeMs: result.logAppendTimeMs,
    logStartOffset: result.logStartOffset,
    recordErrors: recordErrors.map(({ index, reason }) => ({
      batchIndex: index,
      batchIndexErrorMessage: reason,
    })),
    // As Kafka has it: only refused records are told in words.
    errorMessage: recordErrors.length > 0 ? result.errorMessage : null,
    // So that a client that came to the wrong broker need not ask for metadata.
    currentLeader:
      errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER ? hints.leaderOf(topic, partition) : undefined,
  }
}

function formatRefusal({
  index,
  errorCode,
  errorMessage,
}: Pick<PlannedPartition, 'index' | 'errorCode' | 'errorMessage'>) {
  return { index, errorCode, baseOffset: -1, errorMessage }
}

function refuseAll(
  request: Request,
  errorCode: number,
  errorMessage: string | null = null,
): Response {
  if (request.acks === 0)
    throw brokerErrors.create('BROKER_REQUEST_REFUSED', { reason: errorText(errorCode) })
  return {
    responses: request.topicData.map((topic) => ({
      name: topic.name,
      topicId: topic.topicId,
      partitionResponses: topic.partitionData.map(({ index }) =>
        formatRefusal({ index, errorCode, errorMessage }),
      ),
    })),
  }
}

/** There is no answer in which to tell it. */
function closeOnFailure(
  plan: readonly PlannedPartition[],
  results: readonly PartitionAppendResult[],
): null {
  const failed = results.find(({ errorCode }) => errorCode !== ErrorCode.NONE)
  if (failed)
    throw brokerErrors.create('BROKER_UNACKED_APPEND_FAILED', {
      topic: failed.topic,
      partition: failed.partition,
      reason: failed.errorMessage,
    })
  const refusal = plan.find(({ errorCode }) => errorCode !== ErrorCode.NONE)
  if (refusal)
    throw brokerErrors.create('BROKER_REQUEST_REFUSED', { reason: errorText(refusal.errorCode) })
  return null
}
