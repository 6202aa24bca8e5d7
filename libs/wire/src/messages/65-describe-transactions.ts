/** DescribeTransactions, key 65 - version 0 only: the state of transactional ids, with the partitions of open transactions. */
import { field, list, message, type Infer } from '../schema'

export const DescribeTransactionsRequest = message(
  { name: 'DescribeTransactionsRequest', key: 65, versions: '0', flexible: '0+' },
  {
    transactionalIds: list('0+', 'string'),
  },
)
export type DescribeTransactionsRequest = Infer<typeof DescribeTransactionsRequest>

export const DescribeTransactionsResponse = message(
  { name: 'DescribeTransactionsResponse', key: 65, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: field('int32', '0+'),
    transactionStates: list('0+', {
      errorCode: field('int16', '0+'),
      transactionalId: field('string', '0+'),
      transactionState: field('string', '0+'),
      transactionTimeoutMs: field('int32', '0+'),
      transactionStartTimeMs: field('int64', '0+'),
      producerId: field('int64', '0+'),
      producerEpoch: field('int16', '0+'),
      topics: list('0+', {
        topic: field('string', '0+'),
        partitions: list('0+', 'int32'),
      }),
    }),
  },
)
export type DescribeTransactionsResponse = Infer<typeof DescribeTransactionsResponse>
