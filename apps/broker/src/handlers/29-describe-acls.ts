/**
 * DescribeAcls, key 29 - served: 1 to 3.
 * Does: lists the ACLs that a filter takes, by the resources that they are about.
 * Versions: 1 patterns; 2 flexible; 3 resources of users.
 * Gaps: none known.
 */
import { recordKinds } from '@millrace/controller'
import { AclOperation, matchesFilter, type Acl } from '@millrace/security'
import { ApiKey, ErrorCode, errorText } from '@millrace/wire'
import { filterOf } from './acl-filters'
import { handler } from './handler'

export const describeAcls = handler(ApiKey.DescribeAcls, { min: 1, max: 3 }, (request, ctx) => {
  const filter = filterOf(request)
  if (!ctx.allowsOnCluster(AclOperation.DESCRIBE))
    return failed(ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
  if (!ctx.broker.authorizer.isEnforcing) return failed(ErrorCode.SECURITY_DISABLED)
  const acls = [...ctx.broker.metadata().records(recordKinds.acls).values()]
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    errorMessage: '',
    resources: byResource(acls.filter((acl) => matchesFilter(filter, acl))),
  }
})

function failed(errorCode: number) {
  return { throttleTimeMs: 0, errorCode, errorMessage: errorText(errorCode), resources: [] }
}

function byResource(acls: readonly Acl[]) {
  const groups = new Map<string, Acl[]>()
  for (const acl of acls) {
    const key = `${acl.resourceType}/${acl.patternType}/${acl.resourceName}`
    const group = groups.get(key)
    if (group) group.push(acl)
    else groups.set(key, [acl])
  }
  return [...groups.values()].map((group) => {
    const [{ resourceType, resourceName, patternType }] = group
    return { resourceType, resourceName, patternType, acls: group }
  })
}
