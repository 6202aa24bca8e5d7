/** ConsumerGroupDescribe, key 69 - versions 0 to 1. 1 adds the type of a member: 0 classic protocol, 1 consumer protocol. */
import { field, list, struct, message, type Infer } from '../schema'

export const ConsumerGroupDescribeRequest = message(
  { name: 'ConsumerGroupDescribeRequest', key: 69, versions: '0-1', flexible: '0+' },
  {
    groupIds: list('0+', 'string'),
    includeAuthorizedOperations: field('bool', '0+'),
  },
)
export type ConsumerGroupDescribeRequest = Infer<typeof ConsumerGroupDescribeRequest>

export const ConsumerGroupDescribeResponse = message(
  { name: 'ConsumerGroupDescribeResponse', key: 69, versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: field('int32', '0+'),
    groups: list('0+', {
      errorCode: field('int16', '0+'),
      errorMessage: field('string?', '0+', { default: null }),
      groupId: field('string', '0+'),
      groupState: field('string', '0+'),
      groupEpoch: field('int32', '0+'),
      assignmentEpoch: field('int32', '0+'),
      assignorName: field('string', '0+'),
      members: list('0+', {
        memberId: field('string', '0+'),
        instanceId: field('string?', '0+', { default: null }),
        rackId: field('string?', '0+', { default: null }),
        memberEpoch: field('int32', '0+'),
        clientId: field('string', '0+'),
        clientHost: field('string', '0+'),
        subscribedTopicNames: list('0+', 'string'),
        subscribedTopicRegex: field('string?', '0+', { default: null }),
        assignment: struct('0+', {
          topicPartitions: list('0+', {
            topicId: field('uuid', '0+'),
            topicName: field('string', '0+'),
            partitions: list('0+', 'int32'),
          }),
        }),
        targetAssignment: struct('0+', {
          topicPartitions: list('0+', {
            topicId: field('uuid', '0+'),
            topicName: field('string', '0+'),
            partitions: list('0+', 'int32'),
          }),
        }),
        memberType: field('int8', '1+', { default: -1 }),
      }),
      authorizedOperations: field('int32', '0+', { default: -2147483648 }),
    }),
  },
)
export type ConsumerGroupDescribeResponse = Infer<typeof ConsumerGroupDescribeResponse>
