/**
 * CreateTopics, key 19 - versions 2 to 7.
 * Versions: 4 -1 takes the broker's default for partitions and replicas; 5 flexible, configs in
 *   the answer; 6 THROTTLING_QUOTA_EXCEEDED; 7 topic id in the answer.
 */
import { field, list, message, type Infer } from '../schema'

export const CreateTopicsRequest = message(
  { name: 'CreateTopicsRequest', key: 19, versions: '2-7', flexible: '5+' },
  {
    topics: list('0+', {
      name: field('string', '0+'),
      numPartitions: field('int32', '0+', {
        doc: '-1 for the default, or if assignments are given.',
      }),
      replicationFactor: field('int16', '0+', {
        doc: '-1 for the default, or if assignments are given.',
      }),
      assignments: list('0+', {
        partitionIndex: field('int32', '0+'),
        brokerIds: list('0+', 'int32'),
      }),
      configs: list('0+', {
        name: field('string', '0+'),
        value: field('string?', '0+'),
      }),
    }),
    timeoutMs: field('int32', '0+', { default: 60000 }),
    validateOnly: field('bool', '1+', { default: false }),
  },
)
export type CreateTopicsRequest = Infer<typeof CreateTopicsRequest>

export const CreateTopicsResponse = message(
  { name: 'CreateTopicsResponse', key: 19, versions: '2-7', flexible: '5+' },
  {
    throttleTimeMs: field('int32', '2+'),
    topics: list('0+', {
      name: field('string', '0+'),
      topicId: field('uuid', '7+'),
      errorCode: field('int16', '0+'),
      errorMessage: field('string', '1+', { nullable: '0+' }),
      topicConfigErrorCode: field('int16', '5+', { tag: 0 }),
      numPartitions: field('int32', '5+', { default: -1 }),
      replicationFactor: field('int16', '5+', { default: -1 }),
      configs: list(
        '5+',
        {
          name: field('string', '5+'),
          value: field('string?', '5+'),
          readOnly: field('bool', '5+'),
          configSource: field('int8', '5+', { default: -1 }),
          isSensitive: field('bool', '5+'),
        },
        { nullable: '5+' },
      ),
    }),
  },
)
export type CreateTopicsResponse = Infer<typeof CreateTopicsResponse>
