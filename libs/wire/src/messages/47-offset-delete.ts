/** OffsetDelete, key 47 - version 0 only. In the answer the error of all comes before the throttle time. */
import { field, list, message, type Infer } from '../schema'

export const OffsetDeleteRequest = message(
  { name: 'OffsetDeleteRequest', key: 47, versions: '0', flexible: 'none' },
  {
    groupId: field('string', '0+'),
    topics: list('0+', {
      name: field('string', '0+'),
      partitions: list('0+', {
        partitionIndex: field('int32', '0+'),
      }),
    }),
  },
)
export type OffsetDeleteRequest = Infer<typeof OffsetDeleteRequest>

export const OffsetDeleteResponse = message(
  { name: 'OffsetDeleteResponse', key: 47, versions: '0', flexible: 'none' },
  {
    errorCode: field('int16', '0+'),
    throttleTimeMs: field('int32', '0+'),
    topics: list('0+', {
      name: field('string', '0+'),
      partitions: list('0+', {
        partitionIndex: field('int32', '0+'),
        errorCode: field('int16', '0+'),
      }),
    }),
  },
)
export type OffsetDeleteResponse = Infer<typeof OffsetDeleteResponse>
