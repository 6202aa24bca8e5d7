/** CreateAcls, key 30 - versions 1 to 3. */
import { field, list, message, type Infer } from '../schema'

export const CreateAclsRequest = message(
  { name: 'CreateAclsRequest', key: 30, versions: '1-3', flexible: '2+' },
  {
    creations: list('0+', {
      resourceType: field('int8', '0+'),
      resourceName: field('string', '0+'),
      resourcePatternType: field('int8', '1+', { default: 3 }),
      principal: field('string', '0+'),
      host: field('string', '0+'),
      operation: field('int8', '0+'),
      permissionType: field('int8', '0+'),
    }),
  },
)
export type CreateAclsRequest = Infer<typeof CreateAclsRequest>

export const CreateAclsResponse = message(
  { name: 'CreateAclsResponse', key: 30, versions: '1-3', flexible: '2+' },
  {
    throttleTimeMs: field('int32', '0+'),
    results: list('0+', {
      errorCode: field('int16', '0+'),
      errorMessage: field('string?', '0+'),
    }),
  },
)
export type CreateAclsResponse = Infer<typeof CreateAclsResponse>
