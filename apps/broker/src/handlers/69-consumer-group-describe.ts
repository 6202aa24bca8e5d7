/**
 * ConsumerGroupDescribe, key 69 - served: 0 to 1.
 * Does: tells epochs, assignor and members of groups of the consumer protocol: what each has, and what it is to have.
 * Versions: 1 the protocol of a member.
 * Gaps: none known.
 */
import { noConsumerGroup } from '@millrace/coordinator'
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { featureLevel } from '../features'
import { handler, type RequestContext, type ResponseOf } from './handler'

type Group = ResponseOf<typeof ApiKey.ConsumerGroupDescribe>['groups'][number]

const HIDDEN_TOPICS =
  'The group has described topic(s) that the client is not authorized to describe.'

export const consumerGroupDescribe = handler(
  ApiKey.ConsumerGroupDescribe,
  { min: 0, max: 1 },
  (request, ctx) => {
    if (featureLevel(ctx.broker.metadata(), 'group.version') < 1) {
      const unsupported = (groupId: string) =>
        noConsumerGroup(groupId, ErrorCode.UNSUPPORTED_VERSION, null)
      return { throttleTimeMs: 0, groups: request.groupIds.map(unsupported) }
    }
    const mayDescribe = (groupId: string) =>
      ctx.allows(AclOperation.DESCRIBE, ResourceType.GROUP, groupId)
    const allowed = request.groupIds.filter(mayDescribe)
    const shown = new Set(allowed)
    const refused = request.groupIds.filter((groupId) => !shown.has(groupId))
    const described = ctx.broker.groups
      .consumerGroupDescribe(allowed)
      .map((group) =>
        hasHiddenTopic(group, ctx)
          ? noConsumerGroup(group.groupId, ErrorCode.TOPIC_AUTHORIZATION_FAILED, HIDDEN_TOPICS)
          : withOperations(group, request.includeAuthorizedOperations, ctx),
      )
    const hidden = refused.map((groupId) =>
      noConsumerGroup(groupId, ErrorCode.GROUP_AUTHORIZATION_FAILED, null),
    )
    return { throttleTimeMs: 0, groups: [...hidden, ...described] }
  },
)

function hasHiddenTopic({ members }: Group, ctx: RequestContext): boolean {
  const topics = new Set(
    members.flatMap(({ assignment, targetAssignment }) =>
      [...assignment.topicPartitions, ...targetAssignment.topicPartitions].map(
        ({ topicName }) => topicName,
      ),
    ),
  )
  return [...topics].some((topic) => !ctx.allows(AclOperation.DESCRIBE, ResourceType.TOPIC, topic))
}

function withOperations(group: Group, isWanted: boolean, ctx: RequestContext): Group {
  if (!isWanted || group.errorCode !== ErrorCode.NONE) return group
  const authorizedOperations = ctx.allowedOperations(ResourceType.GROUP, group.groupId)
  return { ...group, authorizedOperations }
}
