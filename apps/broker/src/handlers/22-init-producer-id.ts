/**
 * InitProducerId, key 22 - served: 0 to 5.
 * Does: gives an idempotent producer an id that no other producer has or had, across restarts.
 * Versions: 2 flexible; 3 the producer's present id and epoch; 4 PRODUCER_FENCED.
 * Gaps: no transactions yet: a transactional id is answered with INVALID_REQUEST, which makes clients fail at once
 * (COORDINATOR_NOT_AVAILABLE would make them retry until they time out). An idempotent producer that asks with its present id
 * gets a new id.
 */
import { ApiKey, ErrorCode } from '@millrace/wire'
import { wireFailureOf } from '../wire-failure'
import { handler } from './handler'

export const initProducerId = handler(
  ApiKey.InitProducerId,
  { min: 0, max: 5 },
  async (request, ctx) => {
    if (request.transactionalId !== null) {
      ctx.broker.logger.warn('transactional producer refused: transactions are not served yet', {
        client: ctx.clientId,
        transactionalId: request.transactionalId,
      })
      return failed(ErrorCode.INVALID_REQUEST)
    }
    try {
      const producerId = await ctx.broker.producerIds.next()
      return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, producerId, producerEpoch: 0 }
    } catch (error) {
      ctx.broker.logger.error('producer id not allocated', { error })
      return failed(wireFailureOf(error).errorCode)
    }
  },
)

function failed(errorCode: number) {
  return { throttleTimeMs: 0, errorCode, producerId: -1, producerEpoch: -1 }
}
