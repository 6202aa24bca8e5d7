/**
 * DescribeCluster, key 60 - versions 0 to 2: brokers and controller, without topics.
 * Versions: 0 flexible from the start; 1 can be asked of controllers too; 2 fenced brokers on
 *   request.
 */
import { field, list, message, type Infer } from '../schema'

export const DescribeClusterRequest = message(
  { name: 'DescribeClusterRequest', key: 60, versions: '0-2', flexible: '0+' },
  {
    includeClusterAuthorizedOperations: field('bool', '0+'),
    endpointType: field('int8', '1+', { default: 1 }),
    includeFencedBrokers: field('bool', '2+'),
  },
)
export type DescribeClusterRequest = Infer<typeof DescribeClusterRequest>

export const DescribeClusterResponse = message(
  { name: 'DescribeClusterResponse', key: 60, versions: '0-2', flexible: '0+' },
  {
    throttleTimeMs: field('int32', '0+'),
    errorCode: field('int16', '0+'),
    errorMessage: field('string?', '0+', { default: null }),
    endpointType: field('int8', '1+', { default: 1 }),
    clusterId: field('string', '0+'),
    controllerId: field('int32', '0+', { default: -1 }),
    brokers: list('0+', {
      brokerId: field('int32', '0+'),
      host: field('string', '0+'),
      port: field('int32', '0+'),
      rack: field('string?', '0+', { default: null }),
      isFenced: field('bool', '2+'),
    }),
    clusterAuthorizedOperations: field('int32', '0+', { default: -2147483648 }),
  },
)
export type DescribeClusterResponse = Infer<typeof DescribeClusterResponse>
