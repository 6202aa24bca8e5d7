import type { Clock, Random } from '@millrace/base'
import type { Client } from '@millrace/client'
import { formatProblems, type Properties } from '@millrace/config'
import type { Logger } from '@millrace/telemetry'
import { resolvePlaceholders, type ConfigProvider } from '../config/config-providers'
import { validateConnectorConfig, type Validation } from '../config/validate'
import type { WorkerConfig } from '../config/worker-config'
import { classify, connectErrors } from '../errors'
import { aliases } from '../pipeline/build'
import type { CreateClient } from '../worker/attempt-scope'
import { Backoff, logRetry, sleepUnlessAborted } from '../pipeline/retry'
import type { PluginRegistry } from '../plugins/registry'
import type { ConfigChange, TargetState } from './config-state'
import { ConfigStore } from './config-store'
import { ConnectorViews } from './connector-views'
import type {
  ConnectorInfo,
  ConnectorOffsets,
  ConnectorStateInfo,
  Health,
  RestartOptions,
} from './herder'
import { Membership } from './membership'
import { OffsetStore } from './offset-store'
import { Reconciler } from './reconciler'
import { SerialQueue } from './serial-queue'
import { StatusStore } from './status-store'

export interface HerderDeps {
  readonly client: CreateClient
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly registry: PluginRegistry
  readonly providers: ReadonlyMap<string, ConfigProvider>
}

export interface HerderOptions {
  readonly config: WorkerConfig
  /** The worker's properties as given: converters' options and client settings are read from them. */
  readonly properties: Properties
  /** host:port of the REST server as others reach it; asked from `start` on. */
  readonly workerId: () => string
}

/** Longest wait of a REST request, as in Kafka Connect. */
const REQUEST_TIMEOUT_MS = 90_000
const SESSION_KEY_TTL_MS = 3_600_000
const SESSION_KEY_BYTES = 32
const START_BACKOFF = { initialMs: 200, maxMs: 10_000 } as const

/**
 * One worker of a Connect cluster: keeps connectors and their tasks running as the config topic says and the group assigns.
 * Requests run one after the other; what they change takes effect when it was read back from the topic.
 */
export class DistributedHerder {
  readonly views: ConnectorViews
  readonly #deps: HerderDeps
  readonly #options: HerderOptions
  readonly #client: Client
  readonly #config: ConfigStore
  readonly #offsets: OffsetStore
  readonly #statuses: StatusStore
  readonly #membership: Membership
  readonly #reconciler: Reconciler
  readonly #queue = new SerialQueue()
  readonly #aborter = new AbortController()
  #clusterId = ''
  #isStarted = false
  #isReconcileQueued = false

  constructor(deps: HerderDeps, options: HerderOptions) {
    this.#deps = deps
    this.#options = options
    const { config, workerId } = options
    const { clock, random, logger, registry } = deps
    this.#client = deps.client(`connect-${config.groupId}`)
    const logDeps = { client: this.#client, clock, random, logger }
    this.#config = new ConfigStore(logDeps, {
      topic: config.configStorageTopic,
      replicationFactor: config.configStorageReplicationFactor,
      onChange: (change) => this.#onConfigChange(change),
    })
    this.#offsets = new OffsetStore(logDeps, {
      topic: config.offsetStorageTopic,
      partitions: config.offsetStoragePartitions,
      replicationFactor: config.offsetStorageReplicationFactor,
    })
    this.#statuses = new StatusStore(logDeps, {
      topic: config.statusStorageTopic,
      partitions: config.statusStoragePartitions,
      replicationFactor: config.statusStorageReplicationFactor,
    })
    this.#membership = new Membership(
      {
        client: this.#client,
        logger,
        configOffset: () => this.#config.offset,
        items: () => this.#reconciler.items(),
        onJoined: () => this.#onJoined(),
        onLost: () => this.#queue.run(() => this.#reconciler.stopAll()),
      },
      { config, url: () => `http://${workerId()}/` },
    )
    this.#reconciler = new Reconciler(
      {
        ...deps,
        config: this.#config,
        offsets: this.#offsets,
        statuses: this.#statuses,
        membership: this.#membership,
        onTasksComputed: (publish) => void this.#queue.run(publish).catch(this.#onFailure),
      },
      options,
    )
    this.views = new ConnectorViews({
      config: this.#config.state,
      statuses: this.#statuses,
      registry,
      workerId,
    })
  }

  get clusterId(): string {
    return this.#clusterId
  }

  /**
   * Reads the internal topics and joins the group; resolves when this worker has its first assignment. Waits for a
   * cluster that cannot be reached. @throws CONNECT_TOPIC_NOT_COMPACTED, CONNECT_TOPIC_PARTITIONS, CONNECT_STOPPING
   */
  async start(): Promise<void> {
    await this.#untilReachable(async () => {
      this.#clusterId = (await this.#client.admin().describeCluster()).clusterId
    })
    const stores = [this.#config, this.#offsets, this.#statuses]
    await Promise.all(stores.map((store) => this.#untilReachable(() => store.start())))
    await this.#untilReachable(() => this.#membership.start())
    this.#isStarted = true
  }

  /** Stops all tasks, stores their offsets, leaves the group and closes the connections. */
  async close(): Promise<void> {
    this.#aborter.abort()
    await this.#queue.run(() => this.#reconciler.close())
    await this.#membership.leave().catch(this.#onFailure)
    await Promise.all([this.#config.close(), this.#offsets.close(), this.#statuses.close()])
    await this.#client.close()
  }

  health(): Health {
    if (!this.#isStarted) {
      return { status: 'starting', message: 'The worker has not joined the group yet' }
    }
    if (!this.#membership.isJoined) {
      return { status: 'unhealthy', message: 'The worker has lost its place in the group' }
    }
    return { status: 'healthy', message: 'The worker has joined the group and runs its tasks' }
  }

  connectorNames(): readonly string[] {
    return this.#config.state.connectorNames()
  }

  validate(properties: Properties): Promise<Validation> {
    const { registry, providers } = this.#deps
    const { config: overrideRules, properties: workerProperties } = this.#options
    const deps = { registry, providers, workerProperties, overrideRules }
    return validateConnectorConfig(deps, properties)
  }

  /** @throws CONNECT_INVALID_CONFIG, CONNECT_ALREADY_EXISTS */
  async create(
    name: string,
    config: Properties,
    initialState: TargetState | null,
  ): Promise<ConnectorInfo> {
    const properties = await this.#checked(name, config)
    return this.#write(`creating connector ${name}`, async () => {
      if (this.#config.state.connector(name) !== undefined) {
        throw connectErrors.create('CONNECT_ALREADY_EXISTS', { name })
      }
      await this.#config.putConnector(name, properties, initialState)
      return this.views.info(name)
    })
  }

  /** Creates the connector or replaces its configuration. @throws CONNECT_INVALID_CONFIG */
  async putConfig(
    name: string,
    config: Properties,
  ): Promise<{ readonly isNew: boolean; readonly info: ConnectorInfo }> {
    const properties = await this.#checked(name, config)
    return this.#write(`configuring connector ${name}`, async () => {
      const isNew = this.#config.state.connector(name) === undefined
      await this.#config.putConnector(name, properties, null)
      return { isNew, info: this.views.info(name) }
    })
  }

  /** Changes some keys; null removes one. @throws CONNECT_CONNECTOR_NOT_FOUND, CONNECT_INVALID_CONFIG */
  async patchConfig(name: string, patch: Properties): Promise<ConnectorInfo> {
    return this.#write(`configuring connector ${name}`, async () => {
      const merged = Object.entries({ ...this.views.config(name), ...patch })
      const config = Object.fromEntries(merged.filter(([, value]) => typeof value === 'string'))
      await this.#config.putConnector(name, await this.#checked(name, config), null)
      return this.views.info(name)
    })
  }

  /** Its offsets stay. @throws CONNECT_CONNECTOR_NOT_FOUND */
  delete(name: string): Promise<void> {
    return this.#write(`deleting connector ${name}`, async () => {
      this.views.config(name)
      await this.#config.removeConnector(name)
    })
  }

  /** Pauses, resumes or stops. @throws CONNECT_CONNECTOR_NOT_FOUND */
  setTargetState(name: string, state: TargetState): Promise<void> {
    return this.#write(`setting the state of connector ${name}`, async () => {
      this.views.config(name)
      // In Connect's order, so that no worker ever meets a stopped connector that has tasks.
      if (state === 'STOPPED') await this.#config.putTasks(name, [])
      await this.#config.putTargetState(name, state)
    })
  }

  /**
   * Restarts the connector, and with options also tasks: then the answer is the state with what is being restarted.
   * @throws CONNECT_CONNECTOR_NOT_FOUND
   */
  restart(name: string, options: RestartOptions): Promise<ConnectorStateInfo> {
    return this.#write(`restarting connector ${name}`, async () => {
      const before = this.views.state(name)
      if (!options.includeTasks && !options.onlyFailed) {
        this.#reconciler.restartConnector(name)
        return before
      }
      await this.#config.putRestartRequest(name, options)
      const plan = restartPlan(before, options)
      const restarting = <S extends { readonly state: string }>(info: S, isPlanned: boolean): S =>
        isPlanned ? { ...info, state: 'RESTARTING', trace: undefined } : info
      return {
        ...before,
        connector: restarting(before.connector, plan.connector),
        tasks: before.tasks.map((task) => restarting(task, plan.tasks.includes(task.id))),
      }
    })
  }

  /** @throws CONNECT_CONNECTOR_NOT_FOUND, CONNECT_TASK_NOT_FOUND */
  restartTask(name: string, task: number): Promise<void> {
    return this.#write(`restarting task ${name}-${task}`, async () => {
      this.views.taskState(name, task)
      await this.#reconciler.restartTasks(name, [task])
    })
  }

  /** @throws CONNECT_CONNECTOR_NOT_FOUND */
  async offsets(name: string): Promise<ConnectorOffsets> {
    const { type, config } = this.views.info(name)
    if (type !== 'sink') return { offsets: await this.#offsets.list(name) }
    const { providers } = this.#deps
    const resolved = await resolvePlaceholders(providers, config)
    const groupId = resolved['consumer.override.group.id'] ?? `connect-${name}`
    const committed = await this.#client.admin().committedOffsets(groupId)
    return {
      offsets: committed.map(({ topic, partition, offset }) => ({
        partition: { kafka_topic: topic, kafka_partition: partition },
        offset: { kafka_offset: offset },
      })),
    }
  }

  /** Topics that the connector was seen to use; none of a connector that does not exist, as in Kafka Connect. */
  activeTopics(name: string): readonly string[] {
    return this.#statuses.topics(name)
  }

  resetActiveTopics(name: string): void {
    this.#statuses.resetTopics(name)
  }

  /** The configuration with its name in it. @throws CONNECT_BAD_REQUEST, CONNECT_INVALID_CONFIG with every problem */
  async #checked(name: string, config: Properties): Promise<Properties> {
    if (typeof config.name === 'string' && config.name !== name) {
      const reason = `name=${config.name} in the configuration is not the connector's name, ${name}`
      throw connectErrors.create('CONNECT_BAD_REQUEST', { reason })
    }
    const properties = { ...config, name }
    const { problems, unknown } = await this.validate(properties)
    if (problems.length > 0) {
      throw connectErrors.create('CONNECT_INVALID_CONFIG', {
        count: problems.length,
        problems: formatProblems(problems),
      })
    }
    if (unknown.length > 0) {
      this.#deps.logger.warn('configuration keys that nobody knows', {
        connector: name,
        keys: aliases(unknown.join(',')).join(' '),
      })
    }
    return properties
  }

  /** Runs a request that changes something, when it is its turn and if this worker may. */
  async #write<T>(stage: string, action: () => Promise<T>): Promise<T> {
    const timer = new AbortController()
    const timeout = sleepUnlessAborted(this.#deps.clock, REQUEST_TIMEOUT_MS, timer.signal)
    let hasTimedOut = false
    const request = this.#queue.request(async () => {
      if (hasTimedOut)
        throw connectErrors.create('CONNECT_TIMED_OUT', { ms: REQUEST_TIMEOUT_MS, stage })
      this.#checkWritable()
      return action()
    })
    const expired = timeout.then((isOver) => {
      if (!isOver) return new Promise<never>(() => undefined)
      hasTimedOut = true
      throw connectErrors.create('CONNECT_TIMED_OUT', { ms: REQUEST_TIMEOUT_MS, stage })
    })
    try {
      return await Promise.race([request, expired])
    } finally {
      timer.abort()
    }
  }

  #checkWritable(): void {
    const group = this.#options.config.groupId
    if (this.#aborter.signal.aborted) throw connectErrors.create('CONNECT_STOPPING')
    if (!this.#membership.isJoined) throw connectErrors.create('CONNECT_REBALANCING', { group })
    if (!this.#membership.isLeader) {
      const leader = this.#membership.leaderUrl
      throw connectErrors.create('CONNECT_NOT_LEADER', { group, leader })
    }
  }

  #onConfigChange(change: ConfigChange): void {
    if (change.kind === 'restart-request') {
      const { name } = change
      void this.#queue
        .run(async () => {
          if (this.#config.state.connector(name) === undefined) return
          const plan = restartPlan(this.views.state(name), change)
          if (plan.connector) this.#reconciler.restartConnector(name)
          await this.#reconciler.restartTasks(name, plan.tasks)
        })
        .catch(this.#onFailure)
      return
    }
    this.#queueReconcile()
  }

  async #onJoined(): Promise<void> {
    // Another leader may have written what this worker is to run.
    await this.#config.readToEnd()
    if (this.#membership.isLeader) await this.#renewSessionKey()
    await this.#queue.run(() => this.#reconciler.reconcile())
  }

  /** Workers of the group sign what they send each other with it. */
  async #renewSessionKey(): Promise<void> {
    const { clock, random } = this.#deps
    const { sessionKey } = this.#config.state
    if (sessionKey !== null && clock.now() - sessionKey.createdMs < SESSION_KEY_TTL_MS) return
    await this.#config.putSessionKey(random.bytes(SESSION_KEY_BYTES), clock.now())
  }

  /** Many changes that come together are applied together. */
  #queueReconcile(): void {
    if (this.#isReconcileQueued) return
    this.#isReconcileQueued = true
    void this.#queue
      .run(() => {
        this.#isReconcileQueued = false
        return this.#reconciler.reconcile()
      })
      .catch(this.#onFailure)
  }

  readonly #onFailure = (error: unknown): void => {
    this.#deps.logger.error('an internal step of the worker failed', { error })
  }

  async #untilReachable(action: () => Promise<void>): Promise<void> {
    const backoff = new Backoff(this.#deps, START_BACKOFF)
    for (;;) {
      try {
        return await action()
      } catch (error) {
        if (classify(error) !== 'retriable') throw error
        const { signal } = this.#aborter
        const delayMs = logRetry(
          this.#deps.logger,
          backoff,
          'the Kafka cluster cannot be reached',
          {
            error,
          },
        )
        if (!(await sleepUnlessAborted(this.#deps.clock, delayMs, signal))) {
          throw connectErrors.create('CONNECT_STOPPING', {}, { cause: error })
        }
      }
    }
  }
}

interface RestartPlan {
  readonly connector: boolean
  readonly tasks: readonly number[]
}

/** What a restart request means for a connector in this state. */
export function restartPlan(info: ConnectorStateInfo, options: RestartOptions): RestartPlan {
  const isPlanned = (state: string) => !options.onlyFailed || state === 'FAILED'
  return {
    connector: isPlanned(info.connector.state),
    tasks: options.includeTasks
      ? info.tasks.filter((task) => isPlanned(task.state)).map((task) => task.id)
      : [],
  }
}
