import { UNKNOWN_CODE, type AclFilter } from '@millrace/security'
import { brokerErrors } from '../errors'

/** The filter as requests 29 and 31 carry it. */
interface WireFilter {
  readonly resourceTypeFilter: number
  readonly resourceNameFilter: string | null
  readonly patternTypeFilter: number
  readonly principalFilter: string | null
  readonly hostFilter: string | null
  readonly operation: number
  readonly permissionType: number
}

/** @throws BROKER_REQUEST_REFUSED for a code that no client may send: Kafka, too, closes the connection on it */
export function filterOf(filter: WireFilter): AclFilter {
  const { operation, permissionType } = filter
  refuseUnknownCodes([
    filter.resourceTypeFilter,
    filter.patternTypeFilter,
    operation,
    permissionType,
  ])
  return {
    resourceType: filter.resourceTypeFilter,
    resourceName: filter.resourceNameFilter,
    patternType: filter.patternTypeFilter,
    principal: filter.principalFilter,
    host: filter.hostFilter,
    operation,
    permissionType,
  }
}

/** @throws BROKER_REQUEST_REFUSED if one of them is the code that means "unknown" */
export function refuseUnknownCodes(codes: readonly number[]): void {
  if (codes.includes(UNKNOWN_CODE))
    throw brokerErrors.create('BROKER_REQUEST_REFUSED', {
      reason: 'a request about ACLs has elements that are unknown to its own client',
    })
}
