/**
 * InitProducerId, key 22 - served: 0 to 5.
 * Does: gives an idempotent producer an id that no other producer has or had, across restarts.
 * Versions: 2 flexible; 3 the producer's present id and epoch; 4 PRODUCER_FENCED.
 * Gaps: no transactions yet: a transactional id is answered with INVALID_REQUEST, which makes clients fail at once
 * (COORDINATOR_NOT_AVAILABLE would make them retry until they time out). An idempotent producer that asks with its present id
 * gets a new id.
 */
import { AclOperation, CLUSTER_NAME, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { wireFailureOf } from '../wire-failure'
import { handler, type RequestContext } from './handler'

export const initProducerId = handler(
  ApiKey.InitProducerId,
  { min: 0, max: 5 },
  async (request, ctx) => {
    const refusal = refusalOf(request.transactionalId, ctx)
    if (refusal !== ErrorCode.NONE) return failed(refusal)
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

/** Whoever may write to some topic may do so idempotently. */
function refusalOf(transactionalId: string | null, ctx: RequestContext): number {
  const { IDEMPOTENT_WRITE, WRITE } = AclOperation
  if (transactionalId !== null)
    return ctx.allows(WRITE, ResourceType.TRANSACTIONAL_ID, transactionalId)
      ? ErrorCode.NONE
      : ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
  const mayProduce =
    ctx.allowsQuietly(IDEMPOTENT_WRITE, ResourceType.CLUSTER, CLUSTER_NAME) ||
    ctx.allowsOnSome(WRITE, ResourceType.TOPIC)
  return mayProduce ? ErrorCode.NONE : ErrorCode.CLUSTER_AUTHORIZATION_FAILED
}

function failed(errorCode: number) {
  return { throttleTimeMs: 0, errorCode, producerId: -1, producerEpoch: -1 }
}
