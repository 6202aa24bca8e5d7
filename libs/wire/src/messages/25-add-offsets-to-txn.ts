/**
 * AddOffsetsToTxn, key 25 - versions 0 to 4: the group whose offsets a transaction is about to commit.
 * Versions: 2 PRODUCER_FENCED; 3 flexible; 4 TRANSACTION_ABORTABLE.
 */
import { field, message, type Infer } from '../schema'

export const AddOffsetsToTxnRequest = message(
  { name: 'AddOffsetsToTxnRequest', key: 25, versions: '0-4', flexible: '3+' },
  {
    transactionalId: field('string', '0+'),
    producerId: field('int64', '0+'),
    producerEpoch: field('int16', '0+'),
    groupId: field('string', '0+'),
  },
)
export type AddOffsetsToTxnRequest = Infer<typeof AddOffsetsToTxnRequest>

export const AddOffsetsToTxnResponse = message(
  { name: 'AddOffsetsToTxnResponse', key: 25, versions: '0-4', flexible: '3+' },
  {
    throttleTimeMs: field('int32', '0+'),
    errorCode: field('int16', '0+'),
  },
)
export type AddOffsetsToTxnResponse = Infer<typeof AddOffsetsToTxnResponse>
