/**
 * AddPartitionsToTxn, key 24 - served: 0 to 5.
 * Does: takes partitions into a producer's transaction, or only tells whether they are in it; answers when that is durable.
 * Versions: 2 PRODUCER_FENCED; 3 flexible; 4 several transactions, from brokers only; 5 TRANSACTION_ABORTABLE.
 * Gaps: none known.   Invariants: TXN-1.
 */
import { TRANSACTION_V2, type TopicPartition } from '@millrace/coordinator'
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { handler, type RequestContext, type RequestOf, type ResponseOf } from './handler'
import { knownToOldClients } from './old-producer-errors'

type Request = RequestOf<typeof ApiKey.AddPartitionsToTxn>
type Transaction = Request['transactions'][number]
type Topics = readonly { readonly name: string; readonly partitions: readonly number[] }[]
type TopicResults = NonNullable<
  ResponseOf<typeof ApiKey.AddPartitionsToTxn>['resultsByTopicV3AndBelow']
>

const FIRST_VERSION_OF_BROKERS = 4
const FIRST_VERSION_FENCED = 2

export const addPartitionsToTxn = handler(
  ApiKey.AddPartitionsToTxn,
  { min: 0, max: 5, order: 'change' },
  async (request, ctx) => {
    if (ctx.apiVersion < FIRST_VERSION_OF_BROKERS) {
      const txn = transactionOf(request)
      const mayWrite = ctx.allows(
        AclOperation.WRITE,
        ResourceType.TRANSACTIONAL_ID,
        txn.transactionalId,
      )
      return {
        throttleTimeMs: 0,
        resultsByTopicV3AndBelow: mayWrite
          ? await addTransaction(txn, ctx)
          : resultsOf(txn.topics, () => ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED),
      }
    }
    if (!ctx.allowsOnCluster(AclOperation.CLUSTER_ACTION))
      return { throttleTimeMs: 0, errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED }
    const results = await Promise.all(request.transactions.map((txn) => addTransaction(txn, ctx)))
    return {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      resultsByTransaction: request.transactions.map(({ transactionalId }, at) => ({
        transactionalId,
        topicResults: results[at],
      })),
    }
  },
)

/** The one transaction of an older version, in the form of the newer ones. */
function transactionOf(request: Request): Transaction {
  return {
    transactionalId: request.v3AndBelowTransactionalId,
    producerId: request.v3AndBelowProducerId,
    producerEpoch: request.v3AndBelowProducerEpoch,
    verifyOnly: false,
    topics: request.v3AndBelowTopics,
  }
}

async function addTransaction(txn: Transaction, ctx: RequestContext): Promise<TopicResults> {
  const partitions = txn.topics.flatMap(({ name: topic, partitions: indexes }) =>
    indexes.map((partition) => ({ topic, partition })),
  )
  const refusals = partitions.map((partition) => refusalOf(partition, ctx))
  if (refusals.some((refusal) => refusal !== ErrorCode.NONE)) {
    // All or nothing: one bad partition keeps the others out.
    const errors = refusals.map((refusal) => refusal || ErrorCode.OPERATION_NOT_ATTEMPTED)
    return resultsOf(txn.topics, (at) => errors[at])
  }
  const { transactions } = ctx.broker
  if (txn.verifyOnly) {
    const errors = transactions.verifyPartitions({ ...txn, partitions })
    return resultsOf(txn.topics, (at) => errors[at])
  }
  const clientVersion = ctx.apiVersion >= FIRST_VERSION_OF_BROKERS ? TRANSACTION_V2 : 0
  const error = await transactions.addPartitions({ ...txn, partitions, clientVersion })
  const told = ctx.apiVersion < FIRST_VERSION_FENCED ? knownToOldClients(error) : error
  return resultsOf(txn.topics, () => told)
}

/** A client needs the right to write to each topic; brokers have asked that. */
function refusalOf({ topic, partition }: TopicPartition, ctx: RequestContext): number {
  const found = ctx.broker.metadata().topics.get(topic)
  if (
    ctx.apiVersion < FIRST_VERSION_OF_BROKERS &&
    (found?.isInternal || !ctx.allows(AclOperation.WRITE, ResourceType.TOPIC, topic))
  )
    return ErrorCode.TOPIC_AUTHORIZATION_FAILED
  return found?.partitions[partition] === undefined
    ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    : ErrorCode.NONE
}

/** `errorOf` is given the position of a partition in the whole request. */
function resultsOf(topics: Topics, errorOf: (at: number) => number): TopicResults {
  let at = 0
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({
      partitionIndex,
      partitionErrorCode: errorOf(at++),
    })),
  }))
}
