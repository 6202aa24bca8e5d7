/**
 * Produce, key 0 - versions 3 to 13: append record batches to partitions.
 * Versions: 3 batches of format v2, transactions; 5 log start offset; 7 zstd; 8 which record
 *   failed and why; 9 flexible; 10 the new leader comes with NOT_LEADER_OR_FOLLOWER;
 *   11 TRANSACTION_ABORTABLE; 12 adds the partition to the transaction by itself; 13 topic ids
 *   instead of names.
 * ApiVersions must advertise 0 to 2 as well, for librdkafka; there is no codec for them.
 */
import { field, list, struct, message, type Infer } from '../schema'

export const ProduceRequest = message(
  { name: 'ProduceRequest', key: 0, versions: '3-13', flexible: '9+' },
  {
    transactionalId: field('string?', '3+', {
      default: null,
      doc: 'Set when the producer is inside a transaction.',
    }),
    acks: field('int16', '0+', {
      doc: 'Copies that must hold the batch before the answer: 0, 1, or -1 for all in sync.',
    }),
    timeoutMs: field('int32', '0+', { doc: 'Longest wait for those copies.' }),
    topicData: list('0+', {
      name: field('string', '0-12'),
      topicId: field('uuid', '13+'),
      partitionData: list('0+', {
        index: field('int32', '0+'),
        records: field('records?', '0+'),
      }),
    }),
  },
)
export type ProduceRequest = Infer<typeof ProduceRequest>

export const ProduceResponse = message(
  { name: 'ProduceResponse', key: 0, versions: '3-13', flexible: '9+' },
  {
    responses: list('0+', {
      name: field('string', '0-12'),
      topicId: field('uuid', '13+'),
      partitionResponses: list('0+', {
        index: field('int32', '0+'),
        errorCode: field('int16', '0+'),
        baseOffset: field('int64', '0+', { doc: 'Offset of the first record; -1 with an error.' }),
        logAppendTimeMs: field('int64', '2+', {
          default: -1,
          doc: '-1 unless the topic stamps records on append.',
        }),
        logStartOffset: field('int64', '5+', { default: -1 }),
        recordErrors: list('8+', {
          batchIndex: field('int32', '8+', { doc: 'Position of the record within its batch.' }),
          batchIndexErrorMessage: field('string?', '8+', { default: null }),
        }),
        errorMessage: field('string?', '8+', { default: null }),
        currentLeader: struct(
          '10+',
          {
            leaderId: field('int32', '10+', { default: -1 }),
            leaderEpoch: field('int32', '10+', { default: -1 }),
          },
          { tag: 0 },
        ),
      }),
    }),
    throttleTimeMs: field('int32', '1+', { default: 0 }),
    nodeEndpoints: list(
      '10+',
      {
        nodeId: field('int32', '10+'),
        host: field('string', '10+'),
        port: field('int32', '10+'),
        rack: field('string?', '10+', { default: null }),
      },
      { tag: 0 },
    ),
  },
)
export type ProduceResponse = Infer<typeof ProduceResponse>
