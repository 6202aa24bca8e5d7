/**
 * DescribeConfigs, key 32 - versions 1 to 4: configuration of topics and brokers.
 * Versions: 1 where a value comes from, synonyms; 3 type and documentation of a key; 4 flexible.
 */
import { field, list, message, type Infer } from '../schema'

export const DescribeConfigsRequest = message(
  { name: 'DescribeConfigsRequest', key: 32, versions: '1-4', flexible: '4+' },
  {
    resources: list('0+', {
      resourceType: field('int8', '0+', { doc: '2 topic, 4 broker, 8 broker logger.' }),
      resourceName: field('string', '0+'),
      configurationKeys: list('0+', 'string', { nullable: '0+' }),
    }),
    includeSynonyms: field('bool', '1+', { default: false }),
    includeDocumentation: field('bool', '3+', { default: false }),
  },
)
export type DescribeConfigsRequest = Infer<typeof DescribeConfigsRequest>

export const DescribeConfigsResponse = message(
  { name: 'DescribeConfigsResponse', key: 32, versions: '1-4', flexible: '4+' },
  {
    throttleTimeMs: field('int32', '0+'),
    results: list('0+', {
      errorCode: field('int16', '0+'),
      errorMessage: field('string?', '0+'),
      resourceType: field('int8', '0+'),
      resourceName: field('string', '0+'),
      configs: list('0+', {
        name: field('string', '0+'),
        value: field('string?', '0+'),
        readOnly: field('bool', '0+'),
        configSource: field('int8', '1+', {
          default: -1,
          doc: '1 topic, 2 broker, 3 all brokers, 4 broker file, 5 default.',
        }),
        isSensitive: field('bool', '0+'),
        synonyms: list('1+', {
          name: field('string', '1+'),
          value: field('string', '1+', { nullable: '0+' }),
          source: field('int8', '1+'),
        }),
        configType: field('int8', '3+', { default: 0 }),
        documentation: field('string', '3+', { nullable: '0+' }),
      }),
    }),
  },
)
export type DescribeConfigsResponse = Infer<typeof DescribeConfigsResponse>
