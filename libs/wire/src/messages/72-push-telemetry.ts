/**
 * PushTelemetry, key 72 - version 0 only: metrics of a client, as OTLP in protobuf, maybe
 *   compressed (KIP-714).
 */
import { field, message, type Infer } from '../schema'

export const PushTelemetryRequest = message(
  { name: 'PushTelemetryRequest', key: 72, versions: '0', flexible: '0+' },
  {
    clientInstanceId: field('uuid', '0+'),
    subscriptionId: field('int32', '0+'),
    terminating: field('bool', '0+'),
    compressionType: field('int8', '0+'),
    metrics: field('bytes', '0+'),
  },
)
export type PushTelemetryRequest = Infer<typeof PushTelemetryRequest>

export const PushTelemetryResponse = message(
  { name: 'PushTelemetryResponse', key: 72, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: field('int32', '0+'),
    errorCode: field('int16', '0+'),
  },
)
export type PushTelemetryResponse = Infer<typeof PushTelemetryResponse>
