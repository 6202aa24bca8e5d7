/**
 * SyncGroup, key 14 - served: 0 to 5.
 * Does: takes the leader's assignment and hands each member its part.
 * Versions: 3 static members; 4 flexible; 5 protocol type and name.
 * Gaps: none known.
 */
import { ApiKey } from '@millrace/wire'
import { handler } from './handler'

export const syncGroup = handler(ApiKey.SyncGroup, { min: 0, max: 5 }, (request, ctx) =>
  ctx.broker.groups.syncGroup(request),
)
