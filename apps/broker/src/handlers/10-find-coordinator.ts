/**
 * FindCoordinator, key 10 - served: 0 to 6.
 * Does: names the broker that leads the partition of __consumer_offsets or __transaction_state that a group or a
 *   transactional id belongs to; creates that topic at the first call.
 * Versions: 1 key type and error text; 3 flexible; 4 several keys; 6 share groups.
 * Gaps: there is no share coordinator: key type 2 answers INVALID_REQUEST, which clients do not retry.
 * The topic is created before the answer, where Kafka answers COORDINATOR_NOT_AVAILABLE first.
 */
import { OFFSETS_TOPIC, TRANSACTIONS_TOPIC } from '@millrace/coordinator'
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode, errorText } from '@millrace/wire'
import { handler, type RequestContext } from './handler'
import { partitionState } from './partition-state'

/** From here on only an unknown type of keys is told in words; before, everything is, as by Kafka. */
const FIRST_VERSION_WITH_KEYS = 4
/** The text of a success in the versions that tell everything: clients compare it with Kafka's. */
const TEXT_OF_SUCCESS = 'NONE'
const KEY_TYPE_GROUP = 0
const KEY_TYPE_TRANSACTION = 1
const KEY_TYPE_SHARE = 2

interface Found {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly errorCode: number
}

export const findCoordinator = handler(
  ApiKey.FindCoordinator,
  { min: 0, max: 6 },
  async (request, ctx) => {
    if (ctx.apiVersion < FIRST_VERSION_WITH_KEYS) {
      const found = await find(request.keyType, request.key, ctx)
      return { throttleTimeMs: 0, ...found, errorMessage: textOf(found.errorCode) }
    }
    const { keyType } = request
    const isKnownType = keyType >= KEY_TYPE_GROUP && keyType <= KEY_TYPE_SHARE
    const errorMessage = isKnownType ? '' : `There is no key type ${keyType}.`
    const coordinators: (Found & { key: string; errorMessage: string })[] = []
    for (const key of request.coordinatorKeys)
      coordinators.push({ key, ...(await find(keyType, key, ctx)), errorMessage })
    return { throttleTimeMs: 0, coordinators }
  },
)

function textOf(errorCode: number): string {
  return errorCode === ErrorCode.NONE ? TEXT_OF_SUCCESS : errorText(errorCode)
}

async function find(keyType: number, key: string, ctx: RequestContext): Promise<Found> {
  const refusal = refusalOf(keyType, key, ctx)
  if (refusal !== ErrorCode.NONE) return notFound(refusal)
  const coordinator = coordinatorOf(keyType, key, ctx)
  if (!coordinator) return notFound(ErrorCode.INVALID_REQUEST)
  const { topic: name, partition } = coordinator
  const topic =
    ctx.broker.metadata().topics.get(name) ?? (await ctx.broker.topics.createAutomatically(name))
  if (typeof topic === 'number') return notFound(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  const found = topic.partitions[partition]
  const leader = found ? partitionState(name, found, ctx).leaderId : -1
  const endpoint = ctx.broker.endpointOf(leader, ctx.client.listenerName)
  if (!endpoint) return notFound(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  return { nodeId: leader, ...endpoint, errorCode: ErrorCode.NONE }
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

function notFound(errorCode: number): Found {
  return { nodeId: -1, host: '', port: -1, errorCode }
}
