import type { Clock } from '@millrace/base'
import { type Codec, maxRecordBytes, type RecordHeader } from '@millrace/record'
import { clientErrors } from '../errors'
import type { Delivery } from './delivery'
import { partitionOfKey } from './murmur2'
import { PartitionQueue } from './partition-queue'
import { PendingBatch } from './pending-batch'

export interface AccumulatorOptions {
  readonly codec: Codec
  readonly batchBytes: number
  readonly maxRequestBytes: number
  readonly bufferBytes: number
}

interface Unplaced {
  readonly delivery: Delivery
  readonly partition: number | null
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[] | undefined
  readonly bytes: number
}

/** What waits to be acknowledged: records in the batches of their partitions, bounded by `bufferBytes` through `hasRoom`. */
export class Accumulator {
  readonly #clock: Clock
  readonly #options: AccumulatorOptions
  readonly #queues = new Map<string, PartitionQueue[]>()
  /** Partitions with anything that is not acknowledged. */
  readonly #active = new Set<PartitionQueue>()
  /** Records of topics whose partitions are not known yet. */
  readonly #unplaced = new Map<string, Unplaced[]>()
  readonly #sticky = new Map<string, number>()
  readonly #partitionCounts = new Map<string, number>()
  #heldBytes = 0

  constructor(clock: Clock, options: AccumulatorOptions) {
    this.#clock = clock
    this.#options = options
  }

  get active(): ReadonlySet<PartitionQueue> {
    return this.#active
  }
  /** Topics that must be looked up before their records can be placed. */
  get unplacedTopics(): readonly string[] {
    return [...this.#unplaced.keys()]
  }
  get isEmpty(): boolean {
    return this.#active.size === 0 && this.#unplaced.size === 0
  }
  get hasRoom(): boolean {
    return this.#heldBytes < this.#options.bufferBytes
  }

  /** @throws PlatformError CLIENT_RECORD_TOO_LARGE, CLIENT_INVALID_PARTITION */
  add(
    delivery: Delivery,
    topic: string,
    partition: number | null,
    timestamp: number | null,
    key: Buffer | null,
    value: Buffer | null,
    headers?: readonly RecordHeader[],
  ): void {
    const bytes = maxRecordBytes(key, value, headers)
    const { maxRequestBytes } = this.#options
    if (bytes > maxRequestBytes)
      throw clientErrors.create('CLIENT_RECORD_TOO_LARGE', { bytes, topic, max: maxRequestBytes })
    const at = timestamp ?? this.#clock.now()
    const count = this.#partitionCounts.get(topic)
    if (count === undefined) {
      const unplaced = { delivery, partition, timestamp: at, key, value, headers, bytes }
      const list = this.#unplaced.get(topic)
      if (list) list.push(unplaced)
      else this.#unplaced.set(topic, [unplaced])
      delivery.onHeld()
    } else {
      this.#place(
        delivery,
        topic,
        this.#choose(topic, partition, key, count),
        at,
        key,
        value,
        headers,
        bytes,
      )
    }
    this.#heldBytes += bytes
  }

  /** The partitions of a topic are known (again): records that waited for that go to their batches. @throws CLIENT_INVALID_PARTITION */
  onTopic(topic: string, partitionCount: number): void {
    this.#partitionCounts.set(topic, partitionCount)
    const records = this.#unplaced.get(topic)
    if (records === undefined) return
    this.#unplaced.delete(topic)
    for (const { delivery, partition, timestamp, key, value, headers, bytes } of records) {
      const chosen = this.#choose(topic, partition, key, partitionCount)
      this.#place(delivery, topic, chosen, timestamp, key, value, headers, bytes)
      delivery.onAcknowledged() // the batch counts instead
    }
  }

  /** Whether a batch that may still take records is complete. */
  isFull(batch: PendingBatch): boolean {
    return batch.estimatedBytes >= this.#options.batchBytes
  }

  onAcknowledged(queue: PartitionQueue, batch: PendingBatch): void {
    queue.onAcknowledged(batch)
    this.#heldBytes -= batch.heldBytes
    if (queue.isIdle) this.#active.delete(queue)
    for (const delivery of batch.deliveries) delivery.onAcknowledged()
  }

  /** Tells everybody who waits. */
  failAll(error: Error): void {
    for (const { waiting, inFlight, retries } of this.#active) {
      for (const batch of [...waiting, ...inFlight, ...retries]) {
        for (const delivery of batch.deliveries) delivery.onFailed(error)
      }
    }
    for (const records of this.#unplaced.values())
      for (const { delivery } of records) delivery.onFailed(error)
    this.#active.clear()
    this.#unplaced.clear()
    this.#heldBytes = 0
  }

  #choose(topic: string, partition: number | null, key: Buffer | null, count: number): number {
    if (partition !== null) {
      if (partition >= 0 && partition < count) return partition
      throw clientErrors.create('CLIENT_INVALID_PARTITION', { topic, partition, count })
    }
    if (key !== null) return partitionOfKey(key, count)
    return (this.#sticky.get(topic) ?? 0) % count
  }

  #place(
    delivery: Delivery,
    topic: string,
    partition: number,
    timestamp: number,
    key: Buffer | null,
    value: Buffer | null,
    headers: readonly RecordHeader[] | undefined,
    bytes: number,
  ): void {
    const queue = this.#queue(topic, partition)
    let batch = queue.waiting.at(-1)
    if (batch === undefined || batch.estimatedBytes + bytes > this.#options.batchBytes) {
      // Records without a key go to one partition until its batch is full, then to the next: fewer, larger batches.
      if (batch !== undefined && key === null) this.#sticky.set(topic, partition + 1)
      batch = new PendingBatch(this.#options.codec, this.#clock.monotonicMs())
      queue.waiting.push(batch)
      this.#active.add(queue)
    }
    batch.append(timestamp, key, value, headers)
    batch.heldBytes += bytes
    if (batch.deliveries.has(delivery)) return
    batch.deliveries.add(delivery)
    delivery.onHeld()
  }

  #queue(topic: string, partition: number): PartitionQueue {
    let queues = this.#queues.get(topic)
    if (queues === undefined) this.#queues.set(topic, (queues = []))
    return (queues[partition] ??= new PartitionQueue(topic, partition))
  }
}
