import {
  RecordError,
  type SinkRecord,
  type SinkTask,
  type SinkTaskContext,
  type TopicPartition,
  type TopicPartitionOffset,
} from '@millrace/connect-api'
import { jsonLines } from '@millrace/formats'
import type { S3Config } from './options'
import { createPartitioner } from './partitioners/create-partitioner'
import { PartitionWriter, type PartitionWriterOptions } from './partition-writer'
import type { ObjectStore } from './store'
import { Uploads } from './uploads'

/**
 * Writes records into objects. Closed objects are completed while the next records come in; an offset is given out only when every
 * record below it is in an object that the store has acknowledged.
 */
export class S3SinkTask implements SinkTask {
  readonly #config: S3Config
  readonly #context: SinkTaskContext
  readonly #store: ObjectStore
  readonly #options: PartitionWriterOptions
  readonly #writers = new Map<string, PartitionWriter>()
  readonly #uploads: Uploads
  /** The last put failed: what comes now may be in part what it took. */
  #isRetry = false

  constructor(config: S3Config, context: SinkTaskContext, store: ObjectStore) {
    this.#config = config
    this.#context = context
    this.#store = store
    this.#uploads = new Uploads(() => context.requestPut(0))
    const format = jsonLines({ decimalFormat: config.decimalFormat })
    const isGzip = config.compressionType === 'gzip'
    this.#options = {
      format,
      gzipLevel: isGzip ? config.compressionLevel : null,
      rules: config,
      keys: config,
      partitioner: createPartitioner(config),
      extension: isGzip ? `${format.extension}.gz` : format.extension,
    }
  }

  async start(): Promise<void> {
    if (this.#config.locale !== '')
      this.#context.logger.warn('locale has no effect: folders have no names of months or days')
    await this.#store.open()
  }

  async open(partitions: readonly TopicPartition[]): Promise<void> {
    for (const { topic, partition } of partitions) {
      const writer = new PartitionWriter(this.#store, this.#options)
      this.#writers.set(idOf(topic, partition), writer)
    }
  }

  async put(records: readonly SinkRecord[]): Promise<void> {
    const isRetry = this.#isRetry
    this.#isRetry = true
    if (!isRetry) for (const writer of this.#writers.values()) writer.beginPut()
    // Before any new record is taken, so that memory stays bounded while the store is away.
    await this.#uploads.retryFailed()
    const nowMs = this.#context.clock.now()
    for (const record of records) {
      const writer = this.#writers.get(idOf(record.originalTopic, record.originalPartition))
      if (writer === undefined || (isRetry && writer.hasTaken(record.offset))) continue
      const error = this.#take(writer, record, nowMs)
      if (error !== null) await this.#context.reportError(record, error)
      if (writer.hasClosed) await this.#uploadClosed(writer)
    }
    await this.#moveOn(nowMs)
    this.#isRetry = false
  }

  async preCommit(
    delivered: readonly TopicPartitionOffset[],
  ): Promise<readonly TopicPartitionOffset[]> {
    return delivered.flatMap(({ topic, partition, offset }) => {
      const writer = this.#writers.get(idOf(topic, partition))
      return writer === undefined ? [] : [{ topic, partition, offset: writer.safeOffset(offset) }]
    })
  }

  async close(partitions: readonly TopicPartition[]): Promise<void> {
    for (const { topic, partition } of partitions) {
      const id = idOf(topic, partition)
      const writer = this.#writers.get(id)
      this.#writers.delete(id)
      if (writer !== undefined) await this.#forget(writer)
    }
  }

  async stop(): Promise<void> {
    for (const writer of this.#writers.values()) await this.#forget(writer)
    this.#writers.clear()
    this.#store.close()
  }

  /** Why the record cannot be written, or null. It counts as done either way. */
  #take(writer: PartitionWriter, record: SinkRecord, nowMs: number): RecordError | null {
    try {
      if (record.value !== null || this.#config.nullValues === 'write') writer.add(record, nowMs)
      else if (this.#config.nullValues === 'ignore') writer.skip(record)
      else throw new RecordError(TOMBSTONE_REFUSED)
      return null
    } catch (error) {
      if (!(error instanceof RecordError)) throw error
      writer.skip(record)
      return error
    }
  }

  /** What does not depend on new records: the schedule, and memory. */
  async #moveOn(nowMs: number): Promise<void> {
    let nextCloseMs = Number.POSITIVE_INFINITY
    for (const writer of this.#writers.values()) {
      writer.closeScheduled(nowMs)
      if (writer.hasClosed) await this.#uploadClosed(writer)
      for (const object of writer.openObjects) await object.flush()
      nextCloseMs = Math.min(nextCloseMs, writer.closesAtMs)
    }
    await this.#uploads.startWaiting()
    if (nextCloseMs !== Number.POSITIVE_INFINITY) this.#context.requestPut(nextCloseMs - nowMs)
  }

  #uploadClosed(writer: PartitionWriter): Promise<void> {
    for (const group of writer.takeClosed()) {
      const onStored = () => {
        writer.onStored(group)
        this.#context.requestCommit()
      }
      for (const object of group.objects) this.#uploads.add({ owner: writer, object, onStored })
    }
    return this.#uploads.startWaiting()
  }

  /** Waits for uploads that are under way, so that none completes after somebody else owns the partition; drops the rest. */
  async #forget(writer: PartitionWriter): Promise<void> {
    await this.#uploads.forget(writer)
    await writer.abort()
  }
}

const TOMBSTONE_REFUSED =
  'the record has no value (a tombstone); set behavior.on.null.values to ignore or write, or drop tombstones at the source'

function idOf(topic: string, partition: number): string {
  return `${topic}-${partition}`
}
