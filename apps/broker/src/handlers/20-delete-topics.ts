/**
 * DeleteTopics, key 20 - served: 1 to 6.
 * Does: deletes topics by name, from version 6 on also by id.
 * Versions: 4 flexible; 5 error text; 6 topic id.
 * Gaps: none known.   Invariants: SEC-2.
 */
import { errorMessage } from '@millrace/base'
import { AclOperation, CLUSTER_NAME, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode, errorText, ZERO_UUID } from '@millrace/wire'
import { wireFailureOf } from '../wire-failure'
import { handler, type RequestContext } from './handler'

interface Wanted {
  readonly name: string | null
  readonly topicId: string
}

/** Older ones do not know the refusal: their clients wait instead. */
const FIRST_VERSION_WITH_QUOTA = 5

export const deleteTopics = handler(
  ApiKey.DeleteTopics,
  { min: 1, max: 6, order: 'change' },
  async (request, ctx) => {
    const wanted: Wanted[] =
      ctx.apiVersion >= 6
        ? request.topics
        : request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }))
    const responses = await Promise.all(wanted.map((topic) => deleteTopic(topic, ctx)))
    return { throttleTimeMs: 0, responses }
  },
)

async function deleteTopic(wanted: Wanted, ctx: RequestContext) {
  const { controller, replicas, groups, config } = ctx.broker
  const isById = wanted.topicId !== ZERO_UUID
  if (!config.values.deleteTopicEnable) return answer(wanted, ErrorCode.TOPIC_DELETION_DISABLED)
  if (isById === (wanted.name !== null)) return answer(wanted, ErrorCode.INVALID_REQUEST)
  const image = ctx.broker.metadata()
  const found = isById ? image.topicById(wanted.topicId) : image.topics.get(wanted.name ?? '')
  if (!found && isById) return answer(wanted, ErrorCode.UNKNOWN_TOPIC_ID)
  const { mayDescribe, mayDelete } = rightsOn(found?.name ?? wanted.name ?? '', ctx)
  if (isById && found && !mayDelete)
    return answer(
      { name: mayDescribe ? found.name : null, topicId: found.id },
      ErrorCode.TOPIC_AUTHORIZATION_FAILED,
    )
  if (!mayDescribe) return answer(wanted, ErrorCode.TOPIC_AUTHORIZATION_FAILED)
  if (!found) return answer(wanted, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  if (!mayDelete) return answer(wanted, ErrorCode.TOPIC_AUTHORIZATION_FAILED)
  if (!ctx.permitsMutation(found.partitions.length, FIRST_VERSION_WITH_QUOTA))
    return answer(wanted, ErrorCode.THROTTLING_QUOTA_EXCEEDED)
  const deleted = { name: found.name, topicId: found.id }
  try {
    await controller.deleteTopic({ id: found.id })
    // The topic is gone, whatever became of its files: that was logged, and the next start removes them.
    await replicas.whenApplied(found.name).catch(() => undefined)
    await groups.removeOffsetsOfTopic(found.name)
    return answer(deleted, ErrorCode.NONE)
  } catch (error) {
    return {
      ...answer(deleted, wireFailureOf(error).errorCode),
      errorMessage: errorMessage(error),
    }
  }
}

/** Who may delete in the cluster may delete every topic of it. */
function rightsOn(name: string, ctx: RequestContext): { mayDescribe: boolean; mayDelete: boolean } {
  const { DELETE, DESCRIBE } = AclOperation
  if (ctx.allowsQuietly(DELETE, ResourceType.CLUSTER, CLUSTER_NAME))
    return { mayDescribe: true, mayDelete: true }
  return {
    mayDescribe: ctx.allows(DESCRIBE, ResourceType.TOPIC, name),
    mayDelete: ctx.allows(DELETE, ResourceType.TOPIC, name),
  }
}

function answer({ name, topicId }: Wanted, errorCode: number) {
  const text = errorCode === ErrorCode.NONE ? null : errorText(errorCode)
  return { name, topicId, errorCode, errorMessage: text }
}
