/**
 * TxnOffsetCommit, key 28 - versions 0 to 5: positions of a group that count when a transaction commits.
 * Versions: 2 leader epoch; 3 flexible, group member and generation; 4 TRANSACTION_ABORTABLE; 5 the group joins the
 *   transaction by this request. By topic name in all of them.
 */
import { field, list, message, type Infer } from '../schema'

export const TxnOffsetCommitRequest = message(
  { name: 'TxnOffsetCommitRequest', key: 28, versions: '0-5', flexible: '3+' },
  {
    transactionalId: field('string', '0+'),
    groupId: field('string', '0+'),
    producerId: field('int64', '0+'),
    producerEpoch: field('int16', '0+'),
    generationId: field('int32', '3+', { default: -1 }),
    memberId: field('string', '3+', { default: '' }),
    groupInstanceId: field('string?', '3+', { default: null }),
    topics: list('0+', {
      name: field('string', '0+'),
      partitions: list('0+', {
        partitionIndex: field('int32', '0+'),
        committedOffset: field('int64', '0+'),
        committedLeaderEpoch: field('int32', '2+', { default: -1 }),
        committedMetadata: field('string?', '0+'),
      }),
    }),
  },
)
export type TxnOffsetCommitRequest = Infer<typeof TxnOffsetCommitRequest>

export const TxnOffsetCommitResponse = message(
  { name: 'TxnOffsetCommitResponse', key: 28, versions: '0-5', flexible: '3+' },
  {
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
export type TxnOffsetCommitResponse = Infer<typeof TxnOffsetCommitResponse>
