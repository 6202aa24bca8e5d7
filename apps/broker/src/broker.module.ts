import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common'
import { systemClock } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import type { BrokerConfig } from './config'
import { BrokerEngine } from './engine'
import { handlers } from './handlers/index'
import { createDispatcher } from './network/dispatcher'
import { KafkaListener } from './network/listener'
import { connectionLimitsOf } from './security/connection-limits'
import { createGates } from './security/gates'

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
          useFactory: (engine: BrokerEngine) => createListener(engine, logger),
          inject: [BrokerEngine],
        },
      ],
    }
  }

  onApplicationShutdown(): Promise<void> {
    return this.#engine.close()
  }
}

function createListener(engine: BrokerEngine, logger: Logger): KafkaListener {
  const { dynamicConfig, quotas } = engine.services
  const { current } = dynamicConfig
  const { values, listeners } = current
  const dispatcher = createDispatcher(handlers, engine.services)
  const gateOf = createGates(engine.services, dispatcher)
  const listener = new KafkaListener(
    {
      dispatcher,
      lifecycle: engine,
      logger,
      clock: systemClock,
      gateOf,
      delayOf: (host) => quotas.connection.record(host, systemClock.monotonicMs()),
    },
    {
      listeners,
      backlog: values.socketListenBacklogSize,
      limits: connectionLimitsOf(current),
      maxFrameBytes: values.socketRequestMaxBytes,
      maxIdleMs: values.connectionsMaxIdleMs,
    },
  )
  dynamicConfig.onChange((changed) =>
    listener.reconfigure(changed.listeners, connectionLimitsOf(changed)),
  )
  return listener
}
