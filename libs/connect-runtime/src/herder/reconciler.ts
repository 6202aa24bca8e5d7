import { isDeepStrictEqual } from 'node:util'
import type { Clock, Random } from '@millrace/base'
import type { Properties } from '@millrace/config'
import type { Logger } from '@millrace/telemetry'
import type { ConfigProvider } from '../config/config-providers'
import type { WorkerConfig } from '../config/worker-config'
import type { PluginRegistry } from '../plugins/registry'
import { taskName, type CreateClient, type TaskId } from '../worker/attempt-scope'
import { Worker, type TaskDefinition } from '../worker/worker'
import type { WorkItem } from './assignor'
import type { ConfigStore } from './config-store'
import { ConnectorRun } from './connector-run'
import { CONNECTOR_TASK } from './group-protocol'
import type { Membership } from './membership'
import type { OffsetStore } from './offset-store'
import type { ConnectorState, StatusStore } from './status-store'

export interface ReconcilerDeps {
  readonly client: CreateClient
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly registry: PluginRegistry
  readonly providers: ReadonlyMap<string, ConfigProvider>
  readonly config: ConfigStore
  readonly offsets: OffsetStore
  readonly statuses: StatusStore
  readonly membership: Membership
  /** Gets the step that writes new task configurations, to run it between the other requests. */
  readonly onTasksComputed: (publish: () => Promise<void>) => void
}

/**
 * Brings what runs on this worker to what the config topic and the group's assignment ask for. Safe to call at any time
 * and as often as one likes, but not twice at once: the herder queues the calls.
 */
export class Reconciler {
  readonly #deps: ReconcilerDeps
  readonly #worker: Worker
  readonly #workerId: () => string
  /** Connectors that were started here, as leader. */
  readonly #runs = new Map<string, ConnectorRun>()
  /** Items of the last assignment, to see when a new one is needed. */
  #assignedItems = ''
  /** After `close` nothing may start: changes that were queued before it still come. */
  #isClosed = false

  constructor(
    deps: ReconcilerDeps,
    options: {
      readonly config: WorkerConfig
      readonly properties: Properties
      readonly workerId: () => string
    },
  ) {
    this.#deps = deps
    this.#workerId = options.workerId
    const { client, clock, random, logger, registry, providers } = deps
    this.#worker = new Worker(
      { client, clock, random, logger, registry, providers },
      {
        config: options.config,
        properties: options.properties,
        offsets: deps.offsets,
        onState: (id, state, trace) => this.#putTaskStatus(id, state, trace),
        onTopic: ({ connector, task }, topic) => deps.statuses.putTopic(connector, task, topic),
      },
    )
  }

  /** All connectors and tasks there are to hand out. Remembers them as handed out. */
  items(): readonly WorkItem[] {
    const items = this.#currentItems()
    this.#assignedItems = JSON.stringify(items)
    return items
  }

  async reconcile(): Promise<void> {
    const { membership } = this.#deps
    if (this.#isClosed || !membership.isJoined) return
    if (membership.isLeader) this.#reconcileConnectors()
    await this.#reconcileTasks()
    if (membership.isLeader && JSON.stringify(this.#currentItems()) !== this.#assignedItems) {
      membership.rejoin()
    }
  }

  /** Starts the connector once more; its tasks go on. */
  restartConnector(name: string): void {
    this.#runs.get(name)?.stop()
    this.#runs.delete(name)
    if (!this.#isClosed && this.#deps.membership.isLeader) this.#reconcileConnectors()
  }

  async restartTasks(connector: string, tasks: readonly number[]): Promise<void> {
    const ids = tasks.map((task) => ({ connector, task }))
    await this.#worker.stop(ids)
    if (!this.#isClosed) await this.#reconcileTasks()
  }

  /** Stops everything, for good. */
  close(): Promise<void> {
    this.#isClosed = true
    return this.stopAll()
  }

  /** Stops everything that runs here and says so in the statuses. */
  async stopAll(): Promise<void> {
    for (const run of this.#runs.values()) run.stop()
    for (const name of this.#runs.keys()) this.#putConnectorStatus(name, 'UNASSIGNED', null)
    this.#runs.clear()
    const ids = this.#worker.definitions().map(({ id }) => id)
    await this.#worker.stop(ids)
    for (const id of ids) this.#putTaskStatus(id, 'UNASSIGNED', null)
  }

  #currentItems(): readonly WorkItem[] {
    const { state } = this.#deps.config
    return state
      .connectorNames()
      .flatMap((connector) => [
        { connector, task: CONNECTOR_TASK },
        ...state.tasks(connector).map((_, task) => ({ connector, task })),
      ])
  }

  #reconcileConnectors(): void {
    const { config, statuses } = this.#deps
    const { state } = config
    for (const [name, run] of this.#runs) {
      if (state.connector(name) !== undefined) continue
      run.stop()
      this.#runs.delete(name)
      statuses.forget(name)
    }
    for (const name of state.connectorNames()) {
      const target = state.targetState(name)
      if (target === 'STARTED') this.#ensureRun(name)
      else {
        if (target === 'STOPPED') {
          this.#runs.get(name)?.stop()
          this.#runs.delete(name)
        }
        if (statuses.connector(name)?.state !== target) this.#putConnectorStatus(name, target, null)
      }
    }
  }

  #ensureRun(name: string): void {
    const { config, statuses, clock, random, logger, registry, providers } = this.#deps
    const properties = config.state.connector(name)!
    const running = this.#runs.get(name)
    if (running?.properties === properties) {
      // It was paused and goes on.
      if (statuses.connector(name)?.state === 'PAUSED' && !running.hasFailed) {
        this.#putConnectorStatus(name, 'RUNNING', null)
      }
      return
    }
    running?.stop()
    const run = new ConnectorRun(
      { clock, random, registry, providers, logger: logger.child({ connector: name }) },
      properties,
    )
    this.#runs.set(name, run)
    run.start({
      onState: (state, trace) => {
        if (this.#runs.get(name) === run) this.#putConnectorStatus(name, state, trace)
      },
      onTasks: (tasks) => this.#deps.onTasksComputed(() => this.#publishTasks(name, run, tasks)),
    })
  }

  /** Writes task configurations if they or the connector's own configuration are not what the tasks run with. */
  async #publishTasks(
    name: string,
    run: ConnectorRun,
    tasks: readonly Properties[],
  ): Promise<void> {
    const { config, membership } = this.#deps
    const { state } = config
    // Meanwhile the connector may have been changed, stopped or deleted, or somebody else may lead.
    if (this.#runs.get(name) !== run || !membership.isLeader) return
    if (state.targetState(name) === 'STOPPED') return
    const isUnchanged =
      !state.isInconsistent(name) &&
      isDeepStrictEqual({ ...state.applied(name) }, { ...run.properties }) &&
      isDeepStrictEqual(state.tasks(name), tasks)
    if (!isUnchanged) await config.putTasks(name, tasks)
  }

  async #reconcileTasks(): Promise<void> {
    const { config, statuses } = this.#deps
    const wanted = this.#wantedTasks()
    const running = new Map(this.#worker.definitions().map((task) => [taskName(task.id), task]))
    const stopping = [...running.values()].filter(
      (task) => !isDeepStrictEqual(wanted.get(taskName(task.id)), task),
    )
    await this.#worker.stop(stopping.map(({ id }) => id))
    for (const { id } of stopping) {
      if (wanted.has(taskName(id))) continue
      const isGone = config.state.tasks(id.connector)[id.task] === undefined
      if (isGone) statuses.putTask(id.connector, id.task, null)
      else this.#putTaskStatus(id, 'UNASSIGNED', null)
    }
    const stopped = new Set(stopping.map(({ id }) => taskName(id)))
    for (const [name, task] of wanted) {
      const isPaused = config.state.targetState(task.id.connector) === 'PAUSED'
      if (running.has(name) && !stopped.has(name)) this.#worker.setPaused(task.id, isPaused)
      else this.#worker.start(task, isPaused)
    }
  }

  #wantedTasks(): ReadonlyMap<string, TaskDefinition> {
    const { config, membership } = this.#deps
    const wanted = new Map<string, TaskDefinition>()
    for (const [connector, tasks] of membership.allocation) {
      const applied = config.state.applied(connector)
      if (applied === undefined || config.state.targetState(connector) === 'STOPPED') continue
      for (const task of tasks) {
        const properties = config.state.tasks(connector)[task]
        if (task === CONNECTOR_TASK || properties === undefined) continue
        const id = { connector, task }
        wanted.set(taskName(id), { id, connector: applied, task: properties })
      }
    }
    return wanted
  }

  #putConnectorStatus(name: string, state: ConnectorState, trace: string | null): void {
    this.#deps.statuses.putConnector(name, this.#status(name, state, trace))
  }
  #putTaskStatus({ connector, task }: TaskId, state: ConnectorState, trace: string | null): void {
    this.#deps.statuses.putTask(connector, task, this.#status(connector, state, trace))
  }
  #status(connector: string, state: ConnectorState, trace: string | null) {
    const { config, registry, membership } = this.#deps
    const className = config.state.connector(connector)?.['connector.class'] ?? ''
    return {
      state,
      trace,
      workerId: this.#workerId(),
      generation: membership.generation,
      version: registry.connectorEntry(className)?.version ?? null,
    }
  }
}
