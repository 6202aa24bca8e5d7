/**
 * FindCoordinator, key 10 - served: 0 to 6.
 * Does: names the broker that leads the partition of __consumer_offsets or __transaction_state that a group or a
 *   transactional id belongs to; creates that topic at the first call.
 * Versions: 1 key type and error text; 3 flexible; 4 several keys; 6 share groups.
 * Gaps: there is no share coordinator: key type 2 answers INVALID_REQUEST with a text, which clients do not retry.
 * The topic is created before the answer, where Kafka answers COORDINATOR_NOT_AVAILABLE first.
 */
import { OFFSETS_TOPIC, TRANSACTIONS_TOPIC } from '@millrace/coordinator'
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { handler, type RequestContext } from './handler'
import { partitionState } from './partition-state'

const KEY_TYPE_GROUP = 0
const KEY_TYPE_TRANSACTION = 1

interface Found {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly errorCode: number
  readonly errorMessage: string | null
}

export const findCoordinator = handler(
  ApiKey.FindCoordinator,
  { min: 0, max: 6 },
  async (request, ctx) => {
    const keys = ctx.apiVersion >= 4 ? request.coordinatorKeys : [request.key]
    const found: (Found & { key: string })[] = []
    for (const key of keys) found.push({ key, ...(await find(request.keyType, key, ctx)) })
    return { throttleTimeMs: 0, ...(ctx.apiVersion >= 4 ? { coordinators: found } : found[0]) }
  },
)

async function find(keyType: number, key: string, ctx: RequestContext): Promise<Found> {
  const refusal = refusalOf(keyType, key, ctx)
  if (refusal !== ErrorCode.NONE) return notFound(refusal, null)
  const coordinator = coordinatorOf(keyType, key, ctx)
  if (!coordinator)
    return notFound(ErrorCode.INVALID_REQUEST, 'This broker has no coordinator of this type.')
  const { topic: name, partition } = coordinator
  const topic =
    ctx.broker.metadata().topics.get(name) ?? (await ctx.broker.topics.createAutomatically(name))
  if (typeof topic === 'number')
    return notFound(ErrorCode.COORDINATOR_NOT_AVAILABLE, `The topic ${name} cannot be created.`)
  const found = topic.partitions[partition]
  const leader = found ? partitionState(name, found, ctx).leaderId : -1
  const endpoint = ctx.broker.endpointOf(leader, ctx.client.listenerName)
  if (!endpoint) return notFound(ErrorCode.COORDINATOR_NOT_AVAILABLE, null)
  return { nodeId: leader, ...endpoint, errorCode: ErrorCode.NONE, errorMessage: null }
}

/** Where the state of the key is kept; null for a type of key that is not served. */
function coordinatorOf(keyType: number, key: string, { broker }: RequestContext) {
  switch (keyType) {
    case KEY_TYPE_GROUP:
      return { topic: OFFSETS_TOPIC, partition: broker.groups.partitionFor(key) }
    case KEY_TYPE_TRANSACTION:
      return { topic: TRANSACTIONS_TOPIC, partition: broker.transactions.partitionFor(key) }
    default:
      return null
  }
}

function refusalOf(keyType: number, key: string, ctx: RequestContext): number {
  const { GROUP, TRANSACTIONAL_ID } = ResourceType
  if (keyType === KEY_TYPE_GROUP && !ctx.allows(AclOperation.DESCRIBE, GROUP, key))
    return ErrorCode.GROUP_AUTHORIZATION_FAILED
  if (keyType === KEY_TYPE_TRANSACTION && !ctx.allows(AclOperation.DESCRIBE, TRANSACTIONAL_ID, key))
    return ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
  return ErrorCode.NONE
}

function notFound(errorCode: number, errorMessage: string | null): Found {
  return { nodeId: -1, host: '', port: -1, errorCode, errorMessage }
}
