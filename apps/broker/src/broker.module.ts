import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common'
import { systemClock } from '@millrace/base'
import { Metrics, type Logger } from '@millrace/telemetry'
import type { BrokerConfig } from './config'
import { BrokerEngine } from './engine'
import { handlers } from './handlers/index'
import { clusterMetrics } from './metrics/cluster-metrics'
import { coordinatorMetrics } from './metrics/coordinator-metrics'
import { diskTrafficMetrics } from './metrics/disk-traffic'
import { logMetrics } from './metrics/log-metrics'
import { networkMetrics } from './metrics/network-metrics'
import { partitionMetrics } from './metrics/partition-metrics'
import { RequestMetrics } from './metrics/request-metrics'
import { topicMetrics } from './metrics/topic-metrics'
import { createDispatcher } from './network/dispatcher'
import { KafkaListener } from './network/listener'
import { acceptLimitsOf, connectionLimitsOf } from './security/connection-limits'
import { createGates } from './security/gates'

/** Composes the broker: the engine below, the listener on top. Nest closes the listener first, then this module. */
@Module({})
export class BrokerModule implements OnApplicationShutdown {
  readonly #engine: BrokerEngine

  constructor(@Inject(BrokerEngine) engine: BrokerEngine) {
    this.#engine = engine
  }

  static register(
    config: BrokerConfig,
    deps: { logger: Logger; onFatal?: (cause: unknown) => void },
  ): DynamicModule {
    const { logger } = deps
    return {
      module: BrokerModule,
      providers: [
        { provide: BrokerEngine, useFactory: () => BrokerEngine.open(deps, config) },
        {
          provide: KafkaListener,
          useFactory: (engine: BrokerEngine, requests: RequestMetrics) =>
            createListener({ engine, requests, logger }, config),
          inject: [BrokerEngine, RequestMetrics],
        },
        {
          provide: RequestMetrics,
          useFactory: () => new RequestMetrics({ clock: systemClock, handlers }),
        },
        {
          provide: Metrics,
          useFactory: createMetrics,
          inject: [BrokerEngine, KafkaListener, RequestMetrics],
        },
      ],
    }
  }

  onApplicationShutdown(): Promise<void> {
    return this.#engine.close()
  }
}

async function createListener(
  deps: { engine: BrokerEngine; requests: RequestMetrics; logger: Logger },
  atStart: BrokerConfig,
): Promise<KafkaListener> {
  const { engine, requests, logger } = deps
  const { dynamicConfig, quotas } = engine.services
  const { current } = dynamicConfig
  const { values, listeners } = current
  const isGiven = (name: string): boolean => atStart.listeners.some((one) => one.name === name)
  const dispatcher = requests.measured(
    createDispatcher(handlers, engine.services, requests.errors.onAnswer),
  )
  const gateOf = createGates(engine.services, dispatcher)
  const listener = new KafkaListener(
    {
      dispatcher,
      lifecycle: engine,
      logger: logger.named('millrace.network'),
      clock: systemClock,
      gateOf,
      quotas,
    },
    {
      listeners: listeners.filter(({ name }) => isGiven(name)),
      addedListeners: listeners.filter(({ name }) => !isGiven(name)),
      backlog: values.socketListenBacklogSize,
      limits: await connectionLimitsOf(current, logger),
      maxFrameBytes: values.socketRequestMaxBytes,
      maxIdleMs: values.connectionsMaxIdleMs,
    },
  )
  quotas.accept.setLimits(acceptLimitsOf(current))
  let changes = 0
  dynamicConfig.onChange((changed) => {
    quotas.accept.setLimits(acceptLimitsOf(changed))
    listener.reconfigure(changed.listeners)
    const change = ++changes
    void connectionLimitsOf(changed, logger).then((limits) => {
      if (change === changes) listener.limit(limits) // hosts were looked up meanwhile
    })
  })
  return listener
}

function createMetrics(
  { services }: BrokerEngine,
  listener: KafkaListener,
  requests: RequestMetrics,
): Metrics {
  return new Metrics([
    ...topicMetrics(services.replicas),
    ...requests.families(),
    ...clusterMetrics(services),
    ...partitionMetrics(services.replicas),
    ...coordinatorMetrics(services),
    ...logMetrics(services, services.config.values.logDirs),
    ...diskTrafficMetrics(),
    ...networkMetrics(listener),
  ])
}
