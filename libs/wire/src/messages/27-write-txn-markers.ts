/**
 * WriteTxnMarkers, key 27 - versions 1 to 2: ends transactions in partitions; from coordinators, and from an operator.
 * Versions: 1 flexible; 2 the transaction's version, which decides what epoch the marker must have. Kafka 4 has no 0.
 */
import { field, list, message, type Infer } from '../schema'

export const WriteTxnMarkersRequest = message(
  { name: 'WriteTxnMarkersRequest', key: 27, versions: '1-2', flexible: '1+' },
  {
    markers: list('0+', {
      producerId: field('int64', '0+'),
      producerEpoch: field('int16', '0+'),
      transactionResult: field('bool', '0+'),
      topics: list('0+', {
        name: field('string', '0+'),
        partitionIndexes: list('0+', 'int32'),
      }),
      coordinatorEpoch: field('int32', '0+'),
      transactionVersion: field('int8', '2+', { default: 0 }),
    }),
  },
)
export type WriteTxnMarkersRequest = Infer<typeof WriteTxnMarkersRequest>

export const WriteTxnMarkersResponse = message(
  { name: 'WriteTxnMarkersResponse', key: 27, versions: '1-2', flexible: '1+' },
  {
    markers: list('0+', {
      producerId: field('int64', '0+'),
      topics: list('0+', {
        name: field('string', '0+'),
        partitions: list('0+', {
          partitionIndex: field('int32', '0+'),
          errorCode: field('int16', '0+'),
        }),
      }),
    }),
  },
)
export type WriteTxnMarkersResponse = Infer<typeof WriteTxnMarkersResponse>
