/**
 * DescribeProducers, key 61 - served: 0 to 0.
 * Does: tells which producers a partition's log remembers, and where their open transactions begin.
 * Gaps: none known.
 */
import { validateTopicName } from '@millrace/controller'
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode, errorText } from '@millrace/wire'
import { wireFailureOf } from '../wire-failure'
import { handler, type RequestContext } from './handler'

export const describeProducers = handler(
  ApiKey.DescribeProducers,
  { min: 0, max: 0 },
  (request, ctx) => ({
    throttleTimeMs: 0,
    topics: request.topics.map(({ name, partitionIndexes }) => {
      const refusal = refusalOf(name, ctx)
      const partitions = partitionIndexes.map((index) =>
        refusal ? failed(index, refusal) : producersOf(name, index, ctx),
      )
      return { name, partitions }
    }),
  }),
)

interface Refusal {
  readonly errorCode: number
  readonly errorMessage: string | null
}

function refusalOf(topic: string, ctx: RequestContext): Refusal | null {
  try {
    validateTopicName(topic)
  } catch (error) {
    return wireFailureOf(error)
  }
  if (!ctx.allows(AclOperation.READ, ResourceType.TOPIC, topic))
    return refused(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
  return ctx.broker.metadata().topics.has(topic)
    ? null
    : refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
}

function producersOf(topic: string, index: number, ctx: RequestContext) {
  // Only what is wrong with the topic is told in words, as by Kafka.
  const unfit = (errorCode: number) => failed(index, { errorCode, errorMessage: null })
  const partition = ctx.broker.replicas.partition(topic, index)
  if (!partition) return unfit(ctx.broker.replicas.missingError(topic, index))
  if (!partition.isLeader) return unfit(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  return {
    partitionIndex: index,
    errorCode: ErrorCode.NONE,
    activeProducers: partition.log.activeProducers(),
  }
}

function failed(partitionIndex: number, refusal: Refusal) {
  return { partitionIndex, ...refusal, activeProducers: [] }
}

function refused(errorCode: number): Refusal {
  return { errorCode, errorMessage: errorText(errorCode) }
}
