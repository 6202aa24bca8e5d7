/**
 * Metadata, key 3 - served: 0 to 13.
 * Does: tells brokers, topics and leaders; creates unknown topics when the client and auto.create.topics.enable allow it.
 * Versions: 1 null means all topics; 4 allowAutoTopicCreation; 7 leader epoch; 9 flexible; 10 topic ids; 12 ask by id alone.
 * Gaps: authorized operations are not told (there are no ACLs yet). A created topic is answered at once with its leaders,
 * where Kafka answers UNKNOWN_TOPIC_OR_PARTITION first and lets the client ask again.
 */
import { isInternalTopic, validateTopicName, type TopicImage } from '@millrace/controller'
import { ApiKey, ErrorCode, ZERO_UUID } from '@millrace/wire'
import { wireFailureOf } from '../wire-failure'
import { handler, type RequestContext, type RequestOf, type ResponseOf } from './handler'

type Request = RequestOf<typeof ApiKey.Metadata>
type TopicAnswer = ResponseOf<typeof ApiKey.Metadata>['topics'][number]

export const metadata = handler(ApiKey.Metadata, { min: 0, max: 13 }, async (request, ctx) => {
  const topics = await answerTopics(request, ctx)
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
    errorCode: ErrorCode.NONE,
  }
})

async function answerTopics(request: Request, ctx: RequestContext): Promise<TopicAnswer[]> {
  const image = ctx.broker.metadata()
  // Version 0 has no null: there the empty list means all topics.
  const wantsAll = request.topics === null || (ctx.apiVersion === 0 && request.topics.length === 0)
  if (wantsAll || request.topics === null) return [...image.topics.values()].map(formatTopic)
  const answers: TopicAnswer[] = []
  for (const { name, topicId } of request.topics) {
    const isById = topicId !== ZERO_UUID
    const found = isById ? image.topicById(topicId) : image.topics.get(name ?? '')
    if (found) answers.push(formatTopic(found))
    else if (isById) answers.push(unknownId(topicId))
    else answers.push(await answerUnknown(name ?? '', request.allowAutoTopicCreation, ctx))
  }
  return answers
}

async function answerUnknown(
  name: string,
  mayCreate: boolean,
  ctx: RequestContext,
): Promise<TopicAnswer> {
  const errorCode = unknownNameError(name)
  const isCreatable = errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  if (!isCreatable || !mayCreate || !ctx.broker.config.values.autoCreateTopicsEnable)
    return failed(name, errorCode)
  const created = await ctx.broker.topics.createAutomatically(name)
  return typeof created === 'number' ? failed(name, created) : formatTopic(created)
}

function unknownNameError(name: string): number {
  try {
    validateTopicName(name)
    return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  } catch (error) {
    return wireFailureOf(error).errorCode
  }
}

function formatTopic(topic: TopicImage): TopicAnswer {
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.isInternal,
    partitions: topic.partitions.map(({ index, leader, leaderEpoch, replicas, isr }) => ({
      errorCode: leader < 0 ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.NONE,
      partitionIndex: index,
      leaderId: leader,
      leaderEpoch,
      replicaNodes: replicas,
      isrNodes: isr,
      offlineReplicas: [],
    })),
  }
}

function failed(name: string, errorCode: number): TopicAnswer {
  return { errorCode, name, isInternal: isInternalTopic(name), partitions: [] }
}

/** Version 10 and 11 cannot say null: there the name is empty. */
function unknownId(topicId: string): TopicAnswer {
  return { errorCode: ErrorCode.UNKNOWN_TOPIC_ID, name: '', topicId, partitions: [] }
}
