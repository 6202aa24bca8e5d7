/**
 * OffsetFetch, key 9 - versions 1 to 10: how far a group has read.
 * Versions: 2 null asks for all topics, error for the whole; 5 leader epochs; 6 flexible; 7 may
 *   insist on offsets that no open transaction can change; 8 many groups in one request, in fields
 *   of their own; 9 groups of the consumer protocol; 10 topic ids instead of names.
 */
import { field, list, message, type Infer } from '../schema'

export const OffsetFetchRequest = message(
  { name: 'OffsetFetchRequest', key: 9, versions: '1-10', flexible: '6+' },
  {
    groupId: field('string', '0-7'),
    topics: list(
      '0-7',
      {
        name: field('string', '0-7'),
        partitionIndexes: list('0-7', 'int32'),
      },
      { nullable: '2-7' },
    ),
    groups: list('8+', {
      groupId: field('string', '8+'),
      memberId: field('string?', '9+', { default: null }),
      memberEpoch: field('int32', '9+', { default: -1 }),
      topics: list(
        '8+',
        {
          name: field('string', '8-9'),
          topicId: field('uuid', '10+'),
          partitionIndexes: list('8+', 'int32'),
        },
        { nullable: '8+' },
      ),
    }),
    requireStable: field('bool', '7+', { default: false }),
  },
)
export type OffsetFetchRequest = Infer<typeof OffsetFetchRequest>

export const OffsetFetchResponse = message(
  { name: 'OffsetFetchResponse', key: 9, versions: '1-10', flexible: '6+' },
  {
    throttleTimeMs: field('int32', '3+'),
    topics: list('0-7', {
      name: field('string', '0-7'),
      partitions: list('0-7', {
        partitionIndex: field('int32', '0-7'),
        committedOffset: field('int64', '0-7', { doc: '-1 if none is stored.' }),
        committedLeaderEpoch: field('int32', '5-7', { default: -1 }),
        metadata: field('string?', '0-7'),
        errorCode: field('int16', '0-7'),
      }),
    }),
    errorCode: field('int16', '2-7', { default: 0 }),
    groups: list('8+', {
      groupId: field('string', '8+'),
      topics: list('8+', {
        name: field('string', '8-9'),
        topicId: field('uuid', '10+'),
        partitions: list('8+', {
          partitionIndex: field('int32', '8+'),
          committedOffset: field('int64', '8+'),
          committedLeaderEpoch: field('int32', '8+', { default: -1 }),
          metadata: field('string?', '8+'),
          errorCode: field('int16', '8+'),
        }),
      }),
      errorCode: field('int16', '8+', { default: 0 }),
    }),
  },
)
export type OffsetFetchResponse = Infer<typeof OffsetFetchResponse>
