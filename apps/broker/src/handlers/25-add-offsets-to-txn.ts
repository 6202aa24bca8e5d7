/**
 * AddOffsetsToTxn, key 25 - served: 0 to 4.
 * Does: takes the partition that holds a group's offsets into a producer's transaction; answers when that is durable.
 * Versions: 2 PRODUCER_FENCED; 3 flexible; 4 TRANSACTION_ABORTABLE. Clients of the newer protocol do not send it.
 * Gaps: none known.   Invariants: TXN-1.
 */
import { OFFSETS_TOPIC } from '@millrace/coordinator'
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { handler, type RequestContext } from './handler'
import { knownToOldClients } from './old-producer-errors'

const FIRST_VERSION_FENCED = 2

export const addOffsetsToTxn = handler(
  ApiKey.AddOffsetsToTxn,
  { min: 0, max: 4, order: 'change' },
  async (request, ctx) => {
    const { transactionalId, groupId } = request
    const refusal = refusalOf(transactionalId, groupId, ctx)
    if (refusal !== ErrorCode.NONE) return { throttleTimeMs: 0, errorCode: refusal }
    const partition = ctx.broker.groups.partitionFor(groupId)
    const error = await ctx.broker.transactions.addPartitions({
      ...request,
      partitions: [{ topic: OFFSETS_TOPIC, partition }],
      clientVersion: 0,
    })
    const errorCode = ctx.apiVersion < FIRST_VERSION_FENCED ? knownToOldClients(error) : error
    return { throttleTimeMs: 0, errorCode }
  },
)

function refusalOf(transactionalId: string, groupId: string, ctx: RequestContext): number {
  if (!ctx.allows(AclOperation.WRITE, ResourceType.TRANSACTIONAL_ID, transactionalId))
    return ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
  return ctx.allows(AclOperation.READ, ResourceType.GROUP, groupId)
    ? ErrorCode.NONE
    : ErrorCode.GROUP_AUTHORIZATION_FAILED
}
