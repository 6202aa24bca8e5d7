/**
 * UnregisterBroker, key 64 - served: 0 to 0.
 * Does: forgets a broker that is gone for good.
 * Gaps: this broker itself is never forgotten: that is INVALID_REQUEST, where Kafka would fence it until its next start.
 */
import { errorMessage } from '@millrace/base'
import { AclOperation } from '@millrace/security'
import { ApiKey, ErrorCode, errorText, protocolError } from '@millrace/wire'
import { wireFailureOf } from '../wire-failure'
import { handler, type RequestContext } from './handler'

export const unregisterBroker = handler(
  ApiKey.UnregisterBroker,
  { min: 0, max: 0, order: 'change' },
  async ({ brokerId }, ctx) => {
    try {
      await unregister(brokerId, ctx)
      return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null }
    } catch (error) {
      const { errorCode } = wireFailureOf(error)
      return { throttleTimeMs: 0, errorCode, errorMessage: errorMessage(error) }
    }
  },
)

async function unregister(brokerId: number, ctx: RequestContext): Promise<void> {
  const { controller, nodeId } = ctx.broker
  if (!ctx.allowsOnCluster(AclOperation.ALTER)) {
    const errorCode = ErrorCode.CLUSTER_AUTHORIZATION_FAILED
    throw protocolError(errorCode, errorText(errorCode))
  }
  if (brokerId === nodeId)
    throw protocolError(ErrorCode.INVALID_REQUEST, `broker ${brokerId} is the one you speak to`)
  await controller.unregisterBroker(brokerId)
}
