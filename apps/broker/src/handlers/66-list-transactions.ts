/**
 * ListTransactions, key 66 - served: 0 to 2.
 * Does: lists the transactional ids that this broker coordinates, by state, producer, duration and name.
 * Versions: 1 shortest duration; 2 pattern of the transactional id.
 * Gaps: patterns tell characters outside of ASCII apart only where they are written out.
 */
import { passingTxnStates, topicPattern, txnStates } from '@millrace/coordinator'
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { handler } from './handler'

const KNOWN_STATES: readonly string[] = [...txnStates, ...passingTxnStates]

export const listTransactions = handler(
  ApiKey.ListTransactions,
  { min: 0, max: 2 },
  (request, ctx) => {
    const pattern = request.transactionalIdPattern
    const matcher = pattern ? topicPattern(pattern) : null
    if (pattern && !matcher)
      return {
        throttleTimeMs: 0,
        errorCode: ErrorCode.INVALID_REGULAR_EXPRESSION,
        unknownStateFilters: [],
        transactionStates: [],
      }
    const { errorCode, transactions } = ctx.broker.transactions.list({
      states: request.stateFilters,
      producerIds: request.producerIdFilters,
      minDurationMs: request.durationFilter,
      matchesId: matcher && ((transactionalId) => matcher.matches(transactionalId)),
    })
    return {
      throttleTimeMs: 0,
      errorCode,
      unknownStateFilters: request.stateFilters.filter((state) => !KNOWN_STATES.includes(state)),
      transactionStates: transactions
        .filter(({ transactionalId: id }) =>
          ctx.allowsQuietly(AclOperation.DESCRIBE, ResourceType.TRANSACTIONAL_ID, id),
        )
        .map(({ transactionalId, producerId, state }) => ({
          transactionalId,
          producerId,
          transactionState: state,
        })),
    }
  },
)
