/**
 * DescribeTopicPartitions, key 75 - served: 0 to 0.
 * Does: tells partitions of topics in order of their names, as many as the client and max.request.partition.size.limit
 * allow, and where to go on.
 * Gaps: none known.
 */
import { isInternalTopic, validateTopicName, type TopicImage } from '@millrace/controller'
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode, ZERO_UUID } from '@millrace/wire'
import { wireFailureOf } from '../wire-failure'
import { handler, type RequestContext, type RequestOf, type ResponseOf } from './handler'
import { partitionState } from './partition-state'

type Request = RequestOf<typeof ApiKey.DescribeTopicPartitions>
type Response = ResponseOf<typeof ApiKey.DescribeTopicPartitions>
type TopicAnswer = Response['topics'][number]

export const describeTopicPartitions = handler(
  ApiKey.DescribeTopicPartitions,
  { min: 0, max: 0 },
  (request, ctx) => {
    const { topics, cursor } = request
    const names = namesOf(request, ctx)
    const isCursorValid =
      cursor === null ||
      (cursor.partitionIndex >= 0 && (topics.length === 0 || names.includes(cursor.topicName)))
    if (!isCursorValid)
      return {
        throttleTimeMs: 0,
        topics: topics.map(({ name }) => failed(name, ErrorCode.INVALID_REQUEST)),
      }
    const isAllowed = (name: string) => ctx.allows(AclOperation.DESCRIBE, ResourceType.TOPIC, name)
    const allowed = names.filter(isAllowed)
    const shown = new Set(allowed)
    const page = describe(allowed, request, ctx)
    // Who asked for all does not learn of those that are not for them.
    const denied =
      topics.length === 0
        ? []
        : names
            .filter((name) => !shown.has(name))
            .map((name) => failed(name, ErrorCode.TOPIC_AUTHORIZATION_FAILED))
    return { ...page, topics: [...page.topics, ...denied] }
  },
)

/** What was asked for, without what stands before the cursor; each once, in order. */
function namesOf({ topics, cursor }: Request, ctx: RequestContext): string[] {
  const wanted =
    topics.length === 0 ? ctx.broker.metadata().topics.keys() : topics.map(({ name }) => name)
  const from = cursor?.topicName ?? ''
  return Array.from(new Set(wanted))
    .filter((name) => name >= from)
    .sort()
}

function describe(names: readonly string[], request: Request, ctx: RequestContext): Response {
  const { cursor, responsePartitionLimit } = request
  const { maxRequestPartitionSizeLimit } = ctx.broker.config.values
  const image = ctx.broker.metadata()
  let room = Math.max(1, Math.min(maxRequestPartitionSizeLimit, responsePartitionLimit))
  const topics: TopicAnswer[] = []
  for (const name of names) {
    if (room === 0)
      return { throttleTimeMs: 0, topics, nextCursor: { topicName: name, partitionIndex: 0 } }
    const topic = image.topics.get(name)
    if (!topic) {
      const topicAuthorizedOperations = ctx.allowedOperations(ResourceType.TOPIC, name)
      if (request.topics.length > 0)
        topics.push({ ...failed(name, unknownNameError(name)), topicAuthorizedOperations })
      continue
    }
    const first = name === cursor?.topicName ? cursor.partitionIndex : 0
    const partitions = partitionsOf(topic, { first, count: room }, ctx)
    topics.push(answerOf(topic, partitions, ctx))
    const next = first + partitions.length
    if (next < topic.partitions.length)
      return { throttleTimeMs: 0, topics, nextCursor: { topicName: name, partitionIndex: next } }
    room -= partitions.length
  }
  return { throttleTimeMs: 0, topics }
}

/** Without a leader there is no error here, unlike in Metadata. */
function partitionsOf(
  { name, partitions }: TopicImage,
  { first, count }: { first: number; count: number },
  ctx: RequestContext,
) {
  return partitions.slice(first, first + count).map((partition) => ({
    errorCode: ErrorCode.NONE,
    ...partitionState(name, partition, ctx),
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
  }))
}

function answerOf(
  topic: TopicImage,
  partitions: TopicAnswer['partitions'],
  ctx: RequestContext,
): TopicAnswer {
  const { name, id, isInternal } = topic
  return {
    errorCode: ErrorCode.NONE,
    name,
    topicId: id,
    isInternal,
    partitions,
    topicAuthorizedOperations: ctx.allowedOperations(ResourceType.TOPIC, name),
  }
}

function failed(name: string, errorCode: number): TopicAnswer {
  const isInternal = isInternalTopic(name)
  return { errorCode, name, topicId: ZERO_UUID, isInternal, partitions: [] }
}

function unknownNameError(name: string): number {
  try {
    validateTopicName(name)
    return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  } catch (error) {
    return wireFailureOf(error).errorCode
  }
}
