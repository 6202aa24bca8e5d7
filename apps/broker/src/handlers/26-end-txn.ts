/**
 * EndTxn, key 26 - served: 0 to 5.
 * Does: commits or aborts a producer's transaction; answers when the decision is durable, while markers are still written.
 * Versions: 2 PRODUCER_FENCED; 3 flexible; 4 TRANSACTION_ABORTABLE; 5 each end bumps the epoch, or gives a new producer id
 *   when epochs run out, and the answer tells which the producer has in its next transaction.
 * Gaps: none known.   Invariants: TXN-1, TXN-2, TXN-3.
 */
import { TRANSACTION_V2 } from '@millrace/coordinator'
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { handler } from './handler'
import { knownToOldClients } from './old-producer-errors'

const FIRST_VERSION_FENCED = 2
const FIRST_VERSION_OF_V2 = 5

export const endTxn = handler(
  ApiKey.EndTxn,
  { min: 0, max: 5, order: 'change' },
  async (request, ctx) => {
    const { transactionalId, committed: isCommit } = request
    if (!ctx.allows(AclOperation.WRITE, ResourceType.TRANSACTIONAL_ID, transactionalId))
      return { throttleTimeMs: 0, errorCode: ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED }
    const clientVersion = ctx.apiVersion >= FIRST_VERSION_OF_V2 ? TRANSACTION_V2 : 0
    const answer = await ctx.broker.transactions.endTransaction({
      ...request,
      isCommit,
      clientVersion,
    })
    const { errorCode } = answer
    return {
      throttleTimeMs: 0,
      ...answer,
      errorCode: ctx.apiVersion < FIRST_VERSION_FENCED ? knownToOldClients(errorCode) : errorCode,
    }
  },
)
