/**
 * ListTransactions, key 66 - versions 0 to 2: the transactional ids of a coordinator.
 * Versions: 1 only transactions that are older than durationFilter, in ms; 2 a pattern for the whole transactional id.
 */
import { field, list, message, type Infer } from '../schema'

export const ListTransactionsRequest = message(
  { name: 'ListTransactionsRequest', key: 66, versions: '0-2', flexible: '0+' },
  {
    stateFilters: list('0+', 'string'),
    producerIdFilters: list('0+', 'int64'),
    durationFilter: field('int64', '1+', { default: -1 }),
    transactionalIdPattern: field('string?', '2+', { default: null }),
  },
)
export type ListTransactionsRequest = Infer<typeof ListTransactionsRequest>

export const ListTransactionsResponse = message(
  { name: 'ListTransactionsResponse', key: 66, versions: '0-2', flexible: '0+' },
  {
    throttleTimeMs: field('int32', '0+'),
    errorCode: field('int16', '0+'),
    unknownStateFilters: list('0+', 'string'),
    transactionStates: list('0+', {
      transactionalId: field('string', '0+'),
      producerId: field('int64', '0+'),
      transactionState: field('string', '0+'),
    }),
  },
)
export type ListTransactionsResponse = Infer<typeof ListTransactionsResponse>
