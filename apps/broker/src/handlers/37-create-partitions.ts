/**
 * CreatePartitions, key 37 - served: 0 to 3.
 * Does: gives topics more partitions, placed by the broker or by hand; answers when their logs are open.
 * Versions: 2 flexible; 3 may be throttled by a quota.
 * Gaps: none known.
 */
import { errorMessage } from '@millrace/base'
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode, errorText } from '@millrace/wire'
import { wireFailureOf } from '../wire-failure'
import { handler, type RequestContext, type RequestOf } from './handler'
import { repeated } from './repeated'

type Request = RequestOf<typeof ApiKey.CreatePartitions>
type Topic = Request['topics'][number]

/** Older ones do not know the refusal: their clients wait instead. */
const FIRST_VERSION_WITH_QUOTA = 3

export const createPartitions = handler(
  ApiKey.CreatePartitions,
  { min: 0, max: 3, order: 'change' },
  async ({ topics, validateOnly }, ctx) => {
    const twice = repeated(topics.map(({ name }) => name))
    const byName = new Map(topics.map((topic) => [topic.name, topic]))
    const results = Array.from(byName.values(), async (topic) =>
      twice.has(topic.name)
        ? answer(topic, ErrorCode.INVALID_REQUEST, 'the topic is given more than once')
        : addPartitions(topic, validateOnly, ctx),
    )
    return { throttleTimeMs: 0, results: await Promise.all(results) }
  },
)

async function addPartitions(topic: Topic, validateOnly: boolean, ctx: RequestContext) {
  const { name, count, assignments } = topic
  if (!ctx.allows(AclOperation.ALTER, ResourceType.TOPIC, name))
    return refused(topic, ErrorCode.TOPIC_AUTHORIZATION_FAILED)
  const { controller, replicas } = ctx.broker
  const firstIndex = ctx.broker.metadata().topics.get(name)?.partitions.length ?? 0
  // The request gives only brokers: the first list is that of the first new partition.
  const placed = assignments?.map(({ brokerIds }, at) => ({
    partitionIndex: firstIndex + at,
    brokerIds,
  }))
  const wanted = { name, count, assignments: placed ?? null }
  try {
    if (ctx.throttle !== null) {
      // Only partitions that could be added use up the quota.
      await controller.createPartitions({ ...wanted, validateOnly: true })
      if (!ctx.permitsMutation(count - firstIndex, FIRST_VERSION_WITH_QUOTA))
        return refused(topic, ErrorCode.THROTTLING_QUOTA_EXCEEDED)
    }
    await controller.createPartitions({ ...wanted, validateOnly })
    if (!validateOnly) await replicas.whenApplied(name)
    return answer(topic, ErrorCode.NONE, null)
  } catch (error) {
    return answer(topic, wireFailureOf(error).errorCode, errorMessage(error))
  }
}

function refused(topic: Topic, errorCode: number) {
  return answer(topic, errorCode, errorText(errorCode))
}

function answer({ name }: Topic, errorCode: number, message: string | null) {
  return { name, errorCode, errorMessage: message }
}
