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
import { resolvePlaceholders, type ConfigProvider } from '../config/config-providers'
import type { WorkerConfig } from '../config/worker-config'
import type { OffsetStore } from '../herder/offset-store'
import type { PluginRegistry } from '../plugins/registry'
import { createSinkAttempt } from './create-sink-attempt'
import { createSourceAttempt } from './create-source-attempt'
import { TaskSupervisor, type TaskReporter, type TaskState } from './supervisor'

export interface TaskId {
  readonly connector: string
  readonly task: number
}

/** What a task runs with; unresolved placeholders included. Two equal definitions need no restart. */
export interface TaskDefinition {
  readonly id: TaskId
  /** The connector's configuration: converters, transforms, error handling. */
  readonly connector: Properties
  /** What `taskConfigs` made for this task. */
  readonly task: Properties
}

export interface WorkerDeps {
  readonly client: (clientId: string) => Client
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

interface RunningTask {
  readonly definition: TaskDefinition
  readonly supervisor: TaskSupervisor
}

/** Runs the tasks that the herder hands it, each on its own: what one throws, no other notices. */
export class Worker {
  readonly #deps: WorkerDeps
  readonly #options: WorkerOptions
  readonly #tasks = new Map<string, RunningTask>()

  constructor(deps: WorkerDeps, options: WorkerOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** Definitions of the tasks that were started and not stopped, failed ones included. */
  definitions(): readonly TaskDefinition[] {
    return [...this.#tasks.values()].map(({ definition }) => definition)
  }
  state(id: TaskId): TaskState | undefined {
    return this.#tasks.get(taskName(id))?.supervisor.state
  }

  start(definition: TaskDefinition, isPaused: boolean): void {
    const { id } = definition
    const logger = this.#deps.logger.child({ connector: id.connector, task: id.task })
    const supervisor = new TaskSupervisor(
      {
        clock: this.#deps.clock,
        random: this.#deps.random,
        logger,
        createAttempt: (reporter) => this.#createAttempt(definition, reporter, logger),
        onState: (state, trace) => this.#options.onState(id, state, trace),
      },
      { isPaused },
    )
    this.#tasks.set(taskName(id), { definition, supervisor })
    supervisor.start()
  }

  setPaused(id: TaskId, isPaused: boolean): void {
    this.#tasks.get(taskName(id))?.supervisor.setPaused(isPaused)
  }

  /** Resolves when the tasks have stopped, at the latest after `task.shutdown.graceful.timeout.ms`. */
  async stop(ids: readonly TaskId[]): Promise<void> {
    const running = ids
      .map((id) => this.#tasks.get(taskName(id)))
      .filter((task) => task !== undefined)
    await Promise.all(
      running.map((task) => task.supervisor.stop(this.#options.config.taskShutdownTimeoutMs)),
    )
    for (const id of ids) this.#tasks.delete(taskName(id))
  }

  async #createAttempt(definition: TaskDefinition, reporter: TaskReporter, logger: Logger) {
    const { registry, providers } = this.#deps
    const connector = await resolvePlaceholders(providers, definition.connector)
    const task = await resolvePlaceholders(providers, definition.task)
    const plugin = await registry.connector(connector['connector.class'])
    const scope: AttemptScope = {
      worker: this.#deps,
      options: this.#options,
      id: definition.id,
      plugin,
      connector,
      task,
      taskConfig: parseOrThrow(plugin.options as ConfigDefinition, task),
      reporter,
      logger,
    }
    return plugin.type === 'source' ? createSourceAttempt(scope) : createSinkAttempt(scope)
  }
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
