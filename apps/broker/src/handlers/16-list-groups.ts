/**
 * ListGroups, key 16 - served: 0 to 5.
 * Does: lists the groups that this broker coordinates, all to those who may describe the cluster, else those one may describe.
 * Versions: 3 flexible; 4 filter by state; 5 filter by type.
 * Gaps: none known.
 */
import { AclOperation, CLUSTER_NAME, ResourceType } from '@millrace/security'
import { ApiKey } from '@millrace/wire'
import { handler } from './handler'

export const listGroups = handler(ApiKey.ListGroups, { min: 0, max: 5 }, (request, ctx) => {
  const { DESCRIBE } = AclOperation
  const seesAll = ctx.allowsQuietly(DESCRIBE, ResourceType.CLUSTER, CLUSTER_NAME)
  const answer = ctx.broker.groups.listGroups(request)
  if (seesAll) return answer
  const groups = answer.groups.filter(({ groupId }) =>
    ctx.allowsQuietly(DESCRIBE, ResourceType.GROUP, groupId),
  )
  return { ...answer, groups }
})
