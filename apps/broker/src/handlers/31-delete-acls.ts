/**
 * DeleteAcls, key 31 - served: 1 to 3.
 * Does: removes the ACLs that the filters take, those of all valid filters at once, and tells which they were.
 * Versions: 1 patterns; 2 flexible; 3 resources of users.
 * Gaps: none known.   Invariants: SEC-1.
 */
import { recordKinds } from '@millrace/controller'
import {
  aclFilterProblem,
  AclOperation,
  matchesFilter,
  type Acl,
  type AclFilter,
} from '@millrace/security'
import { ApiKey, ErrorCode, errorText } from '@millrace/wire'
import { wireFailureOf } from '../wire-failure'
import { filterOf } from './acl-filters'
import { handler, type RequestContext } from './handler'

export const deleteAcls = handler(
  ApiKey.DeleteAcls,
  { min: 1, max: 3, order: 'change' },
  async (request, ctx) => {
    const filters = request.filters.map(filterOf)
    const refusal = refusalOf(ctx)
    if (refusal !== ErrorCode.NONE)
      return { throttleTimeMs: 0, filterResults: filters.map(() => failed(refusal)) }
    const valid = filters.filter((filter) => aclFilterProblem(filter) === null)
    const removed = await remove(valid, ctx)
    return {
      throttleTimeMs: 0,
      filterResults: filters.map((filter) => {
        const problem = aclFilterProblem(filter)
        if (problem !== null) return failed(ErrorCode.INVALID_REQUEST, problem)
        if (typeof removed === 'number') return failed(removed)
        const matchingAcls = removed.filter((acl) => matchesFilter(filter, acl))
        return {
          errorCode: ErrorCode.NONE,
          errorMessage: null,
          matchingAcls: matchingAcls.map(gone),
        }
      }),
    }
  },
)

function refusalOf(ctx: RequestContext): number {
  if (!ctx.allowsOnCluster(AclOperation.ALTER)) return ErrorCode.CLUSTER_AUTHORIZATION_FAILED
  return ctx.broker.authorizer.isEnforcing ? ErrorCode.NONE : ErrorCode.SECURITY_DISABLED
}

/** Those that were removed, or the error that kept all of them. */
async function remove(
  filters: readonly AclFilter[],
  ctx: RequestContext,
): Promise<readonly Acl[] | number> {
  let removed: Acl[] = []
  try {
    await ctx.broker.controller.changeRecords(recordKinds.acls, (present) => {
      // Planned anew when another change came in between: only the last plan counts.
      const taken = [...present].filter(([, acl]) => filters.some((f) => matchesFilter(f, acl)))
      removed = taken.map(([, acl]) => acl)
      return new Map(taken.map(([key]) => [key, null]))
    })
    return removed
  } catch (error) {
    ctx.broker.logger.error('ACLs not deleted', { count: removed.length, error })
    return wireFailureOf(error).errorCode
  }
}

function failed(errorCode: number, errorMessage = errorText(errorCode)) {
  return { errorCode, errorMessage, matchingAcls: [] }
}

function gone(acl: Acl) {
  return { errorCode: ErrorCode.NONE, errorMessage: null, ...acl }
}
