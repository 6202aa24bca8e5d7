import { ConfigurationError } from '@millrace/connect-api'
import { formatProblems, type ConfigDefinition, type Properties } from '@millrace/config'
import type { Logger } from '@millrace/telemetry'
import { resolvePlaceholders } from '../config/config-providers'
import { refusalOf, refusedOverrides } from '../config/override-policy'
import {
  parseOrThrow,
  taskName,
  type AttemptScope,
  type TaskId,
  type WorkerDeps,
  type WorkerOptions,
} from './attempt-scope'
import { createSinkAttempt } from './create-sink-attempt'
import { createSourceAttempt } from './create-source-attempt'
import { TaskSupervisor, type TaskReporter, type TaskState } from './supervisor'

/** What a task runs with; unresolved placeholders included. Two equal definitions need no restart. */
export interface TaskDefinition {
  readonly id: TaskId
  /** The connector's configuration: converters, transforms, error handling. */
  readonly connector: Properties
  /** What `taskConfigs` made for this task. */
  readonly task: Properties
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
    this.#refuseOverrides(connector)
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

  /** They were checked when the connector was made, but the worker may have another policy since then. @throws ConfigurationError */
  #refuseOverrides(connector: Properties): void {
    const { config } = this.#options
    const refused = refusedOverrides(config, connector).map((key) => refusalOf(key, config))
    if (refused.length > 0) throw new ConfigurationError(formatProblems(refused))
  }
}
