import { isOneOf, type Acl } from './acl'
import { AclOperation, PatternType, PermissionType, ResourceType, WILDCARD } from './codes'

/** Which rules are meant; null and the ANY codes mean every one. */
export interface AclFilter {
  readonly resourceType: number
  readonly resourceName: string | null
  readonly patternType: number
  readonly principal: string | null
  readonly host: string | null
  readonly operation: number
  readonly permissionType: number
}

/** Why Kafka would not delete by this filter, or null: a code that it does not know could mean anything. */
export function aclFilterProblem(filter: AclFilter): string | null {
  if (!isOneOf(ResourceType, filter.resourceType) || !isOneOf(PatternType, filter.patternType))
    return 'The filter of resources has an unknown code.'
  if (!isOneOf(AclOperation, filter.operation) || !isOneOf(PermissionType, filter.permissionType))
    return 'The filter of entries has an unknown code.'
  return null
}

export function matchesFilter(filter: AclFilter, acl: Acl): boolean {
  return (
    (filter.resourceType === ResourceType.ANY || filter.resourceType === acl.resourceType) &&
    matchesName(filter, acl) &&
    (filter.principal === null || filter.principal === acl.principal) &&
    (filter.host === null || filter.host === acl.host) &&
    (filter.operation === AclOperation.ANY || filter.operation === acl.operation) &&
    (filter.permissionType === PermissionType.ANY || filter.permissionType === acl.permissionType)
  )
}

/** MATCH asks for the rules that cover a name, the other pattern types for those that were made with it. */
function matchesName({ resourceName, patternType }: AclFilter, acl: Acl): boolean {
  if (patternType !== PatternType.MATCH) {
    const isOfType = patternType === PatternType.ANY || patternType === acl.patternType
    return isOfType && (resourceName === null || resourceName === acl.resourceName)
  }
  if (resourceName === null) return true
  return acl.patternType === PatternType.LITERAL
    ? acl.resourceName === resourceName || acl.resourceName === WILDCARD
    : resourceName.startsWith(acl.resourceName)
}
