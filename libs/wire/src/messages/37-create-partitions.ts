/**
 * CreatePartitions, key 37 - versions 0 to 3: more partitions for topics; `count` is the total
 *   afterwards.
 * Versions: 2 flexible; 3 may answer THROTTLING_QUOTA_EXCEEDED.
 */
import { field, list, message, type Infer } from '../schema'

export const CreatePartitionsRequest = message(
  { name: 'CreatePartitionsRequest', key: 37, versions: '0-3', flexible: '2+' },
  {
    topics: list('0+', {
      name: field('string', '0+'),
      count: field('int32', '0+'),
      assignments: list(
        '0+',
        {
          brokerIds: list('0+', 'int32'),
        },
        { nullable: '0+' },
      ),
    }),
    timeoutMs: field('int32', '0+'),
    validateOnly: field('bool', '0+'),
  },
)
export type CreatePartitionsRequest = Infer<typeof CreatePartitionsRequest>

export const CreatePartitionsResponse = message(
  { name: 'CreatePartitionsResponse', key: 37, versions: '0-3', flexible: '2+' },
  {
    throttleTimeMs: field('int32', '0+'),
    results: list('0+', {
      name: field('string', '0+'),
      errorCode: field('int16', '0+'),
      errorMessage: field('string?', '0+', { default: null }),
    }),
  },
)
export type CreatePartitionsResponse = Infer<typeof CreatePartitionsResponse>
