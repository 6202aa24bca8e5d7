/**
 * Heartbeat, key 12 - served: 0 to 4.
 * Does: keeps a member alive and tells it when the group rebalances.
 * Versions: 3 static members; 4 flexible.
 * Gaps: none known.
 */
import { ApiKey } from '@millrace/wire'
import { handler } from './handler'

export const heartbeat = handler(ApiKey.Heartbeat, { min: 0, max: 4 }, (request, ctx) =>
  ctx.broker.groups.heartbeat(request),
)
