/**
 * DeleteGroups, key 42 - served: 0 to 2.
 * Does: removes groups that have no members, with their offsets; answers when that is safe in __consumer_offsets.
 * Versions: 2 flexible.
 * Gaps: none known.   Invariants: ACK-3.
 */
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { handler } from './handler'

export const deleteGroups = handler(
  ApiKey.DeleteGroups,
  { min: 0, max: 2, order: 'change' },
  async (request, ctx) => {
    const groupIds = [...new Set(request.groupsNames)]
    const mayDelete = (groupId: string) =>
      ctx.allows(AclOperation.DELETE, ResourceType.GROUP, groupId)
    const deleted = await ctx.broker.groups.deleteGroups(groupIds.filter(mayDelete))
    const refused = groupIds
      .filter((groupId) => !mayDelete(groupId))
      .map((groupId) => ({ groupId, errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED }))
    return { throttleTimeMs: 0, results: [...deleted, ...refused] }
  },
)
