/**
 * ListOffsets, key 2 - versions 1 to 11: the offset that belongs to a timestamp, or to a special
 * point.
 * Versions: 1 one offset per partition; 2 isolation level; 4 leader epochs;
 *   5 OFFSET_NOT_AVAILABLE; 6 flexible.
 * Special timestamps: -1 latest, -2 earliest; 7 -3 the record with the largest timestamp; 8 -4
 * earliest on local disk; 9 -5 last in remote storage; 10 time limit for remote reads; 11 -6
 * earliest not yet uploaded.
 */
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
        timestamp: field('int64', '0+', { doc: 'In ms; negative ones are special points.' }),
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
        offset: field('int64', '1+', {
          default: -1,
          doc: 'First one at or after the timestamp; -1 if there is none.',
        }),
        leaderEpoch: field('int32', '4+', { default: -1 }),
      }),
    }),
  },
)
export type ListOffsetsResponse = Infer<typeof ListOffsetsResponse>
