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
import type { ObjectWriter } from './object-writer'
import { createPartitioner } from './partitioner'
import { PartitionWriter, type PartitionWriterOptions } from './partition-writer'
import type { ObjectStore } from './store'

/** Objects that are completed at the same time; more wait, which holds back the consumer. */
const UPLOADS_MAX = 4

interface Upload {
  readonly writer: PartitionWriter
  readonly object: ObjectWriter
  /** Never rejects: a failure is kept in `failure`. */
  done: Promise<void>
  failure: unknown
}

/**
 * Writes records into objects. Completed objects are uploaded while the next records come in; an offset is given out only when every
 * record below it is in a completed object.
 */
export class S3SinkTask implements SinkTask {
  readonly #config: S3Config
  readonly #context: SinkTaskContext
  readonly #store: ObjectStore
  readonly #options: PartitionWriterOptions
  readonly #writers = new Map<string, PartitionWriter>()
  readonly #uploads = new Map<ObjectWriter, Upload>()

  constructor(config: S3Config, context: SinkTaskContext, store: ObjectStore) {
    this.#config = config
    this.#context = context
    this.#store = store
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

  start(): Promise<void> {
    return this.#store.open()
  }

  async open(partitions: readonly TopicPartition[]): Promise<void> {
    for (const partition of partitions) {
      this.#writers.set(
        idOf(partition.topic, partition.partition),
        new PartitionWriter(this.#store, this.#options),
      )
    }
  }

  async put(records: readonly SinkRecord[]): Promise<void> {
    await this.#retryFailedUploads()
    const now = this.#context.clock.now()
    for (const record of records) await this.#take(record, now)
    for (const writer of this.#writers.values()) {
      writer.closeScheduled(now)
      for (const object of writer.open) await object.flush()
    }
    await this.#completeClosed()
    this.#requestNextPut(now)
  }

  async preCommit(
    delivered: readonly TopicPartitionOffset[],
  ): Promise<readonly TopicPartitionOffset[]> {
    return delivered.flatMap(({ topic, partition }) => {
      const offset = this.#writers.get(idOf(topic, partition))?.safeOffset() ?? null
      return offset === null ? [] : [{ topic, partition, offset }]
    })
  }

  async close(partitions: readonly TopicPartition[]): Promise<void> {
    for (const { topic, partition } of partitions) {
      const id = idOf(topic, partition)
      const writer = this.#writers.get(id)
      this.#writers.delete(id)
      if (writer) await this.#forget(writer)
    }
  }

  async stop(): Promise<void> {
    for (const writer of this.#writers.values()) await this.#forget(writer)
    this.#writers.clear()
    this.#store.close()
  }

  async #take(record: SinkRecord, now: number): Promise<void> {
    const writer = this.#writers.get(idOf(record.originalTopic, record.originalPartition))
    // Taken by an earlier call that failed later on, or of a partition that was taken away meanwhile.
    if (writer === undefined || writer.hasTaken(record.offset)) return
    if (record.value === null && this.#config.nullValues === 'ignore') return writer.skip(record)
    try {
      if (record.value === null && this.#config.nullValues === 'fail') {
        throw new RecordError(
          'the record has no value (a tombstone); set behavior.on.null.values to ignore or write, or drop tombstones at the source',
        )
      }
      writer.add(record, now)
    } catch (error) {
      if (!(error instanceof RecordError)) throw error
      await this.#context.reportError(record, error)
      writer.skip(record)
    }
    if (writer.closed.size > 0) await this.#completeClosed()
  }

  /** Starts the upload of closed objects, waiting for room; failures of earlier ones come up here. */
  async #completeClosed(): Promise<void> {
    for (const writer of this.#writers.values()) {
      for (const object of writer.closed) {
        if (this.#uploads.has(object)) continue
        while (this.#uploads.size >= UPLOADS_MAX) {
          await Promise.race([...this.#uploads.values()].map(({ done }) => done))
          this.#throwFailure()
        }
        this.#startUpload(writer, object)
      }
    }
    this.#throwFailure()
  }

  #startUpload(writer: PartitionWriter, object: ObjectWriter): void {
    const upload: Upload = { writer, object, failure: null, done: Promise.resolve() }
    upload.done = object.complete().then(
      () => {
        this.#uploads.delete(object)
        writer.onCompleted(object)
        this.#context.requestCommit()
      },
      (failure: unknown) => {
        upload.failure = failure
        this.#context.requestPut(0)
      },
    )
    this.#uploads.set(object, upload)
  }

  /** What failed is tried again before any new record is taken, so that memory stays bounded while the store is away. */
  async #retryFailedUploads(): Promise<void> {
    const failed = [...this.#uploads.values()].filter(({ failure }) => failure !== null)
    for (const { writer, object } of failed) {
      this.#uploads.delete(object)
      this.#startUpload(writer, object)
      await this.#uploads.get(object)?.done
      this.#throwFailure()
    }
  }

  #throwFailure(): void {
    for (const { failure } of this.#uploads.values()) if (failure !== null) throw failure as Error
  }

  #requestNextPut(now: number): void {
    let next = Number.POSITIVE_INFINITY
    for (const writer of this.#writers.values()) next = Math.min(next, writer.nextScheduledMs())
    if (next !== Number.POSITIVE_INFINITY) this.#context.requestPut(Math.max(0, next - now))
  }

  /** Waits for uploads that are under way, so that none completes after somebody else owns the partition; drops the rest. */
  async #forget(writer: PartitionWriter): Promise<void> {
    const own = [...this.#uploads.values()].filter((upload) => upload.writer === writer)
    for (const upload of own) {
      await upload.done
      this.#uploads.delete(upload.object)
    }
    await writer.abort()
  }
}

function idOf(topic: string, partition: number): string {
  return `${topic}-${partition}`
}
