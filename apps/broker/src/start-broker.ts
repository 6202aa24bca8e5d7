import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import type { AsyncMicroserviceOptions } from '@nestjs/microservices'
import type { Properties } from '@millrace/config'
import type { Logger } from '@millrace/telemetry'
import { BrokerModule } from './broker.module'
import { parseBrokerConfig } from './config'
import { KafkaListener, type ListenerAddress } from './network/listener'

export interface BrokerOptions {
  /** A server.properties as a map. */
  readonly properties: Properties
  /** Laid over the properties: what a command line sets. */
  readonly overrides?: Properties
  readonly logger: Logger
}

export interface RunningBroker {
  /** Each listener with the port that it has. */
  readonly addresses: readonly ListenerAddress[]
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
    BrokerModule.register(config, logger),
    {
      logger: false,
      abortOnError: false,
      useFactory: (listener: KafkaListener) => ({ strategy: listener }),
      inject: [KafkaListener],
    },
  )
  const listener = application.get(KafkaListener)
  try {
    await application.listen()
  } catch (error) {
    await application.close()
    throw error
  }
  const { addresses } = listener
  logger.info('broker started', {
    nodeId: config.values.nodeId,
    listeners: addresses.map(({ name, host, port }) => `${name}://${host}:${port}`).join(','),
  })
  let closing: Promise<void> | null = null
  return {
    addresses,
    close: () => (closing ??= application.close()),
  }
}
