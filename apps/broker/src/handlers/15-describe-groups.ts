/**
 * DescribeGroups, key 15 - served: 0 to 6.
 * Does: tells state, protocol and members of groups.
 * Versions: 3 authorized operations; 4 static members; 5 flexible; 6 GROUP_ID_NOT_FOUND with a text.
 * Gaps: authorized operations are not told (there are no ACLs yet).
 */
import { ApiKey } from '@millrace/wire'
import { clientOf, handler } from './handler'

export const describeGroups = handler(ApiKey.DescribeGroups, { min: 0, max: 6 }, (request, ctx) =>
  ctx.broker.groups.describeGroups(request, clientOf(ctx)),
)
