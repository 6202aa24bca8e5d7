import { ErrorCode, type Infer, type InferInput, type MessageSpec } from '@millrace/wire'
import type { Cluster, Purpose } from '../cluster'

export interface CoordinatorRequestOptions {
  readonly groupId: string
  readonly purpose: Purpose
  readonly timeoutMs?: number
  readonly maxVersion?: number
}

/**
 * Sends a request to the coordinator of a group. When that fails, the coordinator is looked up anew the next time; error
 * codes in the answer are the caller's to read. @throws ProtocolError COORDINATOR_NOT_AVAILABLE; PlatformError CLIENT_*
 */
export async function askCoordinator<Q extends MessageSpec, A extends MessageSpec>(
  cluster: Cluster,
  { groupId, purpose, ...options }: CoordinatorRequestOptions,
  request: Q,
  response: A,
  value: InferInput<Q>,
): Promise<Infer<A>> {
  try {
    const brokerId = await cluster.coordinator(groupId)
    const connection = await cluster.connection(brokerId, purpose)
    return await connection.send(request, response, value, options)
  } catch (error) {
    cluster.forgetCoordinator(groupId)
    throw error
  }
}

/** Whether the broker that sent the code does not coordinate the group, or not any more. */
export function isElsewhere(errorCode: number): boolean {
  return (
    errorCode === ErrorCode.NOT_COORDINATOR || errorCode === ErrorCode.COORDINATOR_NOT_AVAILABLE
  )
}
