import type { Properties } from '@millrace/config'

export type TargetState = 'STARTED' | 'PAUSED' | 'STOPPED'

/** What a record of the config topic changed. */
export type ConfigChange =
  | { readonly kind: 'connector-updated'; readonly name: string }
  | { readonly kind: 'connector-removed'; readonly name: string }
  | { readonly kind: 'tasks-updated'; readonly name: string }
  | { readonly kind: 'target-state'; readonly name: string }
  | {
      readonly kind: 'restart-request'
      readonly name: string
      readonly includeTasks: boolean
      readonly onlyFailed: boolean
    }

export interface SessionKey {
  readonly key: Buffer
  readonly algorithm: string
  readonly createdMs: number
}

const CONNECTOR = 'connector-'
const TASK = 'task-'
const COMMIT = 'commit-'
const TARGET_STATE = 'target-state-'
const RESTART = 'restart-connector-'

/** Keys of the config topic. */
export const configKeys = {
  connector: (name: string) => CONNECTOR + name,
  task: (name: string, task: number) => `${TASK}${name}-${task}`,
  commit: (name: string) => COMMIT + name,
  targetState: (name: string) => TARGET_STATE + name,
  restart: (name: string) => RESTART + name,
  sessionKey: 'session-key',
} as const

/**
 * The config topic as of the last record applied. Task configurations count only from their commit record on, and only
 * if the commit finds all of them: compaction may have left a part, and then the connector is inconsistent until its
 * task configurations are written again (CONNECT-3).
 */
export class ConfigState {
  readonly #connectors = new Map<string, Properties>()
  readonly #targetStates = new Map<string, TargetState>()
  readonly #tasks = new Map<string, readonly Properties[]>()
  /** The connector configuration as it was when its tasks were committed: what tasks run with. */
  readonly #applied = new Map<string, Properties>()
  readonly #deferred = new Map<string, Map<number, Properties>>()
  readonly #inconsistent = new Set<string>()
  #sessionKey: SessionKey | null = null

  connectorNames(): readonly string[] {
    return [...this.#connectors.keys()]
  }
  connector(name: string): Properties | undefined {
    return this.#connectors.get(name)
  }
  targetState(name: string): TargetState {
    return this.#targetStates.get(name) ?? 'STARTED'
  }
  /** The committed task configurations, in order of task id. */
  tasks(name: string): readonly Properties[] {
    return this.#tasks.get(name) ?? []
  }
  /** The configuration of the connector that goes with `tasks`; undefined if there never were tasks. */
  applied(name: string): Properties | undefined {
    return this.#applied.get(name)
  }
  isInconsistent(name: string): boolean {
    return this.#inconsistent.has(name)
  }
  get sessionKey(): SessionKey | null {
    return this.#sessionKey
  }

  /** Applies one record; null value is a tombstone. Returns what changed, null if nothing that anyone waits for. */
  apply(key: string, value: unknown): ConfigChange | null {
    if (key.startsWith(TARGET_STATE)) {
      return this.#applyTargetState(key.slice(TARGET_STATE.length), value)
    }
    if (key.startsWith(CONNECTOR)) return this.#applyConnector(key.slice(CONNECTOR.length), value)
    if (key.startsWith(TASK)) return this.#deferTask(key.slice(TASK.length), value)
    if (key.startsWith(COMMIT)) return this.#applyCommit(key.slice(COMMIT.length), value)
    if (key.startsWith(RESTART)) return restartRequest(key.slice(RESTART.length), value)
    if (key === configKeys.sessionKey) this.#applySessionKey(value)
    return null
  }

  #applyConnector(name: string, value: unknown): ConfigChange | null {
    if (value === null) {
      if (!this.#connectors.delete(name)) return null
      this.#tasks.delete(name)
      this.#applied.delete(name)
      this.#deferred.delete(name)
      this.#inconsistent.delete(name)
      return { kind: 'connector-removed', name }
    }
    const properties = propertiesOf(value)
    if (properties === null) return null
    this.#connectors.set(name, properties)
    return { kind: 'connector-updated', name }
  }

  #applyTargetState(name: string, value: unknown): ConfigChange | null {
    const state = asObject(value)
    const before = this.targetState(name)
    if (state === null) this.#targetStates.delete(name)
    else {
      // `state` is for workers older than STOPPED, for which it says PAUSED.
      const text = typeof state['state.v2'] === 'string' ? state['state.v2'] : state.state
      if (text !== 'STARTED' && text !== 'PAUSED' && text !== 'STOPPED') return null
      this.#targetStates.set(name, text)
    }
    const isChange = this.targetState(name) !== before && this.#connectors.has(name)
    return isChange ? { kind: 'target-state', name } : null
  }

  #deferTask(nameAndId: string, value: unknown): null {
    const separator = nameAndId.lastIndexOf('-')
    const name = nameAndId.slice(0, separator)
    const task = Number(nameAndId.slice(separator + 1))
    const properties = propertiesOf(value)
    if (separator < 1 || !Number.isInteger(task) || properties === null) return null
    const deferred = this.#deferred.get(name) ?? new Map<number, Properties>()
    deferred.set(task, properties)
    this.#deferred.set(name, deferred)
    return null
  }

  #applyCommit(name: string, value: unknown): ConfigChange | null {
    const count = asObject(value)?.tasks
    const deferred = this.#deferred.get(name) ?? new Map<number, Properties>()
    this.#deferred.delete(name)
    if (!this.#connectors.has(name) || !Number.isInteger(count)) return null
    const tasks: Properties[] = []
    for (let task = 0; task < (count as number); task += 1) {
      const properties = deferred.get(task)
      if (properties === undefined) break
      tasks.push(properties)
    }
    if (tasks.length === count && deferred.size === count) {
      this.#inconsistent.delete(name)
      this.#tasks.set(name, tasks)
      this.#applied.set(name, this.#connectors.get(name)!)
    } else this.#inconsistent.add(name)
    return { kind: 'tasks-updated', name }
  }

  #applySessionKey(value: unknown): void {
    const fields = asObject(value)
    if (fields === null || typeof fields.key !== 'string' || typeof fields.algorithm !== 'string') {
      return
    }
    this.#sessionKey = {
      key: Buffer.from(fields.key, 'base64'),
      algorithm: fields.algorithm,
      createdMs: Number(fields['creation-timestamp']),
    }
  }
}

function restartRequest(name: string, value: unknown): ConfigChange | null {
  const fields = asObject(value)
  if (fields === null) return null
  const includeTasks = fields['include-tasks'] === true
  return { kind: 'restart-request', name, includeTasks, onlyFailed: fields['only-failed'] === true }
}

function propertiesOf(value: unknown): Properties | null {
  const properties = asObject(asObject(value)?.properties)
  return properties === null ? null : (properties as Properties)
}

function asObject(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null
}
