/**
 * GetTelemetrySubscriptions, key 71 - version 0 only: which of its metrics a client is to push
 *   (KIP-714). A zero id asks for a new one.
 */
import { field, list, message, type Infer } from '../schema'

export const GetTelemetrySubscriptionsRequest = message(
  { name: 'GetTelemetrySubscriptionsRequest', key: 71, versions: '0', flexible: '0+' },
  {
    clientInstanceId: field('uuid', '0+'),
  },
)
export type GetTelemetrySubscriptionsRequest = Infer<typeof GetTelemetrySubscriptionsRequest>

export const GetTelemetrySubscriptionsResponse = message(
  { name: 'GetTelemetrySubscriptionsResponse', key: 71, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: field('int32', '0+'),
    errorCode: field('int16', '0+'),
    clientInstanceId: field('uuid', '0+'),
    subscriptionId: field('int32', '0+'),
    acceptedCompressionTypes: list('0+', 'int8'),
    pushIntervalMs: field('int32', '0+'),
    telemetryMaxBytes: field('int32', '0+'),
    deltaTemporality: field('bool', '0+'),
    requestedMetrics: list('0+', 'string'),
  },
)
export type GetTelemetrySubscriptionsResponse = Infer<typeof GetTelemetrySubscriptionsResponse>
