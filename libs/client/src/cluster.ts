import { errorCode, errorMessage } from '@millrace/base'
import {
  ErrorCode,
  FindCoordinatorRequest,
  FindCoordinatorResponse,
  type Infer,
  MetadataRequest,
  MetadataResponse,
  protocolError,
} from '@millrace/wire'
import { BrokerConnection } from './connection'
import { clientErrors } from './errors'
import {
  type Broker,
  type ClientDeps,
  type ClientOptions,
  DEFAULT_REQUEST_TIMEOUT_MS,
  type TopicMetadata,
} from './options'
import { refusal } from './refusal'

/** A long poll or a join holds back what comes behind it, so each kind of traffic has sockets of its own. */
export type Purpose = 'main' | 'fetch' | 'group'

/** What the next broker would say as well, and what does not pass by itself. */
const FINAL = new Set(['CLIENT_LOGIN_FAILED', 'CLIENT_BROKER_NOT_TRUSTED'])

const GROUP_KEY_TYPE = 0
/** Version 4 asks for several coordinators in one request; one at a time is all that is needed. */
const FIND_COORDINATOR_MAX_VERSION = 3

/** What is known of the cluster, and the connections to it. One per client. */
export class Cluster {
  readonly #deps: ClientDeps
  readonly #options: ClientOptions
  readonly #connections = new Map<string, Promise<BrokerConnection>>()
  readonly #live = new Map<string, BrokerConnection>()
  readonly #coordinators = new Map<string, number>()
  #brokers: ReadonlyMap<number, Broker> = new Map()
  #controllerId = -1
  #topics = new Map<string, TopicMetadata>()
  /** Refreshes of single topics that are under way: many partitions asking at once are one request. */
  readonly #lookups = new Map<string, Promise<unknown>>()
  #isClosed = false

  constructor(deps: ClientDeps, options: ClientOptions) {
    this.#deps = deps
    this.#options = options
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** The known topic, without asking. */
  cachedTopic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name)
  }

  /** Any live connection, else one to the first bootstrap server that answers. @throws PlatformError CLIENT_NO_BROKER */
  async anyConnection(): Promise<BrokerConnection> {
    for (const brokerId of this.#brokers.keys()) {
      try {
        return await this.connection(brokerId, 'main')
      } catch {
        // The next one may answer; the bootstrap servers are the last resort.
      }
    }
    return this.#cached('bootstrap', () => this.#connectBootstrap())
  }

  /** The connection to a broker for one kind of traffic. @throws PlatformError CLIENT_* */
  async connection(brokerId: number, purpose: Purpose): Promise<BrokerConnection> {
    if (!this.#brokers.has(brokerId)) await this.#refresh([])
    const broker = this.#brokers.get(brokerId)
    if (broker === undefined)
      throw protocolError(
        ErrorCode.LEADER_NOT_AVAILABLE,
        `broker ${brokerId} is not in the cluster now`,
      )
    return this.#cached(keyOf(broker, purpose), () => this.#connect(broker.host, broker.port))
  }

  /** The connection if it is open at this moment: for callers whose requests must leave in order. */
  live(brokerId: number, purpose: Purpose): BrokerConnection | undefined {
    const broker = this.#brokers.get(brokerId)
    const connection = broker && this.#live.get(keyOf(broker, purpose))
    return connection?.isClosed ? undefined : connection
  }

  /** A connection to the controller, or to any broker while none is known: brokers forward. */
  async controller(): Promise<BrokerConnection> {
    await this.#refresh([])
    return this.#controllerId < 0
      ? this.anyConnection()
      : this.connection(this.#controllerId, 'main')
  }

  /** Asks the cluster now; null means all topics. Topics that do not exist are absent from the answer. */
  async topics(
    names: readonly string[] | null,
    options: { readonly allowAutoCreation?: boolean } = {},
  ): Promise<ReadonlyMap<string, TopicMetadata>> {
    const reply = await this.#refresh(names, options.allowAutoCreation)
    const found = new Map<string, TopicMetadata>()
    for (const { name, errorCode } of reply.topics) {
      const topic = name === null ? undefined : this.#topics.get(name)
      if (errorCode === ErrorCode.NONE && topic) found.set(topic.name, topic)
      else if (!isUnknownTopic(errorCode)) throw refusal(errorCode, `topic ${name}`)
    }
    return found
  }

  /**
   * The broker that leads a partition.
   * @throws ProtocolError UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE; PlatformError CLIENT_*
   */
  async leaderOf(topic: string, partition: number): Promise<number> {
    const known = this.#topics.get(topic) ?? (await this.lookUp(topic))
    const leader = known?.partitions[partition]?.leader
    if (leader === undefined)
      throw protocolError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `there is no ${topic}-${partition}`)
    if (leader >= 0) return leader
    this.#topics.delete(topic)
    throw protocolError(ErrorCode.LEADER_NOT_AVAILABLE, `${topic}-${partition} has no leader now`)
  }

  /** One topic, asked for once however many ask at the same time. */
  async lookUp(topic: string, allowAutoCreation = false): Promise<TopicMetadata | undefined> {
    let lookup = this.#lookups.get(topic)
    if (lookup === undefined) {
      lookup = this.topics([topic], { allowAutoCreation }).finally(() =>
        this.#lookups.delete(topic),
      )
      this.#lookups.set(topic, lookup)
    }
    await lookup
    return this.#topics.get(topic)
  }

  /** Forgets who leads these topics, or all: the next question asks the cluster. */
  invalidate(topics: Iterable<string> = this.#topics.keys()): void {
    for (const topic of topics) this.#topics.delete(topic)
  }

  /** The broker that coordinates a group. @throws ProtocolError COORDINATOR_NOT_AVAILABLE and the like */
  async coordinator(groupId: string): Promise<number> {
    const known = this.#coordinators.get(groupId)
    if (known !== undefined) return known
    const connection = await this.anyConnection()
    const request = { key: groupId, keyType: GROUP_KEY_TYPE }
    const reply = await connection.send(FindCoordinatorRequest, FindCoordinatorResponse, request, {
      maxVersion: FIND_COORDINATOR_MAX_VERSION,
    })
    if (reply.errorCode !== ErrorCode.NONE) throw refusal(reply.errorCode, `group ${groupId}`)
    if (!this.#brokers.has(reply.nodeId)) await this.#refresh([])
    this.#coordinators.set(groupId, reply.nodeId)
    return reply.nodeId
  }

  forgetCoordinator(groupId: string): void {
    this.#coordinators.delete(groupId)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const open = await Promise.allSettled(this.#connections.values())
    for (const connection of open) if (connection.status === 'fulfilled') connection.value.close()
    this.#connections.clear()
    this.#live.clear()
  }

  async #refresh(
    names: readonly string[] | null,
    allowAutoTopicCreation = false,
  ): Promise<Infer<typeof MetadataResponse>> {
    const connection = await this.anyConnection()
    const topics = names?.map((name) => ({ name })) ?? null
    const reply = await connection.send(MetadataRequest, MetadataResponse, {
      topics,
      allowAutoTopicCreation,
    })
    this.#brokers = new Map(
      reply.brokers.map(({ nodeId, host, port, rack }) => [
        nodeId,
        { id: nodeId, host, port, rack },
      ]),
    )
    this.#controllerId = reply.controllerId
    for (const name of names ?? this.#topics.keys()) this.#topics.delete(name)
    for (const topic of reply.topics) {
      if (topic.errorCode === ErrorCode.NONE && topic.name !== null)
        this.#topics.set(topic.name, topicOf(topic.name, topic))
    }
    return reply
  }

  /** One connection per key; a failed or closed one is forgotten, so that the next call opens another. */
  async #cached(key: string, open: () => Promise<BrokerConnection>): Promise<BrokerConnection> {
    if (this.#isClosed) throw clientErrors.create('CLIENT_CLOSED')
    const existing = this.#connections.get(key)
    if (existing !== undefined) {
      const connection = await existing
      if (!connection.isClosed) return connection
      if (this.#connections.get(key) === existing) this.#connections.delete(key)
      return this.#cached(key, open)
    }
    const opening = open()
    this.#connections.set(key, opening)
    try {
      const connection = await opening
      if (this.#isClosed) connection.close()
      this.#live.set(key, connection)
      return connection
    } catch (error) {
      if (this.#connections.get(key) === opening) this.#connections.delete(key)
      throw error
    }
  }

  #connect(host: string, port: number): Promise<BrokerConnection> {
    const { tls, sasl } = this.#options.security ?? { tls: null, sasl: null }
    return BrokerConnection.open(this.#deps, {
      address: { host, port, ...(tls && { tls }) },
      sasl,
      clientId: this.#options.clientId,
      timeoutMs: this.#options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS,
    })
  }

  async #connectBootstrap(): Promise<BrokerConnection> {
    const { bootstrapServers } = this.#options
    let lastError: unknown = new Error('the list is empty')
    for (const server of bootstrapServers) {
      const colon = server.lastIndexOf(':')
      try {
        return await this.#connect(server.slice(0, colon), Number(server.slice(colon + 1)))
      } catch (error) {
        if (FINAL.has(errorCode(error) ?? '')) throw error
        lastError = error
      }
    }
    const servers = bootstrapServers.join(', ')
    throw clientErrors.create(
      'CLIENT_NO_BROKER',
      { servers, reason: errorMessage(lastError) },
      { cause: lastError },
    )
  }
}

/** Holds the address, so that a broker that moved gets a new connection. */
function keyOf({ id, host, port }: Broker, purpose: Purpose): string {
  return `${id}/${purpose}/${host}:${port}`
}

type TopicReply = Infer<typeof MetadataResponse>['topics'][number]

function topicOf(name: string, { topicId, isInternal, partitions }: TopicReply): TopicMetadata {
  const sorted = partitions
    .map(({ partitionIndex, leaderId, leaderEpoch, replicaNodes, isrNodes }) => ({
      index: partitionIndex,
      leader: leaderId,
      leaderEpoch,
      replicas: replicaNodes,
      isr: isrNodes,
    }))
    .sort((a, b) => a.index - b.index)
  return { name, id: topicId, isInternal, partitions: sorted }
}

/** A topic that is just being created has no leader yet: as good as absent, and the caller asks again. */
function isUnknownTopic(errorCode: number): boolean {
  return (
    errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION ||
    errorCode === ErrorCode.LEADER_NOT_AVAILABLE
  )
}
