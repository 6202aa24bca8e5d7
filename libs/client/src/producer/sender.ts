import { errorMessage, type Timer } from '@millrace/base'
import type { Codec } from '@millrace/record'
import {
  ErrorCode,
  errorName,
  type Infer,
  InitProducerIdRequest,
  InitProducerIdResponse,
  isRetriable,
  ProduceRequest,
  ProduceResponse,
  protocolError,
} from '@millrace/wire'
import type { Cluster } from '../cluster'
import type { BrokerConnection } from '../connection'
import { clientErrors } from '../errors'
import type { ClientDeps } from '../options'
import { backoffMs, isRetriableError, retry } from '../retry'
import type { Accumulator } from './accumulator'
import type { PartitionQueue } from './partition-queue'
import type { PendingBatch, ProducerIdentity } from './pending-batch'
import { TopicLookups } from './topic-lookups'
import { refusal } from '../refusal'

/** The broker remembers five batches per producer and partition: with more in flight it could not tell a duplicate. */
const IN_FLIGHT_MAX = 5
const ACKS_ALL = -1
const ACK_TIMEOUT_MS = 30_000
const RETRY_POLL_MS = 20
const RECONNECT_DELAY_MS = 250
/** Version 13 names topics by id only. */
const PRODUCE_MAX_VERSION = 12

/** Codes after which the broker has no use for this producer's sequence any more. */
const SEQUENCE_LOST: ReadonlySet<number> = new Set([
  ErrorCode.UNKNOWN_PRODUCER_ID,
  ErrorCode.INVALID_PRODUCER_EPOCH,
  ErrorCode.INVALID_PRODUCER_ID_MAPPING,
])

interface Sent {
  readonly queue: PartitionQueue
  readonly batch: PendingBatch
}

export interface SenderOptions {
  readonly codec: Codec
  readonly lingerMs: number
  readonly maxRequestBytes: number
  readonly deliveryTimeoutMs: number
  readonly allowAutoTopicCreation: boolean
}

export interface SenderEvents {
  /** Something was acknowledged. */
  readonly onProgress: () => void
  /** A record cannot be delivered: the sender has stopped. */
  readonly onFailure: (error: Error) => void
}

/** Moves batches from the accumulator to the brokers that lead their partitions, each into the log once and in order. */
export class Sender {
  readonly #deps: ClientDeps
  readonly #cluster: Cluster
  readonly #accumulator: Accumulator
  readonly #options: SenderOptions
  readonly #events: SenderEvents
  readonly #stopping = new AbortController()
  readonly #inFlightByBroker = new Map<number, number>()
  readonly #lookups: TopicLookups
  readonly #connecting = new Set<number>()
  /** Partitions whose sequence the broker has lost: they wait for a new producer id. */
  readonly #broken = new Set<PartitionQueue>()
  #identity: ProducerIdentity | null = null
  #isIdentifying = false
  #isStopped = false
  #isPumpScheduled = false
  #retryTimer: Timer | null = null

  constructor(
    deps: ClientDeps & { readonly cluster: Cluster; readonly accumulator: Accumulator },
    options: SenderOptions,
    events: SenderEvents,
  ) {
    this.#deps = deps
    this.#cluster = deps.cluster
    this.#accumulator = deps.accumulator
    this.#options = options
    this.#events = events
    this.#lookups = new TopicLookups(
      { ...deps, signal: this.#stopping.signal },
      {
        timeoutMs: options.deliveryTimeoutMs,
        allowAutoTopicCreation: options.allowAutoTopicCreation,
        onFound: (topic, partitionCount) => this.#onTopic(topic, partitionCount),
        onFailure: (error) => this.#stopWith(error),
        onSettled: () => this.wake(),
      },
    )
  }

  stop(): void {
    this.#isStopped = true
    this.#stopping.abort(clientErrors.create('CLIENT_CLOSED'))
    this.#retryTimer?.cancel()
  }

  /** Once per turn of the event loop: what one poll adds goes out together. */
  wake(): void {
    if (this.#isPumpScheduled) return
    this.#isPumpScheduled = true
    setImmediate(() => {
      this.#isPumpScheduled = false
      this.#pump()
    })
  }

  #pump(): void {
    if (this.#isStopped || this.#accumulator.isEmpty) return
    for (const topic of this.#accumulator.unplacedTopics) this.#lookups.start(topic)
    if (this.#identity === null || (this.#broken.size > 0 && this.#canRestart())) {
      this.#identify()
      return
    }
    const now = this.#deps.clock.monotonicMs()
    for (const [brokerId, queues] of this.#queuesByLeader(now)) this.#sendTo(brokerId, queues, now)
  }

  /** Active partitions by the broker that leads them; those without a known leader are looked up, others now and then. */
  #queuesByLeader(now: number): Map<number, PartitionQueue[]> {
    const byLeader = new Map<number, PartitionQueue[]>()
    for (const queue of this.#accumulator.active) {
      this.#lookups.refresh(queue.topic, now)
      const leader =
        this.#cluster.cachedTopic(queue.topic)?.partitions[queue.partition]?.leader ?? -1
      const queues = byLeader.get(leader)
      if (leader < 0) this.#lookups.start(queue.topic)
      else if (queues) queues.push(queue)
      else byLeader.set(leader, [queue])
    }
    return byLeader
  }

  #sendTo(brokerId: number, queues: readonly PartitionQueue[], now: number): void {
    const connection = this.#cluster.live(brokerId, 'main')
    if (connection === undefined) {
      this.#connect(brokerId, queues)
      return
    }
    while ((this.#inFlightByBroker.get(brokerId) ?? 0) < IN_FLIGHT_MAX) {
      const sent = this.#gather(queues, now)
      if (sent.length === 0) return
      this.#inFlightByBroker.set(brokerId, (this.#inFlightByBroker.get(brokerId) ?? 0) + 1)
      void this.#send(brokerId, connection, sent)
    }
  }

  /** At most one batch of each partition, up to the size of a request. */
  #gather(queues: readonly PartitionQueue[], now: number): Sent[] {
    const sent: Sent[] = []
    let requestBytes = 0
    for (const queue of queues) {
      const isBroken = this.#broken.size > 0
      if (this.#broken.has(queue)) continue
      const batch = queue.peek(now, (next) => !isBroken && this.#isReady(queue, next, now))
      if (batch === null) {
        if (queue.retries.length > 0) this.#scheduleRetry(queue.retries[0].notBeforeMs - now)
        continue
      }
      if (sent.length > 0 && requestBytes + batch.estimatedBytes > this.#options.maxRequestBytes)
        continue
      requestBytes += batch.estimatedBytes
      queue.take(batch, this.#identity as ProducerIdentity)
      sent.push({ queue, batch })
    }
    return sent
  }

  /** Full, behind it another one, or waited long enough. With a linger of 0 it goes as soon as the connection has room. */
  #isReady(queue: PartitionQueue, batch: PendingBatch, now: number): boolean {
    if (this.#accumulator.isFull(batch) || queue.waiting.length > 1) return true
    const leftMs = batch.createdMs + this.#options.lingerMs - now
    if (leftMs > 0) this.#scheduleRetry(leftMs)
    return leftMs <= 0
  }

  async #send(
    brokerId: number,
    connection: BrokerConnection,
    sent: readonly Sent[],
  ): Promise<void> {
    try {
      const reply = await connection.send(ProduceRequest, ProduceResponse, requestOf(sent), {
        maxVersion: PRODUCE_MAX_VERSION,
      })
      if (!this.#isStopped) this.#onReply(sent, reply)
    } catch (error) {
      if (this.#isStopped) return
      if (isRetriableError(error)) {
        this.#cluster.invalidate(sent.map(({ queue }) => queue.topic))
        for (const { queue, batch } of sent) this.#sendAgain(queue, batch, errorMessage(error))
      } else {
        this.#stopWith(error as Error)
      }
    } finally {
      this.#inFlightByBroker.set(brokerId, (this.#inFlightByBroker.get(brokerId) ?? 1) - 1)
      this.wake()
    }
  }

  /** Opens a connection before the first request, so that requests leave in the order in which they were made. */
  #connect(brokerId: number, queues: readonly PartitionQueue[]): void {
    if (this.#connecting.has(brokerId)) return
    this.#connecting.add(brokerId)
    this.#cluster
      .connection(brokerId, 'main')
      .then(() => this.wake())
      .catch((error: unknown) => {
        if (this.#isStopped) return
        this.#cluster.invalidate(queues.map(({ topic }) => topic))
        this.#failIfTooOld(queues, errorMessage(error))
        this.#scheduleRetry(RECONNECT_DELAY_MS)
      })
      .finally(() => this.#connecting.delete(brokerId))
  }

  /** Records that were never sent run out of time as well. */
  #failIfTooOld(queues: readonly PartitionQueue[], reason: string): void {
    const { deliveryTimeoutMs: timeoutMs } = this.#options
    const now = this.#deps.clock.monotonicMs()
    for (const { topic, partition, waiting, retries } of queues) {
      const oldest = retries[0] ?? waiting[0]
      if (oldest === undefined || now - oldest.createdMs <= timeoutMs) continue
      this.#stopWith(
        clientErrors.create('CLIENT_DELIVERY_TIMEOUT', { topic, partition, timeoutMs, reason }),
      )
      return
    }
  }

  #onReply(sent: readonly Sent[], reply: Infer<typeof ProduceResponse>): void {
    const results = new Map<string, { errorCode: number; errorMessage: string | null }>()
    for (const { name, partitionResponses } of reply.responses) {
      for (const result of partitionResponses) results.set(`${name}-${result.index}`, result)
    }
    for (const { queue, batch } of sent) {
      const result = results.get(`${queue.topic}-${queue.partition}`)
      if (result === undefined)
        this.#sendAgain(queue, batch, 'the answer does not name the partition')
      else this.#onResult(queue, batch, result.errorCode, result.errorMessage)
      if (this.#isStopped) return
    }
    this.#events.onProgress()
  }

  #onResult(
    queue: PartitionQueue,
    batch: PendingBatch,
    errorCode: number,
    text: string | null,
  ): void {
    // A duplicate is in the log already: the first answer was lost.
    if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.DUPLICATE_SEQUENCE_NUMBER) {
      this.#accumulator.onAcknowledged(queue, batch)
    } else if (errorCode === ErrorCode.MESSAGE_TOO_LARGE && batch.recordCount > 1) {
      queue.replace(batch, batch.split(this.#options.codec), this.#identity as ProducerIdentity)
      for (const delivery of batch.deliveries) delivery.onHeld() // two batches in the place of one
    } else if (
      errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER ||
      SEQUENCE_LOST.has(errorCode)
    ) {
      // Behind a batch that failed, a gap is only natural. Of the first one it means that the broker has forgotten the sequence.
      if (queue.isFirst(batch)) this.#broken.add(queue)
      this.#sendAgain(queue, batch, errorName(errorCode))
    } else if (isRetriable(errorCode)) {
      this.#cluster.invalidate([queue.topic])
      this.#sendAgain(queue, batch, errorName(errorCode))
    } else {
      this.#stopWith(refusal(errorCode, `${queue.topic}-${queue.partition}`, text))
    }
  }

  #sendAgain(queue: PartitionQueue, batch: PendingBatch, reason: string): void {
    const { clock, random, logger } = this.#deps
    const { topic, partition } = queue
    const now = clock.monotonicMs()
    const { deliveryTimeoutMs } = this.#options
    if (now - batch.createdMs > deliveryTimeoutMs) {
      this.#stopWith(
        clientErrors.create('CLIENT_DELIVERY_TIMEOUT', {
          topic,
          partition,
          timeoutMs: deliveryTimeoutMs,
          reason,
        }),
      )
      return
    }
    // Behind the first batch of an outage others fail as well.
    if (batch.attempts === 0 && queue.retries.length === 0)
      logger.warn('produce failed and is tried again', { topic, partition, reason })
    batch.notBeforeMs = now + backoffMs(random, batch.attempts)
    batch.attempts += 1
    queue.onFailed(batch)
    this.#scheduleRetry(batch.notBeforeMs - now)
  }

  #scheduleRetry(delayMs: number): void {
    this.#retryTimer ??= this.#deps.clock.schedule(Math.max(delayMs, RETRY_POLL_MS), () => {
      this.#retryTimer = null
      this.#pump()
    })
  }

  #onTopic(topic: string, partitionCount: number): void {
    this.#checkPartitions(topic, partitionCount)
    this.#accumulator.onTopic(topic, partitionCount)
  }

  /**
   * A topic that was made anew may have fewer partitions. What waits for one that is gone can be delivered nowhere; who
   * begins anew places its records among those that there are. @throws ProtocolError UNKNOWN_TOPIC_OR_PARTITION, retriable
   */
  #checkPartitions(topic: string, count: number): void {
    for (const queue of this.#accumulator.active) {
      if (queue.topic !== topic || queue.partition < count) continue
      throw protocolError(
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        `${topic}-${queue.partition} is gone: the topic has ${count} partitions now`,
      )
    }
  }

  /** A new epoch renumbers what failed, so everything else must be settled: its outcome would be unknown. */
  #canRestart(): boolean {
    for (const queue of this.#accumulator.active) {
      if (queue.inFlight.size > 0) return false
      if (queue.retries.length > 0 && !this.#broken.has(queue)) return false
    }
    return true
  }

  /** Gets the producer id, or its next epoch. */
  #identify(): void {
    if (this.#isIdentifying) return
    this.#isIdentifying = true
    const retryOptions = {
      signal: this.#stopping.signal,
      timeoutMs: this.#options.deliveryTimeoutMs,
    }
    retry(this.#deps, retryOptions, () => initProducerId(this.#cluster))
      .then((identity) => {
        this.#identity = identity
        for (const queue of this.#accumulator.active) queue.restart(identity)
        this.#broken.clear()
      })
      .catch((error: unknown) => this.#stopWith(error as Error))
      .finally(() => {
        this.#isIdentifying = false
        this.wake()
      })
  }

  #stopWith(error: Error): void {
    if (this.#isStopped) return
    this.stop()
    this.#events.onFailure(error)
  }
}

function requestOf(sent: readonly Sent[]) {
  const topics = Map.groupBy(sent, ({ queue }) => queue.topic)
  return {
    transactionalId: null,
    acks: ACKS_ALL,
    timeoutMs: ACK_TIMEOUT_MS,
    topicData: [...topics].map(([name, entries]) => ({
      name,
      partitionData: entries.map(({ queue, batch }) => ({
        index: queue.partition,
        records: batch.bytes,
      })),
    })),
  }
}

async function initProducerId(cluster: Cluster): Promise<ProducerIdentity> {
  const connection = await cluster.anyConnection()
  const request = { transactionalId: null, transactionTimeoutMs: 0 }
  const reply = await connection.send(InitProducerIdRequest, InitProducerIdResponse, request)
  if (reply.errorCode !== ErrorCode.NONE) throw refusal(reply.errorCode, 'producer id')
  return { producerId: reply.producerId, producerEpoch: reply.producerEpoch }
}
