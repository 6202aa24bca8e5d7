/** OffsetForLeaderEpoch, key 23. */
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
        leaderEpoch: field('int32', '1+', { default: -1 }),
        endOffset: field('int64', '0+', { default: -1 }),
      }),
    }),
  },
)
export type OffsetForLeaderEpochResponse = Infer<typeof OffsetForLeaderEpochResponse>
