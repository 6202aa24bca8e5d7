/**
 * DescribeCluster, key 60 - served: 0 to 2.
 * Does: tells the cluster id, the controller and the brokers.
 * Versions: 1 endpoint type; 2 fenced brokers.
 * Gaps: controllers are not endpoints of their own: endpoint type 2 is MISMATCHED_ENDPOINT_TYPE, as on a broker of Kafka. No
 * broker is ever fenced.
 */
import { ApiKey, ErrorCode } from '@millrace/wire'
import { clusterOperations } from './cluster-operations'
import { handler } from './handler'
import { isTold, NO_BROKER } from './told-brokers'

const ENDPOINTS_OF_BROKERS = 1
const ENDPOINTS_OF_CONTROLLERS = 2

export const describeCluster = handler(
  ApiKey.DescribeCluster,
  { min: 0, max: 2 },
  (request, ctx) => {
    const image = ctx.broker.metadata()
    const { clusterId, controllerId } = image
    const { endpointType } = request
    if (endpointType === ENDPOINTS_OF_CONTROLLERS)
      return refused(ErrorCode.MISMATCHED_ENDPOINT_TYPE, 'this is a listener of brokers')
    if (endpointType !== ENDPOINTS_OF_BROKERS)
      return refused(
        ErrorCode.UNSUPPORTED_ENDPOINT_TYPE,
        `there is no endpoint type ${endpointType}`,
      )
    const brokers = image.brokers.flatMap(({ id, rack }) => {
      const endpoint = ctx.broker.endpointOf(id, ctx.client.listenerName)
      return endpoint ? [{ brokerId: id, ...endpoint, rack, isFenced: false }] : []
    })
    return {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      endpointType: ENDPOINTS_OF_BROKERS,
      clusterId,
      controllerId: isTold(controllerId, ctx) ? controllerId : NO_BROKER,
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? clusterOperations(ctx)
        : undefined,
      brokers,
    }
  },
)

function refused(errorCode: number, errorMessage: string) {
  return { throttleTimeMs: 0, errorCode, errorMessage, clusterId: '', brokers: [] }
}
