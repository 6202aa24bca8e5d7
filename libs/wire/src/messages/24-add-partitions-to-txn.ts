/**
 * AddPartitionsToTxn, key 24 - versions 0 to 5: partitions that a transaction is about to write to.
 * Versions: 2 PRODUCER_FENCED; 3 flexible; 4 several transactions, sent by brokers only, which may also just ask whether the
 *   partitions are in it (verifyOnly); 5 TRANSACTION_ABORTABLE. Producers stay at 3, or send none (EndTxn 5).
 */
import { field, list, message, type Infer } from '../schema'

export const AddPartitionsToTxnRequest = message(
  { name: 'AddPartitionsToTxnRequest', key: 24, versions: '0-5', flexible: '3+' },
  {
    transactions: list('4+', {
      transactionalId: field('string', '4+'),
      producerId: field('int64', '4+'),
      producerEpoch: field('int16', '4+'),
      verifyOnly: field('bool', '4+', { default: false }),
      topics: list('4+', {
        name: field('string', '0+'),
        partitions: list('0+', 'int32'),
      }),
    }),
    v3AndBelowTransactionalId: field('string', '0-3'),
    v3AndBelowProducerId: field('int64', '0-3'),
    v3AndBelowProducerEpoch: field('int16', '0-3'),
    v3AndBelowTopics: list('0-3', {
      name: field('string', '0+'),
      partitions: list('0+', 'int32'),
    }),
  },
)
export type AddPartitionsToTxnRequest = Infer<typeof AddPartitionsToTxnRequest>

export const AddPartitionsToTxnResponse = message(
  { name: 'AddPartitionsToTxnResponse', key: 24, versions: '0-5', flexible: '3+' },
  {
    throttleTimeMs: field('int32', '0+'),
    errorCode: field('int16', '4+'),
    resultsByTransaction: list('4+', {
      transactionalId: field('string', '4+'),
      topicResults: list('4+', {
        name: field('string', '0+'),
        resultsByPartition: list('0+', {
          partitionIndex: field('int32', '0+'),
          partitionErrorCode: field('int16', '0+'),
        }),
      }),
    }),
    resultsByTopicV3AndBelow: list('0-3', {
      name: field('string', '0+'),
      resultsByPartition: list('0+', {
        partitionIndex: field('int32', '0+'),
        partitionErrorCode: field('int16', '0+'),
      }),
    }),
  },
)
export type AddPartitionsToTxnResponse = Infer<typeof AddPartitionsToTxnResponse>
