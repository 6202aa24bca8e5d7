import { invariant, newUuid, type Random } from '@millrace/base'
import type {
  KeyValue,
  Store,
  Transaction,
  TransactionResult,
  Watch,
  WatchEvent,
} from '@millrace/coordination'
import type { Logger } from '@millrace/telemetry'
import type { PartitionAssignment } from './assignment'
import { type RecordKind, recordOperation, type RecordsOf } from './cluster-records'
import { controllerErrors } from './errors'
import { electLeader, leads } from './leaders'
import {
  applyEvents,
  EMPTY_STATE,
  imageOf,
  type BrokerImage,
  type ImageState,
  type MetadataImage,
  readRecord,
  type TopicImage,
  topicImage,
} from './metadata-image'
import { allocateProducerIds, type ProducerIdBlock } from './producer-ids'
import { RecordFollowers, type RecordListener } from './record-followers'
import { keys, METADATA_FORMAT, type TopicRecord } from './records'
import {
  type NewTopic,
  planMorePartitions,
  planTopic,
  type TopicDefaults,
  validateConfigs,
} from './topics'
import { collisionKey } from './topic-name'

/** How often a change is tried again after another one came in between. */
const ATTEMPTS_MAX = 20
/** etcd takes 128 operations in one transaction. */
const TOPICS_PER_ELECTION = 100

export interface ControllerOptions extends TopicDefaults {
  /** This broker. */
  readonly nodeId: number
  /** Used at the first start only; a new id if absent. */
  readonly clusterId?: string
}

export type MetadataListener = (image: MetadataImage, changedTopics: readonly string[]) => void
/** As text, by key. */
export type Configs = Readonly<Record<string, string>>
export type TopicReference = { readonly name: string } | { readonly id: string }

/**
 * The only writer of topics, ids, configs, brokers and producer ids. A change is decided on the current image, committed
 * by compare-and-set, and visible when the watch brings it back: the same way whether this or another broker made it.
 */
export class Controller {
  readonly #store: Store
  readonly #random: Random
  readonly #logger: Logger
  readonly #options: ControllerOptions
  readonly #listeners = new Set<MetadataListener>()
  readonly #followers = new RecordFollowers()
  readonly #waiting = new Set<{
    revision: number
    resolve: () => void
    reject: (e: Error) => void
  }>()
  #state: ImageState = EMPTY_STATE
  #image: MetadataImage
  #watch: Watch | null = null
  #isClosed = false
  #brokerEpoch = -1

  private constructor(
    deps: { store: Store; random: Random; logger: Logger },
    options: ControllerOptions,
  ) {
    this.#store = deps.store
    this.#random = deps.random
    this.#logger = deps.logger
    this.#options = options
    this.#image = imageOf(this.#state, options.nodeId)
  }

  /**
   * Reads the metadata, makes the cluster id at the first start, and follows changes from then on.
   * @throws PlatformError CONTROLLER_BAD_METADATA
   */
  static async open(
    deps: { store: Store; random: Random; logger: Logger },
    options: ControllerOptions,
  ): Promise<Controller> {
    const controller = new Controller(deps, options)
    await controller.#bootstrap()
    await controller.#load()
    return controller
  }

  /** The current image: cheap, and never changed afterwards. */
  metadata(): MetadataImage {
    return this.#image
  }

  /** Of this node's registration: larger with each one. -1 before. */
  get brokerEpoch(): number {
    return this.#brokerEpoch
  }

  /** Calls `listener` after each change, in order. Returns what ends it. */
  onChange(listener: MetadataListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Calls `listener` for each record of the kind, now and when it changes, before the change is answered. */
  followRecords<T>(kind: RecordKind<T>, listener: RecordListener<T>): void {
    this.#followers.add(kind, listener, this.#state.records)
  }

  /**
   * Makes this broker known, and takes leadership of its partitions anew: their leader epoch grows with each start, so
   * that a client can tell what the log held before a crash from what was written after it (META-6).
   */
  async registerBroker(broker: BrokerImage): Promise<void> {
    const { id, ...record } = broker
    const value = JSON.stringify(record)
    const put = { type: 'put', key: keys.broker(id), value } as const
    const { revision } = await this.#transact({ success: [put] })
    if (id === this.#options.nodeId) this.#brokerEpoch = revision
    const led = [...this.#image.topics.values()].filter((topic) => leads(id, topic))
    for (let first = 0; first < led.length; first += TOPICS_PER_ELECTION) {
      const names = led.slice(first, first + TOPICS_PER_ELECTION).map((topic) => topic.name)
      await this.#electAgain(id, names)
    }
  }

  /**
   * Creates a topic, durable and part of `metadata()` when it resolves. With `validateOnly`, what would be created.
   * @throws PlatformError CONTROLLER_*: see error-codes.ts
   */
  async createTopic(topic: NewTopic): Promise<TopicImage> {
    const { name } = topic
    const value = JSON.stringify(name)
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const record = planTopic(topic, this.#image, {
        id: newUuid(this.#random),
        startIndex: this.#startIndex(),
        defaults: this.#options,
      })
      if (topic.validateOnly) return topicImage(name, record)
      const key = keys.topic(name)
      const nameKey = keys.topicName(collisionKey(name))
      const created = await this.#commit({
        compare: [{ key: nameKey, target: 'version', equals: 0 }],
        success: [
          { type: 'put', key, value: JSON.stringify(record) },
          { type: 'put', key: nameKey, value },
        ],
      })
      if (created) {
        this.#logger.info('created topic', { topic: name, partitions: record.partitions.length })
        return topicImage(name, record)
      }
    }
    throw contention(`creating topic ${name}`)
  }

  /** @throws PlatformError CONTROLLER_UNKNOWN_TOPIC, CONTROLLER_UNKNOWN_TOPIC_ID, CONTROLLER_INVALID_PARTITIONS, CONTROLLER_INVALID_ASSIGNMENT */
  async createPartitions(request: {
    name: string
    /** The total afterwards. */
    count: number
    assignments: readonly PartitionAssignment[] | null
    validateOnly?: boolean
  }): Promise<void> {
    const { name, count, assignments } = request
    const startIndex = this.#startIndex()
    const plan = (record: TopicRecord): TopicRecord => {
      const context = { image: this.#image, startIndex }
      const added = planMorePartitions(topicImage(name, record), count, assignments, context)
      return { ...record, partitions: [...record.partitions, ...added] }
    }
    await this.#change(`adding partitions to ${name}`, { name }, plan, request.validateOnly)
  }

  /**
   * Gives a topic the configs that `plan` makes of those it has; planned again on top of a change that came in between.
   * @throws PlatformError CONTROLLER_UNKNOWN_TOPIC, CONTROLLER_INVALID_CONFIG
   */
  async alterTopicConfigs(request: {
    name: string
    plan: (configs: Configs) => Configs
    validateOnly?: boolean
  }): Promise<void> {
    const { name } = request
    const plan = (record: TopicRecord): TopicRecord => ({
      ...record,
      configs: validateConfigs(name, request.plan(record.configs), this.#options.topicConfigs),
    })
    await this.#change(`altering configs of ${name}`, { name }, plan, request.validateOnly)
  }

  /** @throws PlatformError CONTROLLER_UNKNOWN_TOPIC, CONTROLLER_UNKNOWN_TOPIC_ID */
  async deleteTopic(reference: TopicReference): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const { name } = this.#find(reference)
      const item = await this.#store.get(keys.topic(name))
      if (item === null || !isMeant(reference, item)) {
        await this.#catchUp() // deleted meanwhile, maybe created again: the image says which error
        continue
      }
      const deleted = await this.#commit({
        compare: [{ key: item.key, target: 'modRevision', equals: item.modRevision }],
        success: [
          { type: 'delete', key: item.key },
          { type: 'delete', key: keys.topicName(collisionKey(name)) },
        ],
      })
      if (!deleted) continue
      this.#logger.info('deleted topic', { topic: name })
      return
    }
    throw contention('deleting a topic')
  }

  /**
   * Changes records of one kind: `plan` gets those that there are and returns the new values by key, null to remove one.
   * All of it or nothing, durable when it resolves; planned again on top of a change of the same keys that came in between.
   */
  async changeRecords<T>(
    kind: RecordKind<T>,
    plan: (records: RecordsOf<T>) => ReadonlyMap<string, T | null>,
  ): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const { records } = this.#state
      const changes = [...plan(records.of(kind))]
      if (changes.length === 0) return
      const committed = await this.#commit({
        compare: changes.map(([key]) => ({
          key: kind.prefix + key,
          target: 'modRevision',
          equals: records.modRevision(kind, key),
        })),
        success: changes.map(([key, value]) => recordOperation(kind, key, value)),
      })
      if (committed) return
      await this.#catchUp()
    }
    throw contention(`changing ${kind.prefix}`)
  }

  /** Forgets a broker. @throws PlatformError CONTROLLER_UNKNOWN_BROKER, CONTROLLER_BROKER_IN_USE while it has replicas */
  async unregisterBroker(id: number): Promise<void> {
    if (!this.#image.brokers.some((broker) => broker.id === id))
      throw controllerErrors.create('CONTROLLER_UNKNOWN_BROKER', { id })
    for (const { name, partitions } of this.#image.topics.values())
      if (partitions.some(({ replicas }) => replicas.includes(id)))
        throw controllerErrors.create('CONTROLLER_BROKER_IN_USE', { id, topic: name })
    await this.#commit({ success: [{ type: 'delete', key: keys.broker(id) }] })
    this.#logger.info('forgot broker', { brokerId: id })
  }

  /** Takes a block of producer ids, durable before it resolves. @throws PlatformError CONTROLLER_CONTENTION */
  allocateProducerIds(count: number): Promise<ProducerIdBlock> {
    return allocateProducerIds(this.#store, count)
  }

  /** Stops following changes. The store stays open: it belongs to who opened it. */
  close(): void {
    this.#isClosed = true
    this.#watch?.close()
    for (const waiter of this.#waiting) waiter.reject(controllerErrors.create('CONTROLLER_CLOSED'))
    this.#waiting.clear()
    this.#listeners.clear()
  }

  /** The first start of all writes format and cluster id, once. */
  async #bootstrap(): Promise<void> {
    const clusterId = this.#options.clusterId ?? newUuid(this.#random)
    const { succeeded } = await this.#store.txn({
      compare: [{ key: keys.format, target: 'version', equals: 0 }],
      success: [
        { type: 'put', key: keys.format, value: JSON.stringify(METADATA_FORMAT) },
        { type: 'put', key: keys.clusterId, value: JSON.stringify(clusterId) },
      ],
    })
    if (succeeded) this.#logger.info('created cluster', { clusterId })
    const item = await this.#store.get(keys.format)
    invariant(item !== null, 'the format key exists after the bootstrap')
    const format = readRecord<number>(item)
    if (format > METADATA_FORMAT) {
      const reason = `format ${format}, this version knows ${METADATA_FORMAT}`
      throw controllerErrors.create('CONTROLLER_BAD_METADATA', { key: keys.format, reason })
    }
  }

  async #load(): Promise<void> {
    const { revision, items } = await this.#store.range('')
    this.#apply(
      items.map((item) => ({ type: 'put', item })),
      revision,
    )
    this.#watch = this.#store.watch('', revision + 1, (events, at) => this.#apply(events, at))
  }

  #apply(events: readonly WatchEvent[], revision: number): void {
    const { state, changedTopics } = applyEvents(this.#state, events, revision)
    this.#state = state
    this.#image = imageOf(state, this.#options.nodeId)
    this.#followers.tell(events, state.records)
    for (const listener of this.#listeners) listener(this.#image, changedTopics)
    for (const waiter of this.#waiting) {
      if (waiter.revision > revision) continue
      this.#waiting.delete(waiter)
      waiter.resolve()
    }
  }

  async #electAgain(brokerId: number, names: readonly string[]): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const found = await Promise.all(names.map((name) => this.#store.get(keys.topic(name))))
      const items = found.filter((item) => item !== null) // the others were deleted meanwhile
      const elected = await this.#commit({
        compare: items.map(({ key, modRevision }) => ({
          key,
          target: 'modRevision',
          equals: modRevision,
        })),
        success: items.map((item) => ({
          type: 'put',
          key: item.key,
          value: JSON.stringify(electLeader(readRecord<TopicRecord>(item), brokerId)),
        })),
      })
      if (elected) return
    }
    throw contention(`electing broker ${brokerId}`)
  }

  /** Rewrites one topic's record; tried again on top of a change that came in between. */
  async #change(
    what: string,
    reference: TopicReference,
    plan: (record: TopicRecord) => TopicRecord,
    validateOnly = false,
  ): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const { name } = this.#find(reference)
      const item = await this.#store.get(keys.topic(name))
      if (item === null || !isMeant(reference, item)) {
        await this.#catchUp()
        continue
      }
      const value = JSON.stringify(plan(readRecord<TopicRecord>(item)))
      if (validateOnly) return
      const committed = await this.#commit({
        compare: [{ key: item.key, target: 'modRevision', equals: item.modRevision }],
        success: [{ type: 'put', key: item.key, value }],
      })
      if (committed) return
    }
    throw contention(what)
  }

  /** Returns whether the comparisons held, once the image is at least as new as the answer. */
  async #commit(transaction: Transaction): Promise<boolean> {
    const { succeeded } = await this.#transact(transaction)
    return succeeded
  }

  async #transact(transaction: Transaction): Promise<TransactionResult> {
    if (this.#isClosed) throw controllerErrors.create('CONTROLLER_CLOSED')
    const result = await this.#store.txn(transaction)
    await this.#reach(result.revision)
    return result
  }

  async #catchUp(): Promise<void> {
    const { revision } = await this.#store.range(keys.format)
    await this.#reach(revision)
  }

  #reach(revision: number): Promise<void> {
    if (this.#isClosed) return Promise.reject(controllerErrors.create('CONTROLLER_CLOSED'))
    if (this.#state.revision >= revision) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiting.add({ revision, resolve, reject }))
  }

  #find(reference: TopicReference): TopicImage {
    const topic =
      'id' in reference
        ? this.#image.topicById(reference.id)
        : this.#image.topics.get(reference.name)
    if (topic) return topic
    throw 'id' in reference
      ? controllerErrors.create('CONTROLLER_UNKNOWN_TOPIC_ID', { id: reference.id })
      : controllerErrors.create('CONTROLLER_UNKNOWN_TOPIC', { name: reference.name })
  }

  #startIndex(): number {
    return this.#random.int(Math.max(1, this.#image.brokers.length))
  }
}

/** A topic that was deleted and created again under its name has another id. */
function isMeant(reference: TopicReference, item: KeyValue): boolean {
  return !('id' in reference) || readRecord<TopicRecord>(item).id === reference.id
}

function contention(what: string): Error {
  return controllerErrors.create('CONTROLLER_CONTENTION', { what, attempts: ATTEMPTS_MAX })
}
