import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { errorMessage } from '@millrace/base'
import type { Metrics } from '@millrace/telemetry'
import { brokerErrors } from '../errors'
import { MetricsModule } from './metrics.module'

export interface RunningMetrics {
  /** `http://127.0.0.1:9404`. */
  readonly address: string
  close(): Promise<void>
}

/** Serves `/metrics` on a port of its own. @throws PlatformError BROKER_METRICS_UNAVAILABLE: nothing stays open then */
export async function startMetrics(
  metrics: Metrics,
  { host, port }: { host: string; port: number },
): Promise<RunningMetrics> {
  const application = await NestFactory.create<NestFastifyApplication>(
    MetricsModule.register(metrics),
    new FastifyAdapter(),
    { logger: false, abortOnError: false },
  )
  try {
    await application.listen(port, host)
  } catch (cause) {
    await application.close()
    const params = { host, port, reason: errorMessage(cause) }
    throw brokerErrors.create('BROKER_METRICS_UNAVAILABLE', params, { cause })
  }
  return { address: await application.getUrl(), close: () => application.close() }
}
