/**
 * CreateAcls, key 30 - served: 1 to 3.
 * Does: adds ACLs, those that are valid all at once; one that is there already is no error.
 * Versions: 1 patterns; 2 flexible; 3 resources of users.
 * Gaps: none known.   Invariants: SEC-1.
 */
import { recordKinds } from '@millrace/controller'
import { aclKey, AclOperation, aclProblem, type Acl } from '@millrace/security'
import { ApiKey, ErrorCode, errorText } from '@millrace/wire'
import { wireFailureOf } from '../wire-failure'
import { refuseUnknownCodes } from './acl-filters'
import { handler, type RequestContext, type RequestOf } from './handler'

type Creation = RequestOf<typeof ApiKey.CreateAcls>['creations'][number]

export const createAcls = handler(
  ApiKey.CreateAcls,
  { min: 1, max: 3, order: 'change' },
  async (request, ctx) => {
    const acls = request.creations.map(aclOf)
    const refusal = refusalOf(ctx)
    if (refusal !== ErrorCode.NONE)
      return { throttleTimeMs: 0, results: acls.map(() => result(refusal, errorText(refusal))) }
    const problems = acls.map(aclProblem)
    const valid = acls.filter((_, at) => problems[at] === null)
    const stored = await store(valid, ctx)
    return {
      throttleTimeMs: 0,
      results: problems.map((problem) =>
        problem === null ? stored : result(ErrorCode.INVALID_REQUEST, problem),
      ),
    }
  },
)

function aclOf(creation: Creation): Acl {
  const { resourceType, resourceName, resourcePatternType: patternType } = creation
  const { principal, host, operation, permissionType } = creation
  refuseUnknownCodes([resourceType, patternType, operation, permissionType])
  return { resourceType, resourceName, patternType, principal, host, operation, permissionType }
}

function refusalOf(ctx: RequestContext): number {
  if (!ctx.allowsOnCluster(AclOperation.ALTER)) return ErrorCode.CLUSTER_AUTHORIZATION_FAILED
  return ctx.broker.authorizer.isEnforcing ? ErrorCode.NONE : ErrorCode.SECURITY_DISABLED
}

/** The result of each one: they are stored together or not at all. */
async function store(acls: readonly Acl[], ctx: RequestContext) {
  const byKey = new Map(acls.map((acl) => [aclKey(acl), acl]))
  try {
    await ctx.broker.controller.changeRecords(recordKinds.acls, (present) => {
      return new Map([...byKey].filter(([key]) => !present.has(key)))
    })
    return result(ErrorCode.NONE, '')
  } catch (error) {
    ctx.broker.logger.error('ACLs not created', { count: acls.length, error })
    const { errorCode } = wireFailureOf(error)
    return result(errorCode, errorText(errorCode))
  }
}

function result(errorCode: number, errorMessage: string) {
  return { errorCode, errorMessage }
}
