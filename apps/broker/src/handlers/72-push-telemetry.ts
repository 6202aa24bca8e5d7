/**
 * PushTelemetry, key 72 - served: 0 to 0.
 * Does: takes the metrics of a client, in the rhythm and of the subscription that it was told, and counts them.
 * Gaps: what a push holds is dropped: there are no plugins that could be given it.
 */
import { ApiKey } from '@millrace/wire'
import { describeClient } from './71-get-telemetry-subscriptions'
import { handler } from './handler'

export const pushTelemetry = handler(
  ApiKey.PushTelemetry,
  { min: 0, max: 0 },
  ({ clientInstanceId, subscriptionId, terminating, compressionType, metrics }, ctx) => {
    const { clientTelemetry, config } = ctx.broker
    const push = {
      clientInstanceId,
      subscriptionId,
      isTerminating: terminating,
      compressionType,
      sizeBytes: metrics.length,
    }
    const client = describeClient(clientInstanceId, ctx)
    const errorCode = clientTelemetry.push(push, client, config.values.telemetryMaxBytes)
    return { throttleTimeMs: 0, errorCode }
  },
)
