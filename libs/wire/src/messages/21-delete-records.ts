/**
 * DeleteRecords, key 21 - versions 0 to 2: move the start of partitions' logs.
 * Versions: 2 flexible.
 */
import { field, list, message, type Infer } from '../schema'

export const DeleteRecordsRequest = message(
  { name: 'DeleteRecordsRequest', key: 21, versions: '0-2', flexible: '2+' },
  {
    topics: list('0+', {
      name: field('string', '0+'),
      partitions: list('0+', {
        partitionIndex: field('int32', '0+'),
        offset: field('int64', '0+', {
          doc: 'The first to be kept; -1 deletes up to the high watermark.',
        }),
      }),
    }),
    timeoutMs: field('int32', '0+'),
  },
)
export type DeleteRecordsRequest = Infer<typeof DeleteRecordsRequest>

export const DeleteRecordsResponse = message(
  { name: 'DeleteRecordsResponse', key: 21, versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: field('int32', '0+'),
    topics: list('0+', {
      name: field('string', '0+'),
      partitions: list('0+', {
        partitionIndex: field('int32', '0+'),
        lowWatermark: field('int64', '0+', {
          doc: 'The lowest log start offset of all replicas; -1 with an error.',
        }),
        errorCode: field('int16', '0+'),
      }),
    }),
  },
)
export type DeleteRecordsResponse = Infer<typeof DeleteRecordsResponse>
