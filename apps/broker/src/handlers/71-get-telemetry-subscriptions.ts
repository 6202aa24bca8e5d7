/**
 * GetTelemetrySubscriptions, key 71 - served: 0 to 0.
 * Does: tells a client which of its metrics are wanted, and how often: what `client-metrics` configs say of it.
 * Gaps: none known.
 */
import { ApiKey, ErrorCode } from '@millrace/wire'
import type { ClientDescription } from '../client-telemetry'
import { handler, type RequestContext } from './handler'

export const getTelemetrySubscriptions = handler(
  ApiKey.GetTelemetrySubscriptions,
  { min: 0, max: 0 },
  ({ clientInstanceId }, ctx) => {
    const { clientTelemetry, config } = ctx.broker
    const subscription = clientTelemetry.subscribe(describeClient(clientInstanceId, ctx))
    if (typeof subscription === 'number') return failed(clientInstanceId, subscription)
    return {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      ...subscription,
      acceptedCompressionTypes: [...subscription.acceptedCompressionTypes],
      requestedMetrics: [...subscription.requestedMetrics],
      telemetryMaxBytes: config.values.telemetryMaxBytes,
      deltaTemporality: true,
    }
  },
)

export function describeClient(clientInstanceId: string, ctx: RequestContext): ClientDescription {
  const { host, port, software } = ctx.client
  return {
    client_instance_id: clientInstanceId,
    client_id: ctx.clientId ?? '',
    client_software_name: software.name,
    client_software_version: software.version,
    client_source_address: host,
    client_source_port: String(port),
  }
}

function failed(clientInstanceId: string, errorCode: number) {
  return {
    throttleTimeMs: 0,
    errorCode,
    clientInstanceId,
    subscriptionId: 0,
    acceptedCompressionTypes: [],
    pushIntervalMs: 0,
    telemetryMaxBytes: 0,
    deltaTemporality: false,
    requestedMetrics: [],
  }
}
