/** AlterClientQuotas, key 49 - versions 0 to 1. */
import { field, list, message, type Infer } from '../schema'

export const AlterClientQuotasRequest = message(
  { name: 'AlterClientQuotasRequest', key: 49, versions: '0-1', flexible: '1+' },
  {
    entries: list('0+', {
      entity: list('0+', {
        entityType: field('string', '0+'),
        entityName: field('string?', '0+'),
      }),
      ops: list('0+', {
        key: field('string', '0+'),
        value: field('float64', '0+'),
        remove: field('bool', '0+'),
      }),
    }),
    validateOnly: field('bool', '0+'),
  },
)
export type AlterClientQuotasRequest = Infer<typeof AlterClientQuotasRequest>

export const AlterClientQuotasResponse = message(
  { name: 'AlterClientQuotasResponse', key: 49, versions: '0-1', flexible: '1+' },
  {
    throttleTimeMs: field('int32', '0+'),
    entries: list('0+', {
      errorCode: field('int16', '0+'),
      errorMessage: field('string?', '0+'),
      entity: list('0+', {
        entityType: field('string', '0+'),
        entityName: field('string?', '0+'),
      }),
    }),
  },
)
export type AlterClientQuotasResponse = Infer<typeof AlterClientQuotasResponse>
