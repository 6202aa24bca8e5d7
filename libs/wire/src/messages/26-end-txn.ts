/**
 * EndTxn, key 26 - versions 0 to 5: commits or aborts.
 * Versions: 2 PRODUCER_FENCED; 3 flexible; 4 TRANSACTION_ABORTABLE; 5 the answer names the producer of the next transaction.
 */
import { field, message, type Infer } from '../schema'

export const EndTxnRequest = message(
  { name: 'EndTxnRequest', key: 26, versions: '0-5', flexible: '3+' },
  {
    transactionalId: field('string', '0+'),
    producerId: field('int64', '0+'),
    producerEpoch: field('int16', '0+'),
    committed: field('bool', '0+'),
  },
)
export type EndTxnRequest = Infer<typeof EndTxnRequest>

export const EndTxnResponse = message(
  { name: 'EndTxnResponse', key: 26, versions: '0-5', flexible: '3+' },
  {
    throttleTimeMs: field('int32', '0+'),
    errorCode: field('int16', '0+'),
    producerId: field('int64', '5+', { default: -1 }),
    producerEpoch: field('int16', '5+', { default: -1 }),
  },
)
export type EndTxnResponse = Infer<typeof EndTxnResponse>
