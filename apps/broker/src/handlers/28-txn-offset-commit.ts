/**
 * TxnOffsetCommit, key 28 - served: 0 to 5.
 * Does: stores offsets of a group that count when the producer's transaction commits; answers when they are durable.
 * Versions: 2 leader epoch, COORDINATOR_LOAD_IN_PROGRESS; 3 flexible, group member; 4 TRANSACTION_ABORTABLE; 5 the group
 *   joins the transaction by this, without AddOffsetsToTxn.
 * Gaps: none known.   Invariants: ACK-3, TXN-4, TXN-5.
 */
import { OFFSETS_TOPIC } from '@millrace/coordinator'
import { toWireFailure } from '@millrace/replication'
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { handler, type RequestContext, type RequestOf, type ResponseOf } from './handler'

type Request = RequestOf<typeof ApiKey.TxnOffsetCommit>
type Topic = Request['topics'][number]
type TopicAnswer = NonNullable<ResponseOf<typeof ApiKey.TxnOffsetCommit>['topics']>[number]

const FIRST_VERSION_LOADING = 2
const FIRST_VERSION_ADDING = 5

export const txnOffsetCommit = handler(
  ApiKey.TxnOffsetCommit,
  { min: 0, max: 5, order: 'change' },
  async (request, ctx) => {
    const refusal = refusalOf(request, ctx)
    if (refusal !== ErrorCode.NONE) return answerAll(request, refusal)
    const answers = request.topics.map((topic) => sortOut(topic, ctx))
    const good = { ...request, topics: answers.map(({ known }) => known).filter(hasPartitions) }
    const committed = good.topics.length === 0 ? [] : await commit(good, ctx)
    const stored = new Map(committed.map((topic) => [topic.name, topic.partitions]))
    return {
      throttleTimeMs: 0,
      topics: answers.map(({ known, refused }) => ({
        name: known.name,
        partitions: [...(stored.get(known.name) ?? []), ...refused],
      })),
    }
  },
)

function refusalOf({ transactionalId, groupId }: Request, ctx: RequestContext): number {
  if (!ctx.allows(AclOperation.WRITE, ResourceType.TRANSACTIONAL_ID, transactionalId))
    return ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
  if (!ctx.allows(AclOperation.READ, ResourceType.GROUP, groupId))
    return ErrorCode.GROUP_AUTHORIZATION_FAILED
  return groupId === '' ? ErrorCode.INVALID_GROUP_ID : ErrorCode.NONE
}

async function commit(request: Request, ctx: RequestContext): Promise<readonly TopicAnswer[]> {
  const verified = await verify(request, ctx)
  if (verified.error !== ErrorCode.NONE) {
    const isLoading = verified.error === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
    const isUnknown = isLoading && ctx.apiVersion < FIRST_VERSION_LOADING
    const error = isUnknown ? ErrorCode.COORDINATOR_NOT_AVAILABLE : verified.error
    return answerAll(request, error).topics
  }
  // Between the question and this the transaction may have ended: then the log does not take the guard any more (TXN-4).
  const { topics } = await ctx.broker.groups.txnOffsetCommit(request, verified.guard)
  return topics ?? []
}

/** Asks whether the group's offsets belong to the transaction, unless some do already. */
async function verify(
  request: Request,
  ctx: RequestContext,
): Promise<{ error: number; guard?: number }> {
  const { groups, replicas, txnVerifier } = ctx.broker
  const { apiVersion } = ctx
  const { producerId, producerEpoch } = request
  const offsetsPartition = groups.partitionFor(request.groupId)
  const partition = replicas.partition(OFFSETS_TOPIC, offsetsPartition)
  if (!partition?.isLeader) return { error: ErrorCode.NOT_COORDINATOR }
  const supportsEpochBump = apiVersion >= FIRST_VERSION_ADDING
  let guard: number | null
  try {
    guard = partition.log.startVerification({
      producerId,
      producerEpoch,
      baseSequence: -1,
      supportsEpochBump,
    })
  } catch (failure) {
    return { error: toWireFailure(failure).errorCode }
  }
  if (guard === null) return { error: ErrorCode.NONE }
  const error = await txnVerifier.verifyOffsetCommit({ ...request, apiVersion, offsetsPartition })
  return { error, guard }
}

/** Splits a topic into the partitions that exist, and answers for those that do not. */
function sortOut(topic: Topic, ctx: RequestContext) {
  const { name, partitions } = topic
  const mayRead = ctx.allows(AclOperation.READ, ResourceType.TOPIC, name)
  const found = ctx.broker.metadata().topics.get(name)
  const exists = ({ partitionIndex }: Topic['partitions'][number]) =>
    mayRead && found?.partitions[partitionIndex] !== undefined
  const errorCode = mayRead
    ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    : ErrorCode.TOPIC_AUTHORIZATION_FAILED
  return {
    known: { name, partitions: partitions.filter(exists) },
    refused: partitions
      .filter((partition) => !exists(partition))
      .map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
  }
}

function hasPartitions({ partitions }: Topic): boolean {
  return partitions.length > 0
}

function answerAll({ topics }: Request, errorCode: number) {
  return {
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }
}
