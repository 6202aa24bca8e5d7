import type { Clock } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import type { TaskState } from '../worker/supervisor'
import { decodeJsonRecord, jsonRecord } from './json-record'
import { KafkaBasedLog, type KafkaBasedLogDeps } from './kafka-based-log'

export type ConnectorState = TaskState | 'STOPPED'

/** The state of a connector or a task as the status topic has it. */
export interface Status {
  readonly state: ConnectorState
  readonly trace: string | null
  /** host:port of the worker that wrote it. */
  readonly workerId: string
  /** Generation of the group in which it was written. */
  readonly generation: number
  readonly version: string | null
}

export interface StatusStoreOptions {
  readonly topic: string
  readonly partitions: number
  readonly replicationFactor: number
}

const CONNECTOR = 'status-connector-'
const TASK = 'status-task-'
const TOPIC = 'status-topic-'

/** Connector and task states on the status topic, in Kafka Connect's format. The last writer wins. */
export class StatusStore {
  readonly #log: KafkaBasedLog
  readonly #logger: Logger
  readonly #clock: Clock
  /** By key of the topic. */
  readonly #statuses = new Map<string, Status>()
  /** Own records that were written and not read back yet, by key: until then what is here is newer than what is read. */
  readonly #unread = new Map<string, number>()
  /** Connector to the topics that it was seen to use. */
  readonly #topics = new Map<string, Set<string>>()

  constructor(deps: KafkaBasedLogDeps, options: StatusStoreOptions) {
    this.#logger = deps.logger
    this.#clock = deps.clock
    this.#log = new KafkaBasedLog(deps, {
      topic: options.topic,
      configKey: 'status.storage.topic',
      partitions: options.partitions,
      requiredPartitions: null,
      replicationFactor: options.replicationFactor,
      onRecord: (record) => {
        const decoded = decodeJsonRecord(record, deps.logger)
        if (decoded !== null) this.#apply(decoded.key, decoded.value)
      },
    })
  }

  start(): Promise<void> {
    return this.#log.start()
  }
  close(): Promise<void> {
    return this.#log.close()
  }

  connector(name: string): Status | undefined {
    return this.#statuses.get(CONNECTOR + name)
  }
  task(name: string, task: number): Status | undefined {
    return this.#statuses.get(`${TASK}${name}-${task}`)
  }
  topics(connector: string): readonly string[] {
    return [...(this.#topics.get(connector) ?? [])]
  }

  /** Visible at once on this worker; null forgets the connector. */
  putConnector(name: string, status: Status | null): void {
    this.#put(CONNECTOR + name, status)
  }
  putTask(name: string, task: number, status: Status | null): void {
    this.#put(`${TASK}${name}-${task}`, status)
  }

  /** Forgets a connector that was deleted, with its tasks and topics. */
  forget(connector: string): void {
    this.#put(CONNECTOR + connector, null)
    for (const key of this.#statuses.keys()) {
      const separator = key.lastIndexOf('-')
      if (key.slice(0, separator) === TASK + connector) this.#put(key, null)
    }
    this.resetTopics(connector)
  }

  /** Notes once that a connector uses a topic. */
  putTopic(connector: string, task: number, topic: string): void {
    if (this.#topics.get(connector)?.has(topic)) return
    this.#addTopic(connector, topic)
    const value = {
      topic: { name: topic, connector, task, discoverTimestamp: this.#clock.now() },
    }
    this.#append(topicKey(topic, connector), value)
  }
  resetTopics(connector: string): void {
    for (const topic of this.topics(connector)) this.#append(topicKey(topic, connector), null)
    this.#topics.delete(connector)
  }

  #put(key: string, status: Status | null): void {
    if (status === null) this.#statuses.delete(key)
    else this.#statuses.set(key, status)
    this.#append(key, status === null ? null : statusValue(status))
  }

  /** The producer keeps the order and repeats what may pass; a status that is lost for good is replaced by the next one. */
  #append(key: string, value: object | null): void {
    this.#unread.set(key, (this.#unread.get(key) ?? 0) + 1)
    this.#log.append([jsonRecord(key, value)]).catch((error: unknown) => {
      this.#isReadBack(key)
      this.#logger.warn('a status could not be written', { key, error })
    })
  }

  /** Counts an own record that was read back; whether none is left. */
  #isReadBack(key: string): boolean {
    const left = (this.#unread.get(key) ?? 1) - 1
    if (left > 0) this.#unread.set(key, left)
    else this.#unread.delete(key)
    return left <= 0
  }

  #apply(key: string, value: unknown): void {
    if (!this.#isReadBack(key)) return
    if (key.startsWith(TOPIC)) this.#applyTopic(key, value)
    else if (key.startsWith(CONNECTOR) || key.startsWith(TASK)) {
      const status = parseStatus(value)
      if (status !== null) this.#statuses.set(key, status)
      else if (value === null) this.#statuses.delete(key)
    }
  }

  #applyTopic(key: string, value: unknown): void {
    const separator = key.indexOf(':connector-') // a topic name cannot hold a colon
    if (separator < 0) return
    const topic = key.slice(TOPIC.length, separator)
    const connector = key.slice(separator + ':connector-'.length)
    if (value === null) this.#topics.get(connector)?.delete(topic)
    else this.#addTopic(connector, topic)
  }

  #addTopic(connector: string, topic: string): void {
    const topics = this.#topics.get(connector)
    if (topics === undefined) this.#topics.set(connector, new Set([topic]))
    else topics.add(topic)
  }
}

function topicKey(topic: string, connector: string): string {
  return `${TOPIC}${topic}:connector-${connector}`
}

function statusValue({ state, trace, workerId, generation, version }: Status): object {
  return { state, trace, worker_id: workerId, generation, version }
}

function parseStatus(value: unknown): Status | null {
  if (typeof value !== 'object' || value === null) return null
  const { state, trace, worker_id, generation, version } = value as Record<string, unknown>
  if (typeof state !== 'string' || typeof worker_id !== 'string') return null
  return {
    state: state as ConnectorState,
    trace: typeof trace === 'string' ? trace : null,
    workerId: worker_id,
    generation: Number(generation ?? 0),
    version: typeof version === 'string' ? version : null,
  }
}
