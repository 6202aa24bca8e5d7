/**
 * ConsumerGroupHeartbeat, key 68 - versions 0 to 1. 1 adds the pattern of topics, and members choose their ids. A null, or a
 * timeout of -1, stands for "as before". Epoch 0 joins, -1 leaves, -2 leaves for a while (static members).
 */
import { field, list, struct, message, type Infer } from '../schema'

export const ConsumerGroupHeartbeatRequest = message(
  { name: 'ConsumerGroupHeartbeatRequest', key: 68, versions: '0-1', flexible: '0+' },
  {
    groupId: field('string', '0+'),
    memberId: field('string', '0+'),
    memberEpoch: field('int32', '0+'),
    instanceId: field('string?', '0+', { default: null }),
    rackId: field('string?', '0+', { default: null }),
    rebalanceTimeoutMs: field('int32', '0+', { default: -1 }),
    subscribedTopicNames: list('0+', 'string', { default: null, nullable: '0+' }),
    subscribedTopicRegex: field('string?', '1+', { default: null }),
    serverAssignor: field('string?', '0+', { default: null }),
    topicPartitions: list(
      '0+',
      {
        topicId: field('uuid', '0+'),
        partitions: list('0+', 'int32'),
      },
      { default: null, nullable: '0+' },
    ),
  },
)
export type ConsumerGroupHeartbeatRequest = Infer<typeof ConsumerGroupHeartbeatRequest>

export const ConsumerGroupHeartbeatResponse = message(
  { name: 'ConsumerGroupHeartbeatResponse', key: 68, versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: field('int32', '0+'),
    errorCode: field('int16', '0+'),
    errorMessage: field('string?', '0+', { default: null }),
    memberId: field('string?', '0+', { default: null }),
    memberEpoch: field('int32', '0+'),
    heartbeatIntervalMs: field('int32', '0+'),
    assignment: struct(
      '0+',
      {
        topicPartitions: list('0+', {
          topicId: field('uuid', '0+'),
          partitions: list('0+', 'int32'),
        }),
      },
      { default: null, nullable: '0+' },
    ),
  },
)
export type ConsumerGroupHeartbeatResponse = Infer<typeof ConsumerGroupHeartbeatResponse>
