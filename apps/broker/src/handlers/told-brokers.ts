import type { RequestContext } from './request-context'

/** A leader or controller that the client could not find is told as none. */
export const NO_BROKER = -1

/** Whether clients of this listener are told where the broker is: it may not be advertised on it. */
export function isTold(brokerId: number, { broker, client }: RequestContext): boolean {
  return broker.endpointOf(brokerId, client.listenerName) !== null
}
