import { isDeepStrictEqual } from 'node:util'
import {
  nodeDisk,
  systemClock,
  systemRandom,
  type Clock,
  type Disk,
  type Random,
} from '@millrace/base'
import { Controller, recordKinds, type MetadataImage } from '@millrace/controller'
import {
  GroupCoordinator,
  OFFSETS_TOPIC,
  TRANSACTIONS_TOPIC,
  type TxnCoordinator,
} from '@millrace/coordinator'
import type { LogConfig, LogManager } from '@millrace/log'
import { Quotas } from '@millrace/quota'
import {
  FetchSessions,
  ReplicaManager,
  type LeadershipListener,
  type ReplicatedTopic,
} from '@millrace/replication'
import { AclAuthorizer, allowAll, parseSuperUsers, type Authorizer } from '@millrace/security'
import type { Logger } from '@millrace/telemetry'
import { ClientTelemetry } from './client-telemetry'
import { Closers } from './closers'
import type { BrokerConfig } from './config'
import { DynamicConfig } from './configs/dynamic-config'
import { openGroups } from './groups/open-groups'
import { endpointsOf, resolvableMachineName } from './listeners'
import type { ListenerAddress } from './network/bound-listener'
import type { BrokerLifecycle } from './network/listener'
import { openController } from './open-controller'
import { openLogs } from './open-logs'
import { ProducerIdBlock } from './producer-id-block'
import type { BrokerServices, Endpoint } from './services'
import { followQuotas } from './quota-records'
import { TopicCreation } from './topic-creation'
import { openTransactions } from './transactions/open-transactions'

export interface EngineDeps {
  readonly logger: Logger
  /** Called when the last log directory has failed. */
  readonly onFatal?: (cause: unknown) => void
  readonly clock?: Clock
  readonly disk?: Disk
  readonly random?: Random
}

/** Everything of a broker but its sockets: opened as a whole, closed in the opposite order. */
export class BrokerEngine implements BrokerLifecycle {
  readonly services: BrokerServices
  readonly #logger: Logger
  readonly #config: BrokerConfig
  readonly #closers: Closers
  #endpoints: ReadonlyMap<string, Endpoint> = new Map()
  #machineName = ''

  private constructor(parts: Omit<BrokerServices, 'endpointOf'>, closers: Closers) {
    this.#logger = parts.logger
    this.#config = parts.config
    this.#closers = closers
    const { dynamicConfig } = parts
    this.services = {
      ...parts,
      get config() {
        return dynamicConfig.current
      },
      endpointOf: (brokerId, listenerName) => this.#endpointOf(brokerId, listenerName),
    }
  }

  /**
   * Locks the directories, reads the metadata, recovers the logs.
   * @throws BASE_DIRECTORY_LOCKED, BASE_DIRECTORY_UNWRITABLE, LOG_*, COORDINATION_*; nothing stays open then
   */
  static async open(deps: EngineDeps, config: BrokerConfig): Promise<BrokerEngine> {
    const closers = new Closers(deps.logger)
    try {
      return new BrokerEngine(await openParts(deps, config, closers), closers)
    } catch (error) {
      await closers.closeAll()
      throw error
    }
  }

  /** Registers this broker under its real port, and takes over the partitions it leads. */
  async onBound(addresses: readonly ListenerAddress[]): Promise<void> {
    const { controller, replicas, groups, transactions, logs, nodeId, dynamicConfig } =
      this.services
    this.#machineName = await resolvableMachineName()
    this.onRebound(addresses)
    const [endpoint] = this.#endpoints.values()
    await controller.registerBroker({ id: nodeId, ...endpoint, rack: this.#config.values.rack })
    controller.onChange((image, changedTopics) => {
      if (changedTopics.length > 0) this.#apply(image, changedTopics)
    })
    logs.updateConfig(dynamicConfig.current.values)
    dynamicConfig.onChange((config, before) => {
      logs.updateConfig(config.values)
      // Topics take what they do not set themselves from here.
      if (isDeepStrictEqual(config.logDefaults, before.logDefaults)) return
      const now = controller.metadata()
      this.#apply(now, now.topics.keys())
    })
    const image = controller.metadata()
    groups.start(image.topics.get(OFFSETS_TOPIC)?.partitions.length)
    transactions.start(image.topics.get(TRANSACTIONS_TOPIC)?.partitions.length)
    await replicas.deleteStrays(image)
    await replicas.applyMetadata(image, image.topics.keys(), { isStart: true })
  }

  onRebound(addresses: readonly ListenerAddress[]): void {
    const { listeners } = this.services.config
    this.#endpoints = endpointsOf(listeners, addresses, this.#machineName)
  }

  onDraining(): void {
    this.services.replicas.releaseFetches()
    this.services.transactions.stop()
    this.services.groups.stop()
  }

  /** Flushes, writes the checkpoints and the mark of a clean shutdown, gives the directories free. */
  close(): Promise<void> {
    return this.#closers.closeAll()
  }

  #apply(image: MetadataImage, changedTopics: Iterable<string>): void {
    this.services.replicas.applyMetadata(image, changedTopics).catch((error: unknown) => {
      this.#logger.error('metadata change not in force', { error })
    })
  }

  #endpointOf(brokerId: number, listenerName: string): Endpoint | null {
    if (brokerId === this.services.nodeId) return this.#endpoints.get(listenerName) ?? null
    const broker = this.services.metadata().brokers.find(({ id }) => id === brokerId)
    return broker ? { host: broker.host, port: broker.port } : null
  }
}

async function openParts(
  deps: EngineDeps,
  config: BrokerConfig,
  closers: Closers,
): Promise<Omit<BrokerServices, 'endpointOf'>> {
  const { logger, clock = systemClock, disk = nodeDisk, random = systemRandom } = deps
  const { values } = config
  const of = (part: string): Logger => logger.named(`millrace.${part}`)
  const controller = await openController(
    { clock, disk, random, logger: of('controller'), closers },
    config,
  )
  const dynamicConfig = new DynamicConfig({ controller, logger }, config)
  const { logManager, logConfigOf } = await openLogs({
    controller,
    dynamicConfig,
    clock,
    disk,
    random,
    logger: of('log'),
    onAllFailed: deps.onFatal,
    closers,
  })
  const replicas = openReplicas(
    { logManager, logConfigOf, controller, clock, logger: of('replication'), closers },
    { nodeId: values.nodeId, coordinators: () => ({ groups, transactions: parts.transactions }) },
  )
  const groups = openGroups({
    replicas,
    controller,
    dynamicConfig,
    clock,
    random,
    logger: of('groups'),
  })
  closers.add('group coordinator', () => groups.stop())
  const producerIds = new ProducerIdBlock({ controller })
  const parts = openTransactions(
    { replicas, groups, controller, producerIds, clock, logger: of('transactions') },
    { values, isVerifying: () => dynamicConfig.current.values.partitionVerificationEnable },
  )
  closers.add('transaction coordinator', () => parts.transactions.stop())
  return {
    nodeId: values.nodeId,
    config,
    dynamicConfig,
    clock,
    logger,
    controller,
    logs: logManager,
    replicas,
    fetchSessions: new FetchSessions(
      { clock, random },
      { maxSessions: values.maxIncrementalFetchSessionCacheSlots },
    ),
    groups,
    topics: new TopicCreation({ controller, replicas, logger }, { config }),
    ...parts,
    clientTelemetry: new ClientTelemetry({ clock, random, metadata: () => controller.metadata() }),
    producerIds,
    authorizer: openAuthorizer({ controller, logger: of('authorizer') }, config),
    quotas: openQuotas({ controller, logger, closers }, config),
    metadata: () => controller.metadata(),
  }
}

function openReplicas(
  deps: {
    logManager: LogManager
    logConfigOf: (topic: ReplicatedTopic) => LogConfig
    controller: Controller
    clock: Clock
    logger: Logger
    closers: Closers
  },
  options: { nodeId: number; coordinators: () => Omit<Coordinators, 'replicas'> },
): ReplicaManager {
  const { controller, closers, ...rest } = deps
  const coordinators = (): Coordinators => ({ replicas, ...options.coordinators() })
  const leadership = leadershipOf(coordinators, rest.logger)
  const replicas = new ReplicaManager({ ...rest, leadership }, { nodeId: options.nodeId })
  closers.add('replicas', () => {
    controller.close() // no more changes: those that came are carried out before the logs are closed
    return replicas.whenAllApplied()
  })
  return replicas
}

function openQuotas(
  deps: { controller: Controller; logger: Logger; closers: Closers },
  { values }: BrokerConfig,
): Quotas {
  const quotas = new Quotas(values)
  deps.closers.add('quotas', followQuotas(deps, quotas))
  return quotas
}

/** Without `authorizer.class.name` everybody may do everything, as in Kafka. */
function openAuthorizer(
  { controller, logger }: { controller: Controller; logger: Logger },
  { values }: BrokerConfig,
): Authorizer {
  if (values.authorizerClassName === '') return allowAll
  const authorizer = new AclAuthorizer(
    { logger },
    {
      superUsers: parseSuperUsers(values.superUsers),
      allowsWithoutAcl: values.allowEveryoneIfNoAclFound,
    },
  )
  controller.followRecords(recordKinds.acls, (key, acl) => authorizer.change(key, acl))
  return authorizer
}

interface Coordinators {
  readonly replicas: ReplicaManager
  readonly groups: GroupCoordinator
  readonly transactions: TxnCoordinator
}

/** Leading a partition of a coordinator's topic is being the coordinator of what it holds. */
function leadershipOf(coordinators: () => Coordinators, logger: Logger): LeadershipListener {
  const elected = (topic: string, partition: number): Promise<void> | null => {
    const { replicas, groups, transactions } = coordinators()
    if (topic === OFFSETS_TOPIC) return groups.onPartitionElected(partition)
    if (topic !== TRANSACTIONS_TOPIC) return null
    const { leaderEpoch } = replicas.partition(topic, partition)!
    return transactions.onPartitionElected(partition, leaderEpoch)
  }
  return {
    onElected(topic, partition) {
      elected(topic, partition)?.catch((error: unknown) =>
        logger.error('coordinator not loaded', { topic, partition, error }),
      )
    },
    onResigned(topic, partition) {
      const { groups, transactions } = coordinators()
      if (topic === OFFSETS_TOPIC) groups.onPartitionResigned(partition)
      if (topic === TRANSACTIONS_TOPIC) transactions.onPartitionResigned(partition)
    },
  }
}
