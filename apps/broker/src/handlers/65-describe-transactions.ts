/**
 * DescribeTransactions, key 65 - served: 0 to 0.
 * Does: tells the state of transactional ids that this broker coordinates, with the partitions whose marker is missing.
 * Gaps: none known.
 */
import type { Transaction } from '@millrace/coordinator'
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { handler, type RequestContext } from './handler'

export const describeTransactions = handler(
  ApiKey.DescribeTransactions,
  { min: 0, max: 0 },
  (request, ctx) => ({
    throttleTimeMs: 0,
    transactionStates: request.transactionalIds.map((id) => describe(id, ctx)),
  }),
)

function describe(transactionalId: string, ctx: RequestContext) {
  if (!ctx.allows(AclOperation.DESCRIBE, ResourceType.TRANSACTIONAL_ID, transactionalId))
    return failed(transactionalId, ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
  const { errorCode, txn } = ctx.broker.transactions.describe(transactionalId)
  if (!txn) return failed(transactionalId, errorCode)
  return {
    errorCode,
    transactionalId,
    transactionState: txn.state,
    transactionTimeoutMs: txn.timeoutMs,
    transactionStartTimeMs: txn.startTimestamp,
    producerId: txn.producerId,
    producerEpoch: txn.producerEpoch,
    topics: topicsOf(txn, ctx),
  }
}

/** Only those that the client may know of. */
function topicsOf({ partitions }: Transaction, ctx: RequestContext) {
  return [...partitions]
    .filter(([topic]) => ctx.allowsQuietly(AclOperation.DESCRIBE, ResourceType.TOPIC, topic))
    .map(([topic, indexes]) => ({ topic, partitions: [...indexes] }))
}

function failed(transactionalId: string, errorCode: number) {
  return {
    errorCode,
    transactionalId,
    transactionState: '',
    transactionTimeoutMs: 0,
    transactionStartTimeMs: 0,
    producerId: 0,
    producerEpoch: 0,
    topics: [],
  }
}
