/**
 * AlterConfigs, key 33 - versions 0 to 2: replaces all configs of a resource. Newer clients use
 *   IncrementalAlterConfigs, key 44.
 * Versions: 2 flexible.
 */
import { field, list, message, type Infer } from '../schema'

export const AlterConfigsRequest = message(
  { name: 'AlterConfigsRequest', key: 33, versions: '0-2', flexible: '2+' },
  {
    resources: list('0+', {
      resourceType: field('int8', '0+'),
      resourceName: field('string', '0+'),
      configs: list('0+', {
        name: field('string', '0+'),
        value: field('string?', '0+'),
      }),
    }),
    validateOnly: field('bool', '0+'),
  },
)
export type AlterConfigsRequest = Infer<typeof AlterConfigsRequest>

export const AlterConfigsResponse = message(
  { name: 'AlterConfigsResponse', key: 33, versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: field('int32', '0+'),
    responses: list('0+', {
      errorCode: field('int16', '0+'),
      errorMessage: field('string?', '0+'),
      resourceType: field('int8', '0+'),
      resourceName: field('string', '0+'),
    }),
  },
)
export type AlterConfigsResponse = Infer<typeof AlterConfigsResponse>
