import type { Clock, Random } from '@millrace/base'
import type { Client } from '@millrace/client'
import { ConfigurationError, type ConnectorPlugin } from '@millrace/connect-api'
import {
  formatProblems,
  parseConfig,
  type ConfigDefinition,
  type Properties,
} from '@millrace/config'
import type { Logger } from '@millrace/telemetry'
import type { ConfigProvider } from '../config/config-providers'
import type { WorkerConfig } from '../config/worker-config'
import type { OffsetStore } from '../herder/offset-store'
import type { PluginRegistry } from '../plugins/registry'
import { clientSettings } from './client-settings'
import type { TaskAttempt, TaskReporter, TaskState } from './supervisor'

export interface TaskId {
  readonly connector: string
  readonly task: number
}

/**
 * Makes a Kafka client of its own for each use. `connection` (`bootstrap.servers`, `security.*`, `ssl.*`, `sasl.*`) stands
 * over how the worker connects and logs in. @throws ConfigurationError
 */
export type CreateClient = (clientId: string, connection?: Properties) => Client

export interface WorkerDeps {
  readonly client: CreateClient
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly registry: PluginRegistry
  readonly providers: ReadonlyMap<string, ConfigProvider>
}

export interface WorkerOptions {
  readonly config: WorkerConfig
  readonly properties: Properties
  readonly offsets: OffsetStore
  readonly onState: (id: TaskId, state: TaskState, trace: string | null) => void
  readonly onTopic: (id: TaskId, topic: string) => void
}

/** Everything that building an attempt of one task needs. */
export interface AttemptScope {
  readonly worker: WorkerDeps
  readonly options: WorkerOptions
  readonly id: TaskId
  readonly plugin: ConnectorPlugin
  /** The connector's configuration with placeholders resolved. */
  readonly connector: Properties
  readonly task: Properties
  readonly taskConfig: unknown
  readonly reporter: TaskReporter
  readonly logger: Logger
}

/** Looks for topics and creates them; it has settings of its own, as in Kafka Connect. @throws ConfigurationError */
export function createAdminClient({ worker, options, connector, id }: AttemptScope): Client {
  const { connection } = clientSettings('admin', options.properties, connector)
  return worker.client(`connector-adminclient-${taskName(id)}`, connection)
}

export function taskName({ connector, task }: TaskId): string {
  return `${connector}-${task}`
}

/** @throws ConfigurationError with every problem */
export function parseOrThrow<const D extends ConfigDefinition>(
  definition: D,
  properties: Properties,
) {
  const { config, problems } = parseConfig(definition, properties)
  if (problems.length > 0) throw new ConfigurationError(formatProblems(problems))
  return config
}

export function recordErrorOptions(common: {
  readonly errorsTolerance: 'none' | 'all'
  readonly errorsLogEnable: boolean
  readonly errorsLogIncludeMessages: boolean
  readonly errorsRetryTimeoutMs: number
  readonly errorsRetryDelayMaxMs: number
}) {
  return {
    tolerance: common.errorsTolerance,
    isLogEnabled: common.errorsLogEnable,
    isPositionLogged: common.errorsLogIncludeMessages,
    retryTimeoutMs: common.errorsRetryTimeoutMs,
    retryDelayMaxMs: common.errorsRetryDelayMaxMs,
  }
}

/** The attempt, closing its clients when it ends in whatever way. */
export function closingClient(attempt: TaskAttempt, close: () => Promise<void>): TaskAttempt {
  return {
    run: async () => {
      try {
        await attempt.run()
      } finally {
        await close()
      }
    },
    stop: () => attempt.stop(),
    setPaused: (isPaused) => attempt.setPaused(isPaused),
  }
}
