/** DeleteAcls, key 31 - versions 1 to 3. */
import { field, list, message, type Infer } from '../schema'

export const DeleteAclsRequest = message(
  { name: 'DeleteAclsRequest', key: 31, versions: '1-3', flexible: '2+' },
  {
    filters: list('0+', {
      resourceTypeFilter: field('int8', '0+'),
      resourceNameFilter: field('string?', '0+'),
      patternTypeFilter: field('int8', '1+', { default: 3 }),
      principalFilter: field('string?', '0+'),
      hostFilter: field('string?', '0+'),
      operation: field('int8', '0+'),
      permissionType: field('int8', '0+'),
    }),
  },
)
export type DeleteAclsRequest = Infer<typeof DeleteAclsRequest>

export const DeleteAclsResponse = message(
  { name: 'DeleteAclsResponse', key: 31, versions: '1-3', flexible: '2+' },
  {
    throttleTimeMs: field('int32', '0+'),
    filterResults: list('0+', {
      errorCode: field('int16', '0+'),
      errorMessage: field('string?', '0+'),
      matchingAcls: list('0+', {
        errorCode: field('int16', '0+'),
        errorMessage: field('string?', '0+'),
        resourceType: field('int8', '0+'),
        resourceName: field('string', '0+'),
        patternType: field('int8', '1+', { default: 3 }),
        principal: field('string', '0+'),
        host: field('string', '0+'),
        operation: field('int8', '0+'),
        permissionType: field('int8', '0+'),
      }),
    }),
  },
)
export type DeleteAclsResponse = Infer<typeof DeleteAclsResponse>
