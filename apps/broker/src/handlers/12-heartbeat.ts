/**
 * Heartbeat, key 12 - served: 0 to 4.
 * Does: keeps a member alive and tells it when the group rebalances.
 * Versions: 3 static members; 4 flexible.
 * Gaps: none known.
 */
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { handler } from './handler'

export const heartbeat = handler(ApiKey.Heartbeat, { min: 0, max: 4 }, (request, ctx) =>
  ctx.allows(AclOperation.READ, ResourceType.GROUP, request.groupId)
    ? ctx.broker.groups.heartbeat(request)
    : { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED },
)
