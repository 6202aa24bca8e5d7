/**
 * ListGroups, key 16 - served: 0 to 5.
 * Does: lists the groups that this broker coordinates.
 * Versions: 3 flexible; 4 filter by state; 5 filter by type.
 * Gaps: none known.
 */
import { ApiKey } from '@millrace/wire'
import { handler } from './handler'

export const listGroups = handler(ApiKey.ListGroups, { min: 0, max: 5 }, (request, ctx) =>
  ctx.broker.groups.listGroups(request),
)
