import {
  AclOperation,
  CLUSTER_NAME,
  codeName,
  PatternType,
  PermissionType,
  ResourceType,
} from './codes'

/**
 * One rule: whether `principal` may, or may not, do something from a host to the resources of a name. The codes are those of
 * `codes.ts`; they are plain numbers here, since this is what requests carry and what is stored.
 */
export interface Acl {
  readonly resourceType: number
  readonly resourceName: string
  readonly patternType: number
  /** `User:alice`, or `User:*` for everybody. */
  readonly principal: string
  /** An address as the broker sees it, or `*`. */
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}

/** What makes two rules the same rule: the key that it is stored under. */
export function aclKey(acl: Acl): string {
  const { resourceType, patternType, resourceName, principal, host, operation } = acl
  const names = [resourceName, principal, host].map(encodeURIComponent)
  return [resourceType, patternType, ...names, operation, acl.permissionType].join('/')
}

/** Why Kafka would not take this rule, or null. */
export function aclProblem(acl: Acl): string | null {
  const { resourceType, resourceName, patternType, operation, permissionType } = acl
  if (resourceType === ResourceType.CLUSTER && resourceName !== CLUSTER_NAME)
    return `The only valid name for the CLUSTER resource is ${CLUSTER_NAME}.`
  if (resourceName === '') return 'The resource name is empty.'
  if (!isOneOf(ResourceType, resourceType) || resourceType === ResourceType.ANY)
    return `Invalid resourceType ${codeName(ResourceType, resourceType)}.`
  if (patternType !== PatternType.LITERAL && patternType !== PatternType.PREFIXED)
    return `Invalid patternType ${codeName(PatternType, patternType)}.`
  if (!isOneOf(AclOperation, operation) || operation === AclOperation.ANY)
    return `Invalid operation ${codeName(AclOperation, operation)}.`
  if (permissionType !== PermissionType.ALLOW && permissionType !== PermissionType.DENY)
    return `Invalid permissionType ${codeName(PermissionType, permissionType)}.`
  if (!acl.principal.includes(':'))
    return `The principal ${acl.principal} has no colon between its type and its name.`
  return null
}

export function isOneOf(codes: Readonly<Record<string, number>>, code: number): boolean {
  return Object.values(codes).includes(code)
}
