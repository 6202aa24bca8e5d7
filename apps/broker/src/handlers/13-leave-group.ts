/**
 * LeaveGroup, key 13 - served: 0 to 5.
 * Does: takes members out of a group, which rebalances without them.
 * Versions: 3 several members; 4 flexible; 5 reason.
 * Gaps: none known.
 */
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { clientOf, handler } from './handler'

export const leaveGroup = handler(
  ApiKey.LeaveGroup,
  { min: 0, max: 5, order: 'change' },
  (request, ctx) =>
    ctx.allows(AclOperation.READ, ResourceType.GROUP, request.groupId)
      ? ctx.broker.groups.leaveGroup(request, clientOf(ctx))
      : { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, members: [] },
)
