/**
 * A group of the consumer protocol in `__consumer_offsets`: one record for its epoch, one for the epoch of its target
 * assignment, and three for each member. The version that leads a key is the record's type. Type 4, the topics as they were
 * when the epoch was last raised, is not written: as in Kafka 4.1 and later, `metadataHash` stands for it.
 */
import { field, type Infer, list, message, struct } from '@millrace/wire'

const groupKey = (name: string, type: number) =>
  message(
    { name, key: -1, versions: `${type}`, flexible: 'none' },
    { groupId: field('string', '0+') },
  )
const memberKey = (name: string, type: number) =>
  message(
    { name, key: -1, versions: `${type}`, flexible: 'none' },
    { groupId: field('string', '0+'), memberId: field('string', '0+') },
  )
const value = { key: -1, versions: '0', flexible: '0+' } as const

export const CONSUMER_GROUP_TYPE = 3
export const ConsumerGroupMetadataKey = groupKey('ConsumerGroupMetadataKey', CONSUMER_GROUP_TYPE)
export const ConsumerGroupMetadataValue = message(
  { name: 'ConsumerGroupMetadataValue', ...value },
  {
    epoch: field('int32', '0+'),
    metadataHash: field('int64', '0+', { tag: 0, default: 0 }),
  },
)
export type ConsumerGroupMetadataValue = Infer<typeof ConsumerGroupMetadataValue>

export const CONSUMER_MEMBER_TYPE = 5
export const ConsumerGroupMemberMetadataKey = memberKey(
  'ConsumerGroupMemberMetadataKey',
  CONSUMER_MEMBER_TYPE,
)
export const ConsumerGroupMemberMetadataValue = message(
  { name: 'ConsumerGroupMemberMetadataValue', ...value },
  {
    instanceId: field('string?', '0+'),
    rackId: field('string?', '0+'),
    clientId: field('string', '0+'),
    clientHost: field('string', '0+'),
    subscribedTopicNames: list('0+', 'string'),
    subscribedTopicRegex: field('string?', '0+'),
    rebalanceTimeoutMs: field('int32', '0+', { default: -1 }),
    serverAssignor: field('string?', '0+'),
    classicMemberMetadata: struct(
      '0+',
      {
        sessionTimeoutMs: field('int32', '0+'),
        supportedProtocols: list('0+', {
          name: field('string', '0+'),
          metadata: field('bytes', '0+'),
        }),
      },
      { tag: 0, nullable: '0+', default: null },
    ),
  },
)
export type ConsumerGroupMemberMetadataValue = Infer<typeof ConsumerGroupMemberMetadataValue>

export const TARGET_EPOCH_TYPE = 6
export const ConsumerGroupTargetAssignmentMetadataKey = groupKey(
  'ConsumerGroupTargetAssignmentMetadataKey',
  TARGET_EPOCH_TYPE,
)
export const ConsumerGroupTargetAssignmentMetadataValue = message(
  { name: 'ConsumerGroupTargetAssignmentMetadataValue', ...value },
  {
    assignmentEpoch: field('int32', '0+'),
    assignmentTimestamp: field('int64', '0+', { tag: 0, default: 0 }),
  },
)
export type ConsumerGroupTargetAssignmentMetadataValue = Infer<
  typeof ConsumerGroupTargetAssignmentMetadataValue
>

export const TARGET_MEMBER_TYPE = 7
export const ConsumerGroupTargetAssignmentMemberKey = memberKey(
  'ConsumerGroupTargetAssignmentMemberKey',
  TARGET_MEMBER_TYPE,
)
export const ConsumerGroupTargetAssignmentMemberValue = message(
  { name: 'ConsumerGroupTargetAssignmentMemberValue', ...value },
  {
    topicPartitions: list('0+', {
      topicId: field('uuid', '0+'),
      partitions: list('0+', 'int32'),
    }),
  },
)
export type ConsumerGroupTargetAssignmentMemberValue = Infer<
  typeof ConsumerGroupTargetAssignmentMemberValue
>

export const CURRENT_ASSIGNMENT_TYPE = 8
export const ConsumerGroupCurrentMemberAssignmentKey = memberKey(
  'ConsumerGroupCurrentMemberAssignmentKey',
  CURRENT_ASSIGNMENT_TYPE,
)
const ownedPartitions = () =>
  list('0+', {
    topicId: field('uuid', '0+'),
    partitions: list('0+', 'int32'),
    /** Of the same length as `partitions`; null in records of Kafka before 4.3. */
    assignmentEpochs: list('0+', 'int32', { tag: 0, nullable: '0+', default: null }),
  })
export const ConsumerGroupCurrentMemberAssignmentValue = message(
  { name: 'ConsumerGroupCurrentMemberAssignmentValue', ...value },
  {
    memberEpoch: field('int32', '0+'),
    previousMemberEpoch: field('int32', '0+'),
    state: field('int8', '0+'),
    assignedPartitions: ownedPartitions(),
    partitionsPendingRevocation: ownedPartitions(),
  },
)
export type ConsumerGroupCurrentMemberAssignmentValue = Infer<
  typeof ConsumerGroupCurrentMemberAssignmentValue
>

export const REGULAR_EXPRESSION_TYPE = 16
export const ConsumerGroupRegularExpressionKey = message(
  {
    name: 'ConsumerGroupRegularExpressionKey',
    key: -1,
    versions: `${REGULAR_EXPRESSION_TYPE}`,
    flexible: 'none',
  },
  { groupId: field('string', '0+'), regularExpression: field('string', '0+') },
)
export const ConsumerGroupRegularExpressionValue = message(
  { name: 'ConsumerGroupRegularExpressionValue', ...value },
  {
    topics: list('0+', 'string'),
    version: field('int64', '0+'),
    timestamp: field('int64', '0+'),
  },
)
export type ConsumerGroupRegularExpressionValue = Infer<typeof ConsumerGroupRegularExpressionValue>
