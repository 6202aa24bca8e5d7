/**
 * DescribeGroups, key 15 - served: 0 to 6.
 * Does: tells state, protocol and members of groups.
 * Versions: 3 authorized operations; 4 static members; 5 flexible; 6 GROUP_ID_NOT_FOUND with a text.
 * Gaps: none known.
 */
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { clientOf, handler } from './handler'

const NOTHING_TOLD = {
  errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED,
  groupState: '',
  protocolType: '',
  protocolData: '',
  members: [],
}

export const describeGroups = handler(ApiKey.DescribeGroups, { min: 0, max: 6 }, (request, ctx) => {
  const mayDescribe = (groupId: string) =>
    ctx.allows(AclOperation.DESCRIBE, ResourceType.GROUP, groupId)
  const allowed = request.groups.filter(mayDescribe)
  const shown = new Set(allowed)
  const refused = request.groups.filter((groupId) => !shown.has(groupId))
  const { groups } = ctx.broker.groups.describeGroups(
    { ...request, groups: allowed },
    clientOf(ctx),
  )
  return {
    throttleTimeMs: 0,
    groups: [
      ...refused.map((groupId) => ({ ...NOTHING_TOLD, groupId })),
      ...groups.map((group) =>
        request.includeAuthorizedOperations && group.errorCode === ErrorCode.NONE
          ? {
              ...group,
              authorizedOperations: ctx.allowedOperations(ResourceType.GROUP, group.groupId),
            }
          : group,
      ),
    ],
  }
})
