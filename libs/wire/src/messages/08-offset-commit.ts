/**
 * OffsetCommit, key 8 - versions 2 to 10: store how far a group has read.
 * Versions: 2 retention time, gone with 5; 6 leader epoch of the offset; 7 static members;
 *   8 flexible; 9 groups of the consumer protocol; 10 topic ids instead of names.
 */
import { field, list, message, type Infer } from '../schema'

export const OffsetCommitRequest = message(
  { name: 'OffsetCommitRequest', key: 8, versions: '2-10', flexible: '8+' },
  {
    groupId: field('string', '0+'),
    generationIdOrMemberEpoch: field('int32', '1+', {
      default: -1,
      doc: '-1 from a consumer outside of group management.',
    }),
    memberId: field('string', '1+'),
    groupInstanceId: field('string?', '7+', { default: null }),
    retentionTimeMs: field('int64', '2-4', { default: -1 }),
    topics: list('0+', {
      name: field('string', '0-9'),
      topicId: field('uuid', '10+'),
      partitions: list('0+', {
        partitionIndex: field('int32', '0+'),
        committedOffset: field('int64', '0+', { doc: 'The next one to read.' }),
        committedLeaderEpoch: field('int32', '6+', { default: -1 }),
        committedMetadata: field('string?', '0+'),
      }),
    }),
  },
)
export type OffsetCommitRequest = Infer<typeof OffsetCommitRequest>

export const OffsetCommitResponse = message(
  { name: 'OffsetCommitResponse', key: 8, versions: '2-10', flexible: '8+' },
  {
    throttleTimeMs: field('int32', '3+'),
    topics: list('0+', {
      name: field('string', '0-9'),
      topicId: field('uuid', '10+'),
      partitions: list('0+', {
        partitionIndex: field('int32', '0+'),
        errorCode: field('int16', '0+'),
      }),
    }),
  },
)
export type OffsetCommitResponse = Infer<typeof OffsetCommitResponse>
