/**
 * SyncGroup, key 14 - served: 0 to 5.
 * Does: takes the leader's assignment and hands each member its part.
 * Versions: 3 static members; 4 flexible; 5 protocol type and name.
 * Gaps: none known.
 */
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { handler } from './handler'

const NO_ASSIGNMENT = Buffer.alloc(0)

export const syncGroup = handler(ApiKey.SyncGroup, { min: 0, max: 5 }, (request, ctx) =>
  ctx.allows(AclOperation.READ, ResourceType.GROUP, request.groupId)
    ? ctx.broker.groups.syncGroup(request)
    : { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, assignment: NO_ASSIGNMENT },
)
