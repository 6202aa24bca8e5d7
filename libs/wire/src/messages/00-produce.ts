/** Produce, key 0. */
import { field, list, struct, message, type Infer } from '../schema'

export const ProduceRequest = message(
  { name: 'ProduceRequest', key: 0, versions: '3-13', flexible: '9+' },
  {
    transactionalId: field('string?', '3+', { default: null }),
    acks: field('int16', '0+'),
    timeoutMs: field('int32', '0+'),
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
        baseOffset: field('int64', '0+'),
        logAppendTimeMs: field('int64', '2+', { default: -1 }),
        logStartOffset: field('int64', '5+', { default: -1 }),
        recordErrors: list('8+', {
          batchIndex: field('int32', '8+'),
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
