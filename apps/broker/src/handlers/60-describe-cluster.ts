/**
 * DescribeCluster, key 60 - served: 0 to 2.
 * Does: tells the cluster id, the controller and the brokers.
 * Versions: 1 endpoint type; 2 fenced brokers.
 * Gaps: controllers are not endpoints of their own: endpoint type 2 is refused.
 */
import { ApiKey, ErrorCode } from '@millrace/wire'
import { clusterOperations } from './cluster-operations'
import { handler } from './handler'

const ENDPOINTS_OF_BROKERS = 1

export const describeCluster = handler(
  ApiKey.DescribeCluster,
  { min: 0, max: 2 },
  (request, ctx) => {
    const image = ctx.broker.metadata()
    const { clusterId, controllerId } = image
    if (request.endpointType !== ENDPOINTS_OF_BROKERS)
      return {
        throttleTimeMs: 0,
        errorCode: ErrorCode.MISMATCHED_ENDPOINT_TYPE,
        errorMessage: 'This is a listener of brokers.',
        endpointType: ENDPOINTS_OF_BROKERS,
        clusterId,
        brokers: [],
      }
    return {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      endpointType: ENDPOINTS_OF_BROKERS,
      clusterId,
      controllerId,
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? clusterOperations(ctx)
        : undefined,
      brokers: image.brokers.flatMap(({ id, rack }) => {
        const endpoint = ctx.broker.endpointOf(id, ctx.client.listenerName)
        return endpoint ? [{ brokerId: id, ...endpoint, rack, isFenced: false }] : []
      }),
    }
  },
)
