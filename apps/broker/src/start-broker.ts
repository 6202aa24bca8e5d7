import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import type { AsyncMicroserviceOptions } from '@nestjs/microservices'
import type { Properties } from '@millrace/config'
import { Metrics, type Logger } from '@millrace/telemetry'
import { BrokerModule } from './broker.module'
import { parseBrokerConfig, type BrokerConfig } from './config'
import { parseHostPort } from './host-port'
import type { RunningMetrics } from './metrics/start-metrics'
import type { ListenerAddress } from './network/bound-listener'
import { KafkaListener } from './network/listener'

export interface BrokerOptions {
  /** A server.properties as a map. */
  readonly properties: Properties
  /** Laid over the properties: what a command line sets. */
  readonly overrides?: Properties
  readonly logger: Logger
  /** Called once the broker cannot go on: its last log directory has failed. Whoever started it should end the process. */
  readonly onFatal?: () => void
}

export interface RunningBroker {
  /** Each listener that is open now, with the port that it has. */
  readonly addresses: readonly ListenerAddress[]
  /** What `/metrics` serves; also without metrics.http.listener. */
  readonly metrics: Pick<Metrics, 'expose' | 'contentType'>
  /** Where they are served, null without metrics.http.listener. */
  readonly metricsAddress: string | null
  /** Stops accepting, answers what is in flight, flushes and writes the mark of a clean shutdown. */
  close(): Promise<void>
}

/**
 * Starts a broker in this process; it serves when the promise resolves.
 * @throws PlatformError BROKER_*, BASE_DIRECTORY_*, LOG_*: nothing stays open then
 */
export async function startBroker(options: BrokerOptions): Promise<RunningBroker> {
  const { logger } = options
  const config = parseBrokerConfig({ ...options.properties, ...options.overrides })
  for (const key of config.unknownKeys) logger.warn('unknown broker config is ignored', { key })
  // abortOnError would end the process; whoever starts a broker decides that.
  const application = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(
    BrokerModule.register(config, {
      logger,
      onFatal: (cause) => {
        logger.error('no log directory is left: the broker cannot go on', { cause })
        options.onFatal?.()
      },
    }),
    {
      logger: false,
      abortOnError: false,
      useFactory: (listener: KafkaListener) => ({ strategy: listener }),
      inject: [KafkaListener],
    },
  )
  const listener = application.get(KafkaListener)
  const metrics = application.get(Metrics)
  let served: RunningMetrics | null = null
  try {
    await application.listen()
    served = await serveMetrics(metrics, config)
  } catch (error) {
    await application.close()
    throw error
  }
  logger.info('broker started', {
    nodeId: config.values.nodeId,
    listeners: listener.addresses
      .map(({ name, host, port }) => `${name}://${host}:${port}`)
      .join(','),
  })
  let closing: Promise<void> | null = null
  return {
    get addresses() {
      return listener.addresses
    },
    metrics,
    metricsAddress: served?.address ?? null,
    close: () => (closing ??= closeAll(served, application)),
  }
}

async function serveMetrics(
  metrics: Metrics,
  config: BrokerConfig,
): Promise<RunningMetrics | null> {
  const address = parseHostPort(config.values.metricsHttpListener ?? '')
  if (address === null) return null
  // An HTTP server takes a tenth of the start, and most brokers do without.
  const { startMetrics } = await import('./metrics/start-metrics')
  return startMetrics(metrics, address)
}

async function closeAll(
  metrics: RunningMetrics | null,
  application: { close(): Promise<void> },
): Promise<void> {
  await metrics?.close()
  await application.close()
}
