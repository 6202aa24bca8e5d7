/**
 * JoinGroup, key 11 - served: 0 to 9.
 * Does: takes a member into the next generation of a group; answers when the group has gathered.
 * Versions: 1 rebalance timeout; 4 two-step join with a member id; 5 static members; 6 flexible; 7 protocol type; 8 reason.
 * Gaps: none known.
 */
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { clientOf, handler } from './handler'

/** From here on an answer need not name a protocol. */
const FIRST_VERSION_WITHOUT_PROTOCOL = 7

export const joinGroup = handler(ApiKey.JoinGroup, { min: 0, max: 9 }, (request, ctx) =>
  ctx.allows(AclOperation.READ, ResourceType.GROUP, request.groupId)
    ? ctx.broker.groups.joinGroup(request, clientOf(ctx))
    : {
        errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED,
        generationId: -1,
        protocolName: ctx.apiVersion < FIRST_VERSION_WITHOUT_PROTOCOL ? '' : null,
        leader: '',
        memberId: '',
        members: [],
      },
)
