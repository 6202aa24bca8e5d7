import { errorCode, type Clock, type Random } from '@millrace/base'
import type {
  Admin,
  Client,
  Consumer,
  FetchedBatches,
  Producer,
  TopicMetadata,
} from '@millrace/client'
import { batch, nextBatchSize, RecordCursor } from '@millrace/record'
import type { Logger } from '@millrace/telemetry'
import { connectErrors } from '../errors'
import { Backoff, logRetry, sleepUnlessAborted } from '../pipeline/retry'

export interface KafkaBasedLogDeps {
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface KafkaBasedLogOptions {
  readonly topic: string
  /** Config key that names the topic, for messages. */
  readonly configKey: string
  /** Used when the topic is created; -1 is the broker's default. */
  readonly partitions: number
  /** What an existing topic must have, null for any number. */
  readonly requiredPartitions: number | null
  readonly replicationFactor: number
  /** Gets every record in order, first all that exist, then each new one. Must not throw. */
  readonly onRecord: (record: LogRecord) => void
}

/** The buffers are views of the fetched data: copy what is kept. */
export interface LogRecord {
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
}

const POLL_MS = 1_000
const CLOSE_FLUSH_MS = 2_000
/** One that the cluster makes by itself is not compacted: configs and offsets would vanish after `retention.ms`. */
const PRODUCER_OPTIONS = { allowAutoTopicCreation: false } as const
const BACKOFF = { initialMs: 100, maxMs: 10_000 } as const

interface Waiter {
  readonly offsets: ReadonlyMap<number, number>
  readonly resolve: () => void
}

/**
 * A compacted topic as shared state: every worker reads all of it at start and goes on reading, so that after `readToEnd`
 * it has seen whatever anybody had written before the call.
 */
export class KafkaBasedLog {
  readonly #deps: KafkaBasedLogDeps
  readonly #options: KafkaBasedLogOptions
  readonly #admin: Admin
  #producer: Producer
  readonly #consumer: Consumer
  readonly #cursor = new RecordCursor()
  readonly #aborter = new AbortController()
  /** Offset after the last record that was handed to `onRecord`, by partition. */
  readonly #positions = new Map<number, number>()
  /** Of the topic that the positions belong to. */
  #topicId = ''
  #waiters: Waiter[] = []
  #reading: Promise<void> = Promise.resolve()

  constructor(deps: KafkaBasedLogDeps, options: KafkaBasedLogOptions) {
    this.#deps = deps
    this.#options = options
    this.#admin = deps.client.admin()
    this.#producer = deps.client.producer(PRODUCER_OPTIONS)
    this.#consumer = deps.client.consumer({ autoOffsetReset: 'earliest' })
  }

  /** Offset after the last record read from partition 0. */
  get position(): number {
    return this.#positions.get(0) ?? 0
  }

  /** Creates the topic if need be and reads it to its end. @throws CONNECT_TOPIC_NOT_COMPACTED, CONNECT_TOPIC_PARTITIONS */
  async start(): Promise<void> {
    const { topic } = this.#options
    const found = await this.#ensureTopic()
    this.#topicId = found.id
    const partitions = found.partitions.map(({ index }) => ({ topic, partition: index }))
    const earliest = await this.#admin.listOffsets(partitions, 'earliest')
    this.#consumer.assign(partitions)
    for (const { partition, offset } of earliest) {
      this.#positions.set(partition, offset)
      this.#consumer.seek({ topic, partition }, offset)
    }
    this.#reading = this.#read()
    await this.readToEnd()
  }

  /** Resolves when everything that the log had at the time of the call was handed to `onRecord`. */
  async readToEnd(): Promise<void> {
    const { topic } = this.#options
    const partitions = [...this.#positions.keys()].map((partition) => ({ topic, partition }))
    const found = await this.#findTopic()
    const latest = await this.#admin.listOffsets(partitions, 'latest')
    const isAnother = found !== undefined && found.id !== this.#topicId
    if (isAnother) this.#topicId = found.id
    for (const { partition, offset } of latest) {
      const position = this.#positions.get(partition) ?? 0
      if (isAnother || position > offset) this.#startOver(partition, position)
    }
    const offsets = new Map(latest.map(({ partition, offset }) => [partition, offset]))
    if (this.#hasReached(offsets)) return
    await new Promise<void>((resolve) => this.#waiters.push({ offsets, resolve }))
    if (this.#aborter.signal.aborted) throw connectErrors.create('CONNECT_STOPPING')
  }

  /**
   * Resolves when the cluster has all records; records with the same key keep their order. Records that the cluster
   * refuses take with them what else is on its way, not what is appended after.
   */
  async append(
    records: readonly { readonly key: Buffer; readonly value: Buffer | null }[],
  ): Promise<void> {
    const producer = this.#producer
    const produced = producer.begin()
    for (const { key, value } of records) {
      const partition = this.#options.requiredPartitions === 1 ? 0 : null
      produced.add(this.#options.topic, partition, this.#deps.clock.now(), key, value)
    }
    try {
      await produced.done()
    } catch (error) {
      // It has ended, but the worker still has statuses and offsets to store.
      if (this.#producer === producer && !this.#aborter.signal.aborted) {
        this.#producer = this.#deps.client.producer(PRODUCER_OPTIONS)
      }
      throw error
    }
  }

  async close(): Promise<void> {
    this.#aborter.abort()
    await this.#consumer.close()
    await this.#reading
    // The last writes are worth a moment, a cluster that is away is not.
    const timer = new AbortController()
    await Promise.race([
      this.#producer.flush().catch(() => undefined), // who appended was told
      sleepUnlessAborted(this.#deps.clock, CLOSE_FLUSH_MS, timer.signal),
    ])
    timer.abort()
    await this.#producer.close()
  }

  async #ensureTopic(): Promise<TopicMetadata> {
    const { topic, partitions, replicationFactor } = this.#options
    const existing = await this.#findTopic()
    if (existing) {
      await this.#checkTopic(existing.partitions.length)
      return existing
    }
    this.#deps.logger.info('creating topic', { topic, partitions, replicationFactor })
    await this.#admin.createTopics([
      { name: topic, partitions, replicationFactor, configs: { 'cleanup.policy': 'compact' } },
    ])
    return this.#waitForTopic()
  }

  /** A topic that was just created may not be known to every broker yet. */
  async #waitForTopic(): Promise<TopicMetadata> {
    const backoff = new Backoff(this.#deps, BACKOFF)
    for (;;) {
      const found = await this.#findTopic()
      if (found) return found
      if (!(await sleepUnlessAborted(this.#deps.clock, backoff.nextMs(), this.#aborter.signal))) {
        throw connectErrors.create('CONNECT_STOPPING')
      }
    }
  }

  async #findTopic(): Promise<TopicMetadata | undefined> {
    const topics = await this.#admin.topics([this.#options.topic])
    return topics.find(
      ({ name, partitions }) => name === this.#options.topic && partitions.length > 0,
    )
  }

  async #checkTopic(actual: number): Promise<void> {
    const { topic, requiredPartitions: expected, configKey: key } = this.#options
    if (expected !== null && actual !== expected) {
      throw connectErrors.create('CONNECT_TOPIC_PARTITIONS', { topic, actual, expected, key })
    }
    const policy = await this.#cleanupPolicy()
    if (policy !== 'compact') {
      throw connectErrors.create('CONNECT_TOPIC_NOT_COMPACTED', { topic, policy })
    }
  }

  /** A cluster that hides it is believed, as Kafka Connect does: the right to see configs is not needed. */
  async #cleanupPolicy(): Promise<string> {
    const { topic } = this.#options
    try {
      return (await this.#admin.describeConfigs(topic))['cleanup.policy'] ?? 'compact'
    } catch (error) {
      if (errorCode(error) !== 'TOPIC_AUTHORIZATION_FAILED') throw error
      this.#deps.logger.warn('cleanup.policy not checked: no right to describe configs', { topic })
      return 'compact'
    }
  }

  async #read(): Promise<void> {
    const { clock, logger } = this.#deps
    const { signal } = this.#aborter
    const backoff = new Backoff(this.#deps, BACKOFF)
    while (!signal.aborted) {
      try {
        for (const fetched of await this.#consumer.poll(POLL_MS)) this.#handOver(fetched)
        backoff.reset()
      } catch (error) {
        if (signal.aborted) break
        const { topic } = this.#options
        const message = `reading ${topic} failed and is tried again`
        await sleepUnlessAborted(clock, logRetry(logger, backoff, message, { error }), signal)
      }
      this.#release()
    }
    for (const waiter of this.#waiters) waiter.resolve()
    this.#waiters = []
  }

  /** A topic that was made anew holds other records under the offsets that were read. */
  #startOver(partition: number, position: number): void {
    const { topic } = this.#options
    this.#deps.logger.warn(
      'an internal topic was made anew or has lost records, and is read anew',
      {
        topic,
        partition,
        position,
      },
    )
    this.#positions.set(partition, 0)
    this.#consumer.seek({ topic, partition }, 0)
  }

  #handOver({ partition, records, fromOffset: from }: FetchedBatches): void {
    const cursor = this.#cursor
    for (let at = 0; at < records.length; ) {
      const sizeBytes = nextBatchSize(records, at)
      if (sizeBytes < 0) return
      if (!batch.isControl(records, at)) {
        for (cursor.open(records, at); cursor.next(); ) {
          const { offset, timestamp } = cursor
          if (offset < from) continue
          const key = cursor.key()
          this.#options.onRecord({ partition, offset, timestamp, key, value: cursor.value() })
        }
      }
      this.#positions.set(partition, Math.max(from, batch.nextOffset(records, at)))
      at += sizeBytes
    }
  }

  #release(): void {
    this.#waiters = this.#waiters.filter((waiter) => {
      if (!this.#hasReached(waiter.offsets)) return true
      waiter.resolve()
      return false
    })
  }

  #hasReached(offsets: ReadonlyMap<number, number>): boolean {
    for (const [partition, offset] of offsets) {
      if ((this.#positions.get(partition) ?? 0) < offset) return false
    }
    return true
  }
}
