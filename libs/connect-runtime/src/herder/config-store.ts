import type { Properties } from '@millrace/config'
import { ConfigState, configKeys, type ConfigChange, type TargetState } from './config-state'
import { decodeJsonRecord, jsonRecord } from './json-record'
import { KafkaBasedLog, type KafkaBasedLogDeps } from './kafka-based-log'

export interface ConfigStoreOptions {
  readonly topic: string
  readonly replicationFactor: number
  /** Called for every change after the start; must not throw. */
  readonly onChange: (change: ConfigChange) => void
}

/**
 * Connector and task configurations on the config topic, in Kafka Connect's format. Every write resolves after it was
 * read back, so `state` has it. Only the leader of the group may write.
 */
export class ConfigStore {
  readonly state = new ConfigState()
  readonly #log: KafkaBasedLog
  #isStarted = false

  constructor(deps: KafkaBasedLogDeps, options: ConfigStoreOptions) {
    this.#log = new KafkaBasedLog(deps, {
      topic: options.topic,
      configKey: 'config.storage.topic',
      partitions: 1,
      requiredPartitions: 1,
      replicationFactor: options.replicationFactor,
      onRecord: (record) => {
        const decoded = decodeJsonRecord(record, deps.logger)
        const change = decoded && this.state.apply(decoded.key, decoded.value)
        if (change && this.#isStarted) options.onChange(change)
      },
    })
  }

  /** Offset after the last record read: what the group protocol compares. */
  get offset(): number {
    return this.#log.position
  }

  async start(): Promise<void> {
    await this.#log.start()
    this.#isStarted = true
  }
  close(): Promise<void> {
    return this.#log.close()
  }
  readToEnd(): Promise<void> {
    return this.#log.readToEnd()
  }

  putConnector(
    name: string,
    properties: Properties,
    targetState: TargetState | null,
  ): Promise<void> {
    const records = [jsonRecord(configKeys.connector(name), { properties })]
    // The state comes first, so that nobody starts a connector that is created paused.
    if (targetState !== null) records.unshift(targetStateRecord(name, targetState))
    return this.#write(records)
  }
  removeConnector(name: string): Promise<void> {
    return this.#write([
      jsonRecord(configKeys.connector(name), null),
      jsonRecord(configKeys.targetState(name), null),
    ])
  }
  putTargetState(name: string, state: TargetState): Promise<void> {
    return this.#write([targetStateRecord(name, state)])
  }
  /** All tasks of a connector at once; they take effect with the commit record that comes last. */
  putTasks(name: string, tasks: readonly Properties[]): Promise<void> {
    return this.#write([
      ...tasks.map((properties, task) => jsonRecord(configKeys.task(name, task), { properties })),
      jsonRecord(configKeys.commit(name), { tasks: tasks.length }),
    ])
  }
  putRestartRequest(
    name: string,
    options: { readonly includeTasks: boolean; readonly onlyFailed: boolean },
  ): Promise<void> {
    const value = { 'include-tasks': options.includeTasks, 'only-failed': options.onlyFailed }
    return this.#write([jsonRecord(configKeys.restart(name), value)])
  }
  putSessionKey(key: Buffer, createdMs: number): Promise<void> {
    const value = {
      key: key.toString('base64'),
      algorithm: 'HmacSHA256',
      'creation-timestamp': createdMs,
    }
    return this.#write([jsonRecord(configKeys.sessionKey, value)])
  }

  async #write(records: readonly ReturnType<typeof jsonRecord>[]): Promise<void> {
    await this.#log.append(records)
    await this.#log.readToEnd()
  }
}

/** STOPPED is PAUSED to workers that are older than it. */
function targetStateRecord(name: string, state: TargetState) {
  const value = { state: state === 'STOPPED' ? 'PAUSED' : state, 'state.v2': state }
  return jsonRecord(configKeys.targetState(name), value)
}
