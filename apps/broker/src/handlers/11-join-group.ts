/**
 * JoinGroup, key 11 - served: 0 to 9.
 * Does: takes a member into the next generation of a group; answers when the group has gathered.
 * Versions: 1 rebalance timeout; 4 two-step join with a member id; 5 static members; 6 flexible; 7 protocol type; 8 reason.
 * Gaps: none known.
 */
import { ApiKey } from '@millrace/wire'
import { clientOf, handler } from './handler'

export const joinGroup = handler(ApiKey.JoinGroup, { min: 0, max: 9 }, (request, ctx) =>
  ctx.broker.groups.joinGroup(request, clientOf(ctx)),
)
