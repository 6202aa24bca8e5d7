/**
 * Metadata, key 3 - served: 0 to 13.
 * Does: tells brokers, topics and leaders; creates unknown topics when the client and auto.create.topics.enable allow it.
 * Versions: 1 null means all topics; 4 allowAutoTopicCreation; 7 leader epoch; 9 flexible; 10 topic ids; 12 ask by id alone.
 * Gaps: a created topic is answered at once with its leaders, where Kafka answers UNKNOWN_TOPIC_OR_PARTITION first and
 * lets the client ask again.   Invariants: SEC-2.
 */
import { isInternalTopic, validateTopicName, type TopicImage } from '@millrace/controller'
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode, ZERO_UUID } from '@millrace/wire'
import { wireFailureOf } from '../wire-failure'
import { clusterOperations } from './cluster-operations'
import { findTopic, type TopicReference } from './find-partition'
import { handler, type RequestContext, type RequestOf, type ResponseOf } from './handler'
import { partitionState } from './partition-state'
import { isTold } from './told-brokers'
import { mayCreateTopic, topicRefusal } from './topic-rights'

type Request = RequestOf<typeof ApiKey.Metadata>
type Response = ResponseOf<typeof ApiKey.Metadata>
type TopicAnswer = Response['topics'][number]

const FIRST_VERSION_BY_ID = 12
const FIRST_VERSION_WITH_LISTENER_NOT_FOUND = 6
const EVERY_VERSION = 0

export const metadata = handler(ApiKey.Metadata, { min: 0, max: 13 }, async (request, ctx) => {
  const refusal = refusalOf(request, ctx)
  if (refusal !== ErrorCode.NONE) return refuseAll(request, refusal)
  const found = await answerTopics(request, ctx)
  const topics = request.includeTopicAuthorizedOperations
    ? found.map((topic) => withOperations(topic, ctx))
    : found
  const image = ctx.broker.metadata() // after the wait: it knows what was created
  return {
    throttleTimeMs: 0,
    brokers: image.brokers.flatMap(({ id, rack }) => {
      const endpoint = ctx.broker.endpointOf(id, ctx.client.listenerName)
      return endpoint ? [{ nodeId: id, host: endpoint.host, port: endpoint.port, rack }] : []
    }),
    clusterId: image.clusterId,
    controllerId: image.controllerId,
    topics,
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
      ? clusterOperations(ctx)
      : undefined,
    errorCode: ErrorCode.NONE,
  }
})

/** Why nothing of the request is answered, or NONE. */
function refusalOf({ topics }: Request, { apiVersion }: RequestContext): number {
  if (topics === null) return ErrorCode.NONE
  const isNameMissing = topics.some(({ name }) => name === null)
  const hasIds = topics.some(hasId)
  if (apiVersion < FIRST_VERSION_BY_ID)
    return isNameMissing || hasIds ? ErrorCode.INVALID_REQUEST : ErrorCode.NONE
  // Kafka has no words for it.
  return isNameMissing && !hasIds ? ErrorCode.UNKNOWN_SERVER_ERROR : ErrorCode.NONE
}

function refuseAll({ topics }: Request, errorCode: number): Response {
  return {
    throttleTimeMs: 0,
    brokers: [],
    topics: (topics ?? []).map(({ name, topicId }) => ({
      errorCode,
      name: name ?? '',
      topicId,
      isInternal: false,
      partitions: [],
    })),
    errorCode,
  }
}

async function answerTopics(request: Request, ctx: RequestContext): Promise<TopicAnswer[]> {
  const image = ctx.broker.metadata()
  // Version 0 has no null: there the empty list means all topics.
  const wantsAll = request.topics === null || (ctx.apiVersion === 0 && request.topics.length === 0)
  if (wantsAll || request.topics === null)
    return [...image.topics.values()]
      .filter(({ name }) => ctx.allowsQuietly(AclOperation.DESCRIBE, ResourceType.TOPIC, name))
      .map((topic) => formatTopic(topic, ctx))
  const answers: TopicAnswer[] = []
  for (const { name, topicId } of eachOnce(request.topics)) {
    const reference = { name: name ?? '', topicId, isById: hasId({ topicId }) }
    const found = findTopic(image, reference)
    const refusal = topicRefusal(ctx, AclOperation.DESCRIBE, found, reference)
    if (refusal !== ErrorCode.NONE) answers.push(notTold(reference, refusal))
    else if (found) answers.push(formatTopic(found, ctx))
    else if (reference.isById) answers.push(notTold(reference, ErrorCode.UNKNOWN_TOPIC_ID))
    else answers.push(await answerUnknown(reference.name, request.allowAutoTopicCreation, ctx))
  }
  return answers
}

/** Where any is asked for by its id, those that are asked for by name alone are passed over. */
function eachOnce(topics: NonNullable<Request['topics']>): NonNullable<Request['topics']> {
  const byId = topics.filter(hasId)
  const keyOf = ({ name, topicId }: (typeof topics)[number]) => (byId.length > 0 ? topicId : name)
  return [...new Map((byId.length > 0 ? byId : topics).map((it) => [keyOf(it), it])).values()]
}

function hasId({ topicId }: { topicId: string }): boolean {
  return topicId !== ZERO_UUID
}

async function answerUnknown(
  name: string,
  isWanted: boolean,
  ctx: RequestContext,
): Promise<TopicAnswer> {
  const { autoCreateTopicsEnable, numPartitions } = ctx.broker.config.values
  const isCreated = isWanted && autoCreateTopicsEnable
  if (isCreated && !mayCreateTopic(name, ctx))
    return failed(name, ErrorCode.TOPIC_AUTHORIZATION_FAILED)
  const errorCode = unknownNameError(name)
  if (!isCreated || errorCode !== ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    return failed(name, errorCode)
  // Over its quota the client is told what it is told before the creation is done: it asks again.
  if (!ctx.permitsMutation(numPartitions, EVERY_VERSION)) return failed(name, errorCode)
  const created = await ctx.broker.topics.createAutomatically(name)
  return typeof created === 'number' ? failed(name, created) : formatTopic(created, ctx)
}

function unknownNameError(name: string): number {
  try {
    validateTopicName(name)
    return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  } catch (error) {
    return wireFailureOf(error).errorCode
  }
}

function formatTopic(topic: TopicImage, ctx: RequestContext): TopicAnswer {
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.isInternal,
    partitions: topic.partitions.map((partition) => {
      const state = partitionState(topic.name, partition, ctx)
      const errorCode = state.leaderId < 0 ? leaderError(partition.leader, ctx) : ErrorCode.NONE
      return { errorCode, ...state }
    }),
  }
}

/** Why clients are told of no leader. Older ones do not know that it may be one that is not advertised on their listener. */
function leaderError(leader: number, ctx: RequestContext): number {
  const isHidden = leader >= 0 && !isTold(leader, ctx)
  return isHidden && ctx.apiVersion >= FIRST_VERSION_WITH_LISTENER_NOT_FOUND
    ? ErrorCode.LISTENER_NOT_FOUND
    : ErrorCode.LEADER_NOT_AVAILABLE
}

function failed(name: string, errorCode: number): TopicAnswer {
  return { errorCode, name, isInternal: isInternalTopic(name), partitions: [] }
}

/** Who asks by an id learns no name, and who asks by a name learns no id. */
function notTold(topic: TopicReference, errorCode: number): TopicAnswer {
  return topic.isById
    ? { errorCode, name: null, topicId: topic.topicId, partitions: [] }
    : { errorCode, name: topic.name, isInternal: false, partitions: [] }
}

function withOperations(topic: TopicAnswer, ctx: RequestContext): TopicAnswer {
  // Those who may not create the topic are told nothing more, as are those who may not describe it.
  if (!topic.name || topic.errorCode === ErrorCode.TOPIC_AUTHORIZATION_FAILED) return topic
  const topicAuthorizedOperations = ctx.allowedOperations(ResourceType.TOPIC, topic.name)
  return { ...topic, topicAuthorizedOperations }
}
