/**
 * DescribeTopicPartitions, key 75 - version 0 only: partitions of topics page by page;
 *   `nextCursor` is where the next page begins, null at the last.
 */
import { field, list, struct, message, type Infer } from '../schema'

export const DescribeTopicPartitionsRequest = message(
  { name: 'DescribeTopicPartitionsRequest', key: 75, versions: '0', flexible: '0+' },
  {
    topics: list('0+', {
      name: field('string', '0+'),
    }),
    responsePartitionLimit: field('int32', '0+', { default: 2000 }),
    cursor: struct(
      '0+',
      {
        topicName: field('string', '0+'),
        partitionIndex: field('int32', '0+'),
      },
      { default: null, nullable: '0+' },
    ),
  },
)
export type DescribeTopicPartitionsRequest = Infer<typeof DescribeTopicPartitionsRequest>

export const DescribeTopicPartitionsResponse = message(
  { name: 'DescribeTopicPartitionsResponse', key: 75, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: field('int32', '0+'),
    topics: list('0+', {
      errorCode: field('int16', '0+'),
      name: field('string?', '0+'),
      topicId: field('uuid', '0+'),
      isInternal: field('bool', '0+', { default: false }),
      partitions: list('0+', {
        errorCode: field('int16', '0+'),
        partitionIndex: field('int32', '0+'),
        leaderId: field('int32', '0+'),
        leaderEpoch: field('int32', '0+', { default: -1 }),
        replicaNodes: list('0+', 'int32'),
        isrNodes: list('0+', 'int32'),
        eligibleLeaderReplicas: list('0+', 'int32', { default: null, nullable: '0+' }),
        lastKnownElr: list('0+', 'int32', { default: null, nullable: '0+' }),
        offlineReplicas: list('0+', 'int32'),
      }),
      topicAuthorizedOperations: field('int32', '0+', { default: -2147483648 }),
    }),
    nextCursor: struct(
      '0+',
      {
        topicName: field('string', '0+'),
        partitionIndex: field('int32', '0+'),
      },
      { default: null, nullable: '0+' },
    ),
  },
)
export type DescribeTopicPartitionsResponse = Infer<typeof DescribeTopicPartitionsResponse>
