/** ListOffsets, key 2. */
import { field, list, message, type Infer } from '../schema'

export const ListOffsetsRequest = message(
  { name: 'ListOffsetsRequest', key: 2, versions: '1-11', flexible: '6+' },
  {
    replicaId: field('int32', '0+'),
    isolationLevel: field('int8', '2+'),
    topics: list('0+', {
      name: field('string', '0+'),
      partitions: list('0+', {
        partitionIndex: field('int32', '0+'),
        currentLeaderEpoch: field('int32', '4+', { default: -1 }),
        timestamp: field('int64', '0+'),
      }),
    }),
    timeoutMs: field('int32', '10+'),
  },
)
export type ListOffsetsRequest = Infer<typeof ListOffsetsRequest>

export const ListOffsetsResponse = message(
  { name: 'ListOffsetsResponse', key: 2, versions: '1-11', flexible: '6+' },
  {
    throttleTimeMs: field('int32', '2+'),
    topics: list('0+', {
      name: field('string', '0+'),
      partitions: list('0+', {
        partitionIndex: field('int32', '0+'),
        errorCode: field('int16', '0+'),
        timestamp: field('int64', '1+', { default: -1 }),
        offset: field('int64', '1+', { default: -1 }),
        leaderEpoch: field('int32', '4+', { default: -1 }),
      }),
    }),
  },
)
export type ListOffsetsResponse = Infer<typeof ListOffsetsResponse>
