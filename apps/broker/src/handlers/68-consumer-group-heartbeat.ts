/**
 * ConsumerGroupHeartbeat, key 68 - served: 0 to 1.
 * Does: takes a member of the consumer protocol in, hears from it, tells it what to read from, lets it go; answers when that
 * is safe in __consumer_offsets.
 * With the feature group.version at 0 it is UNSUPPORTED_VERSION.
 * Versions: 1 a pattern of topics; members choose their ids.
 * Gaps: none known. Assignors do not look at racks, as in Kafka since 4.0.   Invariants: GROUP-1, GROUP-5, GROUP-6.
 */
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { featureLevel } from '../features'
import { clientOf, handler } from './handler'

export const consumerGroupHeartbeat = handler(
  ApiKey.ConsumerGroupHeartbeat,
  { min: 0, max: 1 },
  (request, ctx) => {
    const mayDescribe = (topic: string) =>
      ctx.allows(AclOperation.DESCRIBE, ResourceType.TOPIC, topic)
    if (featureLevel(ctx.broker.metadata(), 'group.version') < 1)
      return failed(ErrorCode.UNSUPPORTED_VERSION)
    if (!ctx.allows(AclOperation.READ, ResourceType.GROUP, request.groupId))
      return failed(ErrorCode.GROUP_AUTHORIZATION_FAILED)
    if (!(request.subscribedTopicNames ?? []).every(mayDescribe))
      return failed(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
    // What a pattern stands for is only filtered: a no is nothing to write down.
    const mayDescribeQuietly = (topic: string) =>
      ctx.allowsQuietly(AclOperation.DESCRIBE, ResourceType.TOPIC, topic)
    const client = { ...clientOf(ctx), mayDescribe: mayDescribeQuietly }
    return ctx.broker.groups.consumerGroupHeartbeat(request, client)
  },
)

function failed(errorCode: number) {
  return { throttleTimeMs: 0, errorCode, memberEpoch: 0, heartbeatIntervalMs: 0 }
}
