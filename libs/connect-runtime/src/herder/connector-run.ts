import type { Clock, Random } from '@millrace/base'
import { ConfigurationError, type ConnectorPlugin } from '@millrace/connect-api'
import type { Properties } from '@millrace/config'
import type { Logger } from '@millrace/telemetry'
import {
  hasPlaceholder,
  resolvePlaceholders,
  type ConfigProvider,
} from '../config/config-providers'
import { commonConnectorConfig } from '../config/connector-config'
import { classify, formatTrace } from '../errors'
import { Backoff, sleepUnlessAborted } from '../pipeline/retry'
import type { PluginRegistry } from '../plugins/registry'
import { parseOrThrow } from '../worker/attempt-scope'

export interface ConnectorRunDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly registry: PluginRegistry
  readonly providers: ReadonlyMap<string, ConfigProvider>
}

export interface ConnectorRunEvents {
  readonly onState: (state: 'RUNNING' | 'FAILED', trace: string | null) => void
  readonly onTasks: (tasks: readonly Properties[]) => void
}

const BACKOFF = { initialMs: 500, maxMs: 60_000 } as const

/**
 * One start of a connector with one configuration: it splits the work into task configurations. A failure that may pass
 * is tried again for as long as it takes, with the cause in the trace; any other leaves the connector FAILED.
 */
export class ConnectorRun {
  readonly properties: Properties
  readonly #deps: ConnectorRunDeps
  readonly #aborter = new AbortController()
  #hasFailed = false

  constructor(deps: ConnectorRunDeps, properties: Properties) {
    this.#deps = deps
    this.properties = properties
  }

  get hasFailed(): boolean {
    return this.#hasFailed
  }

  /** Runs on its own; the events come while it is not stopped. */
  start(events: ConnectorRunEvents): void {
    void this.#run(events)
  }

  stop(): void {
    this.#aborter.abort()
  }

  async #run(events: ConnectorRunEvents): Promise<void> {
    const { clock, logger } = this.#deps
    const { signal } = this.#aborter
    const backoff = new Backoff(this.#deps, BACKOFF)
    while (!signal.aborted) {
      try {
        const tasks = await this.#taskConfigs()
        if (signal.aborted) return
        events.onState('RUNNING', null)
        events.onTasks(tasks)
        return
      } catch (error) {
        if (signal.aborted) return
        const isRetriable = classify(error) === 'retriable'
        this.#hasFailed = !isRetriable
        events.onState(isRetriable ? 'RUNNING' : 'FAILED', formatTrace(error))
        if (!isRetriable) {
          logger.error('connector failed', { error })
          return
        }
        const delayMs = backoff.nextMs()
        logger.warn('connector could not make its task configurations and tries again', {
          error,
          delayMs,
        })
        await sleepUnlessAborted(clock, delayMs, signal)
      }
    }
  }

  async #taskConfigs(): Promise<readonly Properties[]> {
    const { registry, providers, clock, logger } = this.#deps
    const resolved = await resolvePlaceholders(providers, this.properties)
    const common = parseOrThrow(commonConnectorConfig, resolved)
    const plugin = await registry.connector(common.connectorClass)
    const tasks = plugin.taskConfigs
      ? await plugin.taskConfigs(resolved, common.tasksMax, { clock, logger })
      : defaultTasks(plugin, resolved, common.tasksMax)
    if (common.tasksMaxEnforce && tasks.length > common.tasksMax) {
      const message = `the connector made ${tasks.length} tasks, but tasks.max is ${common.tasksMax}`
      throw new ConfigurationError(message)
    }
    return tasks.map((task) => withTaskClass(plugin, this.#withPlaceholders(task, resolved)))
  }

  /** What came out of a placeholder goes back into it: no secret is ever written to the config topic (CONNECT-6). */
  #withPlaceholders(task: Properties, resolved: Properties): Properties {
    const stored: Record<string, string> = {}
    for (const key of Object.keys(task)) {
      const value = task[key]
      const original = this.properties[key]
      const isFromPlaceholder =
        typeof original === 'string' && hasPlaceholder(original) && value === resolved[key]
      if (typeof value === 'string') stored[key] = isFromPlaceholder ? original : value
    }
    return stored
  }
}

/** A sink shares its partitions among any number of equal tasks; a source that cannot split itself is one task. */
function defaultTasks(
  plugin: ConnectorPlugin,
  properties: Properties,
  tasksMax: number,
): readonly Properties[] {
  return Array.from({ length: plugin.type === 'sink' ? tasksMax : 1 }, () => properties)
}

function withTaskClass(plugin: ConnectorPlugin, task: Properties): Properties {
  const className = plugin.classNames[0] ?? plugin.name
  return { ...task, 'task.class': task['task.class'] ?? className.replace(/Connector$/, 'Task') }
}
