/** DescribeClientQuotas, key 48 - versions 0 to 1. */
import { field, list, message, type Infer } from '../schema'

export const DescribeClientQuotasRequest = message(
  { name: 'DescribeClientQuotasRequest', key: 48, versions: '0-1', flexible: '1+' },
  {
    components: list('0+', {
      entityType: field('string', '0+'),
      matchType: field('int8', '0+'),
      match: field('string?', '0+'),
    }),
    strict: field('bool', '0+'),
  },
)
export type DescribeClientQuotasRequest = Infer<typeof DescribeClientQuotasRequest>

export const DescribeClientQuotasResponse = message(
  { name: 'DescribeClientQuotasResponse', key: 48, versions: '0-1', flexible: '1+' },
  {
    throttleTimeMs: field('int32', '0+'),
    errorCode: field('int16', '0+'),
    errorMessage: field('string?', '0+'),
    entries: list(
      '0+',
      {
        entity: list('0+', {
          entityType: field('string', '0+'),
          entityName: field('string?', '0+'),
        }),
        values: list('0+', {
          key: field('string', '0+'),
          value: field('float64', '0+'),
        }),
      },
      { nullable: '0+' },
    ),
  },
)
export type DescribeClientQuotasResponse = Infer<typeof DescribeClientQuotasResponse>
