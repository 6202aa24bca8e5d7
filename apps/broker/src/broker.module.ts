import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common'
import { systemClock } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import type { BrokerConfig } from './config'
import { BrokerEngine } from './engine'
import { handlers } from './handlers/index'
import { createDispatcher } from './network/dispatcher'
import { KafkaListener } from './network/listener'

/** Composes the broker: the engine below, the listener on top. Nest closes the listener first, then this module. */
@Module({})
export class BrokerModule implements OnApplicationShutdown {
  readonly #engine: BrokerEngine

  constructor(@Inject(BrokerEngine) engine: BrokerEngine) {
    this.#engine = engine
  }

  static register(config: BrokerConfig, logger: Logger): DynamicModule {
    return {
      module: BrokerModule,
      providers: [
        { provide: BrokerEngine, useFactory: () => BrokerEngine.open({ logger }, config) },
        {
          provide: KafkaListener,
          useFactory: (engine: BrokerEngine) => createListener(engine, config, logger),
          inject: [BrokerEngine],
        },
      ],
    }
  }

  onApplicationShutdown(): Promise<void> {
    return this.#engine.close()
  }
}

function createListener(engine: BrokerEngine, config: BrokerConfig, logger: Logger): KafkaListener {
  const { values, listeners } = config
  return new KafkaListener(
    {
      dispatcher: createDispatcher(handlers, engine.services),
      lifecycle: engine,
      logger,
      clock: systemClock,
    },
    {
      addresses: listeners,
      backlog: values.socketListenBacklogSize,
      maxConnections: values.maxConnections,
      maxFrameBytes: values.socketRequestMaxBytes,
      maxIdleMs: values.connectionsMaxIdleMs,
    },
  )
}
