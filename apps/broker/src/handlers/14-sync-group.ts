/**
 * SyncGroup, key 14 - served: 0 to 5.
 * Does: takes the leader's assignment and hands each member its part.
 * Versions: 3 static members; 4 flexible; 5 protocol type and name, which are then a must.
 * Gaps: none known.
 */
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { handler } from './handler'

/** From here on a member must say what it takes the protocol for. */
const FIRST_VERSION_WITH_PROTOCOL = 5
const NO_ASSIGNMENT = Buffer.alloc(0)

export const syncGroup = handler(ApiKey.SyncGroup, { min: 0, max: 5 }, (request, ctx) => {
  const refused = (errorCode: number) => ({ errorCode, assignment: NO_ASSIGNMENT })
  const isNamed = request.protocolType !== null && request.protocolName !== null
  if (ctx.apiVersion >= FIRST_VERSION_WITH_PROTOCOL && !isNamed)
    return refused(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  return ctx.allows(AclOperation.READ, ResourceType.GROUP, request.groupId)
    ? ctx.broker.groups.syncGroup(request)
    : refused(ErrorCode.GROUP_AUTHORIZATION_FAILED)
})
