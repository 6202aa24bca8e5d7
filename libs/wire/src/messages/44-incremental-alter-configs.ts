/**
 * IncrementalAlterConfigs, key 44 - versions 0 to 1: changes single configs. Operations: 0 set, 1
 *   delete, 2 append, 3 subtract.
 * Versions: 1 flexible.
 */
import { field, list, message, type Infer } from '../schema'

export const IncrementalAlterConfigsRequest = message(
  { name: 'IncrementalAlterConfigsRequest', key: 44, versions: '0-1', flexible: '1+' },
  {
    resources: list('0+', {
      resourceType: field('int8', '0+'),
      resourceName: field('string', '0+'),
      configs: list('0+', {
        name: field('string', '0+'),
        configOperation: field('int8', '0+'),
        value: field('string?', '0+'),
      }),
    }),
    validateOnly: field('bool', '0+'),
  },
)
export type IncrementalAlterConfigsRequest = Infer<typeof IncrementalAlterConfigsRequest>

export const IncrementalAlterConfigsResponse = message(
  { name: 'IncrementalAlterConfigsResponse', key: 44, versions: '0-1', flexible: '1+' },
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
export type IncrementalAlterConfigsResponse = Infer<typeof IncrementalAlterConfigsResponse>
