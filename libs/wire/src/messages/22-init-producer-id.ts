/**
 * InitProducerId, key 22 - versions 0 to 5: an id for an idempotent or transactional producer.
 * Versions: 2 flexible; 3 a producer can ask for a new epoch of the id it has; 4 PRODUCER_FENCED;
 *   5 TRANSACTION_ABORTABLE. Version 6 (two-phase commit) is not final in Kafka 4.3, so it is not
 *   spoken.
 */
import { field, message, type Infer } from '../schema'

export const InitProducerIdRequest = message(
  { name: 'InitProducerIdRequest', key: 22, versions: '0-5', flexible: '2+' },
  {
    transactionalId: field('string?', '0+', {
      doc: 'Null for a producer that is idempotent only.',
    }),
    transactionTimeoutMs: field('int32', '0+'),
    producerId: field('int64', '3+', { default: -1 }),
    producerEpoch: field('int16', '3+', { default: -1 }),
    enable2Pc: field('bool', '6+', { default: false }),
    keepPreparedTxn: field('bool', '6+', { default: false }),
  },
)
export type InitProducerIdRequest = Infer<typeof InitProducerIdRequest>

export const InitProducerIdResponse = message(
  { name: 'InitProducerIdResponse', key: 22, versions: '0-5', flexible: '2+' },
  {
    throttleTimeMs: field('int32', '0+'),
    errorCode: field('int16', '0+'),
    producerId: field('int64', '0+', { default: -1 }),
    producerEpoch: field('int16', '0+'),
    ongoingTxnProducerId: field('int64', '6+', { default: -1 }),
    ongoingTxnProducerEpoch: field('int16', '6+', { default: -1 }),
  },
)
export type InitProducerIdResponse = Infer<typeof InitProducerIdResponse>
