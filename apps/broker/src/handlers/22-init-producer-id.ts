/**
 * InitProducerId, key 22 - served: 0 to 5.
 * Does: gives an idempotent producer an id that no other producer has or had, across restarts; gives a transactional one its
 *   id and epoch, which fences the producer that had the transactional id before and aborts what that has open.
 * Versions: 2 flexible; 3 the producer's present id and epoch, to get a new epoch; 4 PRODUCER_FENCED; 5 TRANSACTION_ABORTABLE.
 * Gaps: no two-phase commit, which is version 6.   Invariants: TXN-1.
 */
import { AclOperation, CLUSTER_NAME, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { wireFailureOf } from '../wire-failure'
import { handler, type RequestContext, type RequestOf } from './handler'
import { knownToOldClients } from './old-producer-errors'

const FIRST_VERSION_FENCED = 4
const INCOMPLETE = 'incomplete'

export const initProducerId = handler(
  ApiKey.InitProducerId,
  { min: 0, max: 5, order: 'change' },
  async (request, ctx) => {
    const refusal = refusalOf(request.transactionalId, ctx)
    if (refusal !== ErrorCode.NONE) return failed(refusal)
    const claim = claimOf(request)
    if (claim === INCOMPLETE) return failed(ErrorCode.INVALID_REQUEST)
    if (request.transactionalId === null) return newProducer(ctx)
    const { transactionalId, transactionTimeoutMs: timeoutMs } = request
    const answer = await ctx.broker.transactions.initProducerId({
      transactionalId,
      timeoutMs,
      claim,
    })
    const { errorCode } = answer
    return {
      throttleTimeMs: 0,
      ...answer,
      errorCode: ctx.apiVersion < FIRST_VERSION_FENCED ? knownToOldClients(errorCode) : errorCode,
    }
  },
)

/** What the producer believes to be; null if it knows nothing yet. */
function claimOf(request: RequestOf<typeof ApiKey.InitProducerId>) {
  const { producerId, producerEpoch } = request
  if (producerId === -1 && producerEpoch === -1) return null
  return producerId === -1 || producerEpoch === -1 ? INCOMPLETE : { producerId, producerEpoch }
}

/** One that is only idempotent gets a new id each time: nothing is known of the old one. */
async function newProducer(ctx: RequestContext) {
  try {
    const producerId = await ctx.broker.producerIds.next()
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, producerId, producerEpoch: 0 }
  } catch (error) {
    ctx.broker.logger.error('producer id not allocated', { error })
    return failed(wireFailureOf(error).errorCode)
  }
}

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
