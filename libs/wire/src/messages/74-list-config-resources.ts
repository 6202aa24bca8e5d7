/**
 * ListConfigResources, key 74 - versions 0 to 1: names of what has configs. Version 0 was
 *   ListClientMetricsResources, and tells those only.
 * Versions: 1 by type.
 */
import { field, list, message, type Infer } from '../schema'

export const ListConfigResourcesRequest = message(
  { name: 'ListConfigResourcesRequest', key: 74, versions: '0-1', flexible: '0+' },
  {
    resourceTypes: list('1+', 'int8'),
  },
)
export type ListConfigResourcesRequest = Infer<typeof ListConfigResourcesRequest>

export const ListConfigResourcesResponse = message(
  { name: 'ListConfigResourcesResponse', key: 74, versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: field('int32', '0+'),
    errorCode: field('int16', '0+'),
    configResources: list('0+', {
      resourceName: field('string', '0+'),
      resourceType: field('int8', '1+', { default: 16 }),
    }),
  },
)
export type ListConfigResourcesResponse = Infer<typeof ListConfigResourcesResponse>
