/**
 * DeleteTopics, key 20 - versions 1 to 6.
 * Versions: 3 TOPIC_DELETION_DISABLED; 4 flexible; 5 error message, THROTTLING_QUOTA_EXCEEDED;
 *   6 topics by name or by id.
 */
import { field, list, message, type Infer } from '../schema'

export const DeleteTopicsRequest = message(
  { name: 'DeleteTopicsRequest', key: 20, versions: '1-6', flexible: '4+' },
  {
    topics: list('6+', {
      name: field('string?', '6+', { default: null }),
      topicId: field('uuid', '6+'),
    }),
    topicNames: list('0-5', 'string'),
    timeoutMs: field('int32', '0+'),
  },
)
export type DeleteTopicsRequest = Infer<typeof DeleteTopicsRequest>

export const DeleteTopicsResponse = message(
  { name: 'DeleteTopicsResponse', key: 20, versions: '1-6', flexible: '4+' },
  {
    throttleTimeMs: field('int32', '1+'),
    responses: list('0+', {
      name: field('string', '0+', { nullable: '6+' }),
      topicId: field('uuid', '6+'),
      errorCode: field('int16', '0+'),
      errorMessage: field('string?', '5+', { default: null }),
    }),
  },
)
export type DeleteTopicsResponse = Infer<typeof DeleteTopicsResponse>
