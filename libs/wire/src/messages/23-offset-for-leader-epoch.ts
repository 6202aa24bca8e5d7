/**
 * OffsetForLeaderEpoch, key 23 - versions 2 to 4: where an epoch of a leader stopped.
 * Followers and consumers find with it where their log and the leader's part.
 * Versions: 2 the reader's own epoch; 3 replica id; 4 flexible.
 */
import { field, list, message, type Infer } from '../schema'

export const OffsetForLeaderEpochRequest = message(
  { name: 'OffsetForLeaderEpochRequest', key: 23, versions: '2-4', flexible: '4+' },
  {
    replicaId: field('int32', '3+', { default: -2 }),
    topics: list('0+', {
      topic: field('string', '0+'),
      partitions: list('0+', {
        partition: field('int32', '0+'),
        currentLeaderEpoch: field('int32', '2+', { default: -1 }),
        leaderEpoch: field('int32', '0+'),
      }),
    }),
  },
)
export type OffsetForLeaderEpochRequest = Infer<typeof OffsetForLeaderEpochRequest>

export const OffsetForLeaderEpochResponse = message(
  { name: 'OffsetForLeaderEpochResponse', key: 23, versions: '2-4', flexible: '4+' },
  {
    throttleTimeMs: field('int32', '2+'),
    topics: list('0+', {
      topic: field('string', '0+'),
      partitions: list('0+', {
        errorCode: field('int16', '0+'),
        partition: field('int32', '0+'),
        leaderEpoch: field('int32', '1+', {
          default: -1,
          doc: 'The largest epoch not above the one asked for.',
        }),
        endOffset: field('int64', '0+', {
          default: -1,
          doc: 'Exclusive: where the next epoch starts.',
        }),
      }),
    }),
  },
)
export type OffsetForLeaderEpochResponse = Infer<typeof OffsetForLeaderEpochResponse>
