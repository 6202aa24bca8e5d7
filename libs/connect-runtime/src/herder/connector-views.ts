import type { Properties } from '@millrace/config'
import { connectErrors } from '../errors'
import type { PluginRegistry } from '../plugins/registry'
import type { ConfigState } from './config-state'
import type {
  ConnectorInfo,
  ConnectorStateInfo,
  ConnectorType,
  StateInfo,
  TaskInfo,
  TaskStateInfo,
} from './herder'
import type { Status, StatusStore } from './status-store'

export interface ConnectorViewsDeps {
  readonly config: ConfigState
  readonly statuses: StatusStore
  readonly registry: PluginRegistry
  /** host:port of this worker, shown where nobody has written a state yet. */
  readonly workerId: () => string
}

/** What REST shows of connectors, put together from the config and status topics. All methods @throws CONNECT_CONNECTOR_NOT_FOUND. */
export class ConnectorViews {
  readonly #deps: ConnectorViewsDeps

  constructor(deps: ConnectorViewsDeps) {
    this.#deps = deps
  }

  config(name: string): Properties {
    const properties = this.#deps.config.connector(name)
    if (properties === undefined) {
      throw connectErrors.create('CONNECT_CONNECTOR_NOT_FOUND', { name })
    }
    return properties
  }

  info(name: string): ConnectorInfo {
    const config = this.config(name)
    const tasks = this.#deps.config.tasks(name).map((_, task) => ({ connector: name, task }))
    return { name, config, tasks, type: this.#type(config) }
  }

  tasks(name: string): readonly TaskInfo[] {
    this.config(name)
    const tasks = this.#deps.config.tasks(name)
    return tasks.map((config, task) => ({ id: { connector: name, task }, config }))
  }

  state(name: string): ConnectorStateInfo {
    const { config, statuses } = this.#deps
    const properties = this.config(name)
    return {
      name,
      connector: this.#stateInfo(statuses.connector(name)),
      tasks: config.tasks(name).map((_, task) => this.#taskState(name, task)),
      type: this.#type(properties),
    }
  }

  /** @throws CONNECT_TASK_NOT_FOUND */
  taskState(name: string, task: number): TaskStateInfo {
    this.config(name)
    if (this.#deps.config.tasks(name)[task] === undefined) {
      throw connectErrors.create('CONNECT_TASK_NOT_FOUND', { name, task })
    }
    return this.#taskState(name, task)
  }

  #taskState(name: string, task: number): TaskStateInfo {
    return { id: task, ...this.#stateInfo(this.#deps.statuses.task(name, task)) }
  }

  #stateInfo(status: Status | undefined): StateInfo {
    if (status === undefined) return { state: 'UNASSIGNED', worker_id: this.#deps.workerId() }
    return {
      state: status.state,
      worker_id: status.workerId,
      ...(status.trace === null ? {} : { trace: status.trace }),
      ...(status.version === null ? {} : { version: status.version }),
    }
  }

  #type(properties: Properties): ConnectorType {
    return (
      this.#deps.registry.connectorEntry(properties['connector.class'] ?? '')?.type ?? 'unknown'
    )
  }
}
