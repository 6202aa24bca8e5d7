/** DescribeProducers, key 61 - version 0 only: what a partition's log knows of producers. Here epochs are int32. */
import { field, list, message, type Infer } from '../schema'

export const DescribeProducersRequest = message(
  { name: 'DescribeProducersRequest', key: 61, versions: '0', flexible: '0+' },
  {
    topics: list('0+', {
      name: field('string', '0+'),
      partitionIndexes: list('0+', 'int32'),
    }),
  },
)
export type DescribeProducersRequest = Infer<typeof DescribeProducersRequest>

export const DescribeProducersResponse = message(
  { name: 'DescribeProducersResponse', key: 61, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: field('int32', '0+'),
    topics: list('0+', {
      name: field('string', '0+'),
      partitions: list('0+', {
        partitionIndex: field('int32', '0+'),
        errorCode: field('int16', '0+'),
        errorMessage: field('string?', '0+', { default: null }),
        activeProducers: list('0+', {
          producerId: field('int64', '0+'),
          producerEpoch: field('int32', '0+'),
          lastSequence: field('int32', '0+', { default: -1 }),
          lastTimestamp: field('int64', '0+', { default: -1 }),
          coordinatorEpoch: field('int32', '0+'),
          currentTxnStartOffset: field('int64', '0+', { default: -1 }),
        }),
      }),
    }),
  },
)
export type DescribeProducersResponse = Infer<typeof DescribeProducersResponse>
