import type { TopicImage } from '@millrace/controller'
import { AclOperation, CLUSTER_NAME, ResourceType } from '@millrace/security'
import { ErrorCode } from '@millrace/wire'
import type { TopicReference } from './find-partition'
import type { RequestContext } from './request-context'

/**
 * TOPIC_AUTHORIZATION_FAILED if the client may not do this to the topic that it names, else NONE. It is asked before
 * whether the topic exists, which a stranger must not learn (SEC-2). An id that no topic has is no topic to have a right on:
 * there the answer is NONE, and `partitionError` says UNKNOWN_TOPIC_ID.
 */
export function topicRefusal(
  ctx: RequestContext,
  operation: AclOperation,
  found: TopicImage | undefined,
  reference: TopicReference,
): number {
  if (!found && reference.isById) return ErrorCode.NONE
  return ctx.allows(operation, ResourceType.TOPIC, found?.name ?? reference.name)
    ? ErrorCode.NONE
    : ErrorCode.TOPIC_AUTHORIZATION_FAILED
}

/** Who may create in the cluster may create every topic. */
export function mayCreateTopic(name: string, ctx: RequestContext): boolean {
  const { CREATE } = AclOperation
  return (
    ctx.allowsQuietly(CREATE, ResourceType.CLUSTER, CLUSTER_NAME) ||
    ctx.allows(CREATE, ResourceType.TOPIC, name)
  )
}
