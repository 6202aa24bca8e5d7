/**
 * CreateTopics, key 19 - served: 2 to 7.
 * Does: creates topics, with configs and by hand-made assignments if given; answers when their logs are open.
 * Versions: 4 default partitions and replicas (-1); 5 flexible, the created configs; 7 topic id.
 * Gaps: none known.
 */
import { errorMessage } from '@millrace/base'
import type { NewTopic as ControllerTopic, TopicImage } from '@millrace/controller'
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode, errorText } from '@millrace/wire'
import { describeTopicConfigs } from '../configs/describe'
import { wireFailureOf } from '../wire-failure'
import { handler, type RequestContext, type RequestOf, type ResponseOf } from './handler'
import { mayCreateTopic } from './topic-rights'
import { repeated } from './repeated'

type NewTopic = RequestOf<typeof ApiKey.CreateTopics>['topics'][number]
type TopicAnswer = ResponseOf<typeof ApiKey.CreateTopics>['topics'][number]

/** Older ones do not know the refusal: their clients wait instead. */
const FIRST_VERSION_WITH_QUOTA = 6

export const createTopics = handler(
  ApiKey.CreateTopics,
  { min: 2, max: 7, order: 'change' },
  async (request, ctx) => {
    const twice = repeated(request.topics.map(({ name }) => name))
    const byName = new Map(request.topics.map((topic) => [topic.name, topic]))
    const topics = await Promise.all(
      Array.from(byName.values(), async (topic) =>
        twice.has(topic.name)
          ? failed(topic.name, ErrorCode.INVALID_REQUEST, 'Duplicate topic name.')
          : createTopic(topic, request.validateOnly, ctx),
      ),
    )
    return { throttleTimeMs: 0, topics }
  },
)

async function createTopic(
  topic: NewTopic,
  validateOnly: boolean,
  ctx: RequestContext,
): Promise<TopicAnswer> {
  const { controller, replicas } = ctx.broker
  if (!mayCreateTopic(topic.name, ctx))
    return failed(topic.name, ErrorCode.TOPIC_AUTHORIZATION_FAILED, 'Authorization failed.')
  const hasConfigTwice = new Set(topic.configs.map(({ name }) => name)).size < topic.configs.length
  if (hasConfigTwice)
    return failed(topic.name, ErrorCode.INVALID_CONFIG, 'A config is given more than once.')
  try {
    const wanted = {
      name: topic.name,
      partitions: topic.numPartitions,
      replicationFactor: topic.replicationFactor,
      assignments: topic.assignments,
      configs: Object.fromEntries(topic.configs.map(({ name, value }) => [name, value])),
    }
    if (!(await permits(wanted, ctx)))
      return failed(
        topic.name,
        ErrorCode.THROTTLING_QUOTA_EXCEEDED,
        errorText(ErrorCode.THROTTLING_QUOTA_EXCEEDED),
      )
    const created = await controller.createTopic({ ...wanted, validateOnly })
    if (!validateOnly) await replicas.whenApplied(topic.name)
    return {
      name: topic.name,
      topicId: validateOnly ? undefined : created.id,
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      ...describeCreated(created, ctx),
    }
  } catch (error) {
    return failed(topic.name, wireFailureOf(error).errorCode, errorMessage(error))
  }
}

/** Only a topic that could be created uses up the quota. @throws CONTROLLER_* for any other */
async function permits(wanted: Omit<ControllerTopic, 'validateOnly'>, ctx: RequestContext) {
  if (ctx.throttle === null) return true
  const planned = await ctx.broker.controller.createTopic({ ...wanted, validateOnly: true })
  return ctx.permitsMutation(planned.partitions.length, FIRST_VERSION_WITH_QUOTA)
}

/** Who may not read the configs of a topic is not told them when creating it, nor its shape. */
function describeCreated(created: TopicImage, ctx: RequestContext) {
  if (!ctx.allowsQuietly(AclOperation.DESCRIBE_CONFIGS, ResourceType.TOPIC, created.name))
    return { topicConfigErrorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, configs: [] }
  return {
    numPartitions: created.partitions.length,
    replicationFactor: created.partitions[0].replicas.length,
    configs: describeTopicConfigs(ctx.broker.dynamicConfig.layers, created.configs),
  }
}

function failed(name: string, errorCode: number, message: string): TopicAnswer {
  return { name, errorCode, errorMessage: message, configs: [] }
}
