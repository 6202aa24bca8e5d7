import { errorMessage, type Clock, type Random } from '@millrace/base'
import type { ProduceBatch, Producer } from '@millrace/client'
import type { SourceRecord, SourceTask } from '@millrace/connect-api'
import type { Logger } from '@millrace/telemetry'
import { classify } from '../errors'
import type { Converters } from '../pipeline/build'
import type { RecordErrors } from '../pipeline/record-errors'
import { Backoff, logRetry, sleepUnlessAborted } from '../pipeline/retry'
import type { StageMark } from '../pipeline/stage'
import type { TransformChain } from '../pipeline/transform-chain'
import { encodeHeaders } from '../pipeline/convert'
import { OffsetTracker, positionKey, type PartitionOffset } from './offset-tracker'
import type { TaskAttempt, TaskReporter } from './supervisor'
import { Wakeup } from './wakeup'

/** What a source task needs of the topics that it writes to. */
export interface TargetTopics {
  isKnown(topic: string): boolean
  /** Creates the topic if it does not exist. Afterwards it is known. */
  ensure(topic: string): Promise<void>
}

export interface SourceTaskDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly reporter: TaskReporter
  readonly task: SourceTask
  readonly pipeline: SourcePipeline
}

export interface SourcePipeline {
  readonly chain: TransformChain
  readonly converters: Converters
  readonly errors: RecordErrors
  readonly producer: Producer
  readonly topics: TargetTopics
  /** Resolves when the offsets are stored. */
  readonly storeOffsets: (offsets: readonly PartitionOffset[]) => Promise<void>
}

export interface SourceTaskOptions {
  readonly flushIntervalMs: number
  /** How long a stop waits for the last acknowledgements and for the offsets to be stored. */
  readonly flushTimeoutMs: number
}

/** Polls on their way into the log at one time. A further poll waits for the oldest. */
const OPEN_POLLS_MAX = 8
const POLL_BACKOFF = { initialMs: 300, maxMs: 10_000 } as const

/**
 * Runs one source task: poll, transform, convert, produce. Several polls are on their way at once; an offset is stored
 * only when the log has every record up to it (CONNECT-1), and the source is told only about stored offsets (CONNECT-2).
 */
export class SourceTaskAttempt implements TaskAttempt {
  readonly #deps: SourceTaskDeps
  readonly #options: SourceTaskOptions
  readonly #tracker = new OffsetTracker()
  readonly #wakeup = new Wakeup()
  readonly #aborter = new AbortController()
  readonly #backoff: Backoff
  #isPaused = false
  #isPolling = false
  #stopped: Promise<void> | null = null
  /** The first record that the log refused for good. */
  #failure: { readonly error: unknown } | null = null
  #lastFlushMs: number
  #flush: Promise<void> | null = null
  /** Offsets that are stored and not yet told to the source. */
  readonly #stored = new Map<string, PartitionOffset>()

  constructor(deps: SourceTaskDeps, options: SourceTaskOptions) {
    this.#deps = deps
    this.#options = options
    this.#backoff = new Backoff(deps, POLL_BACKOFF)
    this.#lastFlushMs = deps.clock.monotonicMs()
  }

  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused
    this.#wakeup.notify()
  }

  stop(): void {
    this.#aborter.abort()
    this.#wakeup.notify()
    // Between two polls the loop ends by itself and can still tell the source what was stored.
    if (this.#isPolling) void this.#stopTask()
  }

  async run(): Promise<void> {
    try {
      if (!this.#isStopping) await this.#deps.task.start()
      if (!this.#isPaused) this.#deps.reporter.onStarted()
      await this.#work()
    } finally {
      await this.#stopTask()
    }
  }

  async #work(): Promise<void> {
    try {
      while (!this.#isStopping) await this.#turn()
    } catch (error) {
      // What the log has of the records before the failure need not come again.
      await this.#finish().catch((failure: unknown) =>
        this.#deps.logger.warn('a failed task could not commit', { error: failure }),
      )
      throw error
    }
    await this.#finish()
  }

  get #isStopping(): boolean {
    return this.#aborter.signal.aborted
  }

  async #turn(): Promise<void> {
    if (this.#failure !== null) throw this.#failure.error
    this.#maybeFlush()
    await this.#commitStored()
    if (this.#isPaused) {
      this.#deps.reporter.onPaused()
      await this.#idle()
      return
    }
    const records = await this.#poll()
    if (records !== null && records.length > 0) {
      await this.#send(records)
      await this.#waitForRoom()
    }
    // Without this a source that always has records would keep timers and sockets from being served.
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** Null if the poll failed in a way that may pass: the pause was taken already. */
  async #poll(): Promise<readonly SourceRecord[] | null> {
    const { task, reporter, clock, logger } = this.#deps
    this.#isPolling = true
    try {
      const records = await task.poll()
      if (this.#backoff.attemptCount > 0) logger.info('poll works again')
      this.#backoff.reset()
      reporter.onHealthy()
      return this.#isStopping ? null : records // a stopping task's last records come again next time
    } catch (error) {
      if (this.#isStopping) return null
      if (classify(error) !== 'retriable') throw error
      reporter.onTrouble(error)
      const delayMs = logRetry(logger, this.#backoff, 'poll failed and is tried again', { error })
      await sleepUnlessAborted(clock, delayMs, this.#aborter.signal)
      return null
    } finally {
      this.#isPolling = false
    }
  }

  async #send(records: readonly SourceRecord[]): Promise<void> {
    const batch = this.#deps.pipeline.producer.begin()
    const mark: StageMark = { stage: 'TRANSFORMATION', plugin: '' }
    let index = 0
    try {
      while (index < records.length) {
        let missingTopic: string | null
        try {
          missingTopic = this.#add(batch, records[index], mark)
        } catch (error) {
          await this.#onRecordFailure(error, batch, records[index], mark)
          if (this.#isStopping) return
          missingTopic = null
        }
        if (missingTopic === null) index += 1
        else await this.#deps.pipeline.topics.ensure(missingTopic)
      }
    } finally {
      // Of a poll that is cut short, the records before count; the others come again next time.
      this.#track(batch, index === records.length ? records : records.slice(0, index))
    }
  }

  /** Tries a failed record again while that makes sense, then skips it. @throws if the task must fail */
  async #onRecordFailure(
    error: unknown,
    batch: ProduceBatch,
    record: SourceRecord,
    mark: StageMark,
  ): Promise<void> {
    const { errors, topics } = this.#deps.pipeline
    const again = async () => {
      for (;;) {
        const missingTopic = this.#add(batch, record, mark)
        if (missingTopic === null) return
        await topics.ensure(missingTopic)
      }
    }
    const failure = await errors.retry(again, error, this.#aborter.signal)
    if (failure === null || this.#isStopping) return
    if (mark.stage === 'KAFKA_PRODUCE' && !isRecordTooLarge(failure)) throw failure as Error
    errors.skip(failure, mark, positionOf(record))
  }

  /** Adds one record to the batch, or returns the topic that must be made sure of before. */
  #add(batch: ProduceBatch, record: SourceRecord, mark: StageMark): string | null {
    const { chain, converters, topics } = this.#deps.pipeline
    mark.stage = 'TRANSFORMATION'
    const out = chain.isEmpty ? record : chain.apply(record, mark)
    if (out === null) return null
    const { topic } = out
    if (!topics.isKnown(topic)) {
      mark.stage = 'KAFKA_PRODUCE'
      return topic
    }
    mark.stage = 'HEADER_CONVERTER'
    mark.plugin = converters.headerName
    const headers =
      out.headers.length === 0 ? undefined : encodeHeaders(converters.header, topic, out.headers)
    mark.stage = 'KEY_CONVERTER'
    mark.plugin = converters.keyName
    const key = converters.key.fromConnect(topic, out.keySchema, out.key)
    mark.stage = 'VALUE_CONVERTER'
    mark.plugin = converters.valueName
    const value = converters.value.fromConnect(topic, out.valueSchema, out.value)
    mark.stage = 'KAFKA_PRODUCE'
    mark.plugin = 'producer'
    batch.add(topic, out.partition, out.timestamp, key, value, headers)
    return null
  }

  #track(batch: ProduceBatch, records: readonly SourceRecord[]): void {
    const submission = this.#tracker.submit(records)
    batch.done().then(
      () => {
        this.#tracker.acknowledge(submission)
        this.#wakeup.notify()
      },
      (error: unknown) => {
        this.#failure ??= { error }
        this.#wakeup.notify()
      },
    )
  }

  async #waitForRoom(): Promise<void> {
    const { producer } = this.#deps.pipeline
    while (!this.#isStopping && this.#failure === null) {
      if (this.#tracker.openCount >= OPEN_POLLS_MAX) await this.#wakeup.wait()
      else if (producer.hasRoom()) return
      else await Promise.race([producer.room(), this.#wakeup.wait()])
    }
  }

  /** Waits while paused, waking up for the flushes that are due. */
  async #idle(): Promise<void> {
    const dueMs = Math.max(
      1,
      this.#lastFlushMs + this.#options.flushIntervalMs - this.#deps.clock.monotonicMs(),
    )
    const timer = this.#deps.clock.schedule(dueMs, () => this.#wakeup.notify())
    await this.#wakeup.wait()
    timer.cancel()
  }

  /** Starts to store what was acknowledged, if it is time and nothing is being stored. */
  #maybeFlush(): void {
    const nowMs = this.#deps.clock.monotonicMs()
    if (this.#flush !== null || nowMs - this.#lastFlushMs < this.#options.flushIntervalMs) return
    this.#lastFlushMs = nowMs
    void this.#flushAcknowledged()
  }

  #flushAcknowledged(): Promise<void> {
    const offsets = this.#tracker.takeAcknowledged()
    if (offsets.length === 0) return Promise.resolve()
    this.#flush = this.#deps.pipeline.storeOffsets(offsets).then(
      () => {
        for (const offset of offsets) this.#stored.set(positionKey(offset.partition), offset)
      },
      (error: unknown) => {
        this.#tracker.giveBack(offsets)
        this.#deps.logger.warn('offsets could not be stored; they are stored again later', {
          error,
        })
      },
    )
    return this.#flush.finally(() => {
      this.#flush = null
      this.#wakeup.notify()
    })
  }

  async #commitStored(): Promise<void> {
    if (this.#stored.size === 0) return
    const offsets = [...this.#stored.values()]
    try {
      await this.#deps.task.commit?.(offsets)
      this.#stored.clear()
    } catch (error) {
      if (classify(error) !== 'retriable') throw error
      this.#deps.logger.warn('commit failed and is tried again later', {
        error: errorMessage(error),
      })
    }
  }

  /** The last polls get their acknowledgements and their offsets stored, as far as the time allows. */
  async #finish(): Promise<void> {
    const { clock } = this.#deps
    let isOver = false
    const timer = clock.schedule(this.#options.flushTimeoutMs, () => {
      isOver = true
      this.#wakeup.notify()
    })
    while (!isOver && this.#failure === null && this.#tracker.openCount > 0)
      await this.#wakeup.wait()
    while (!isOver && this.#flush !== null) await this.#wakeup.wait()
    void this.#flushAcknowledged()
    while (!isOver && this.#flush !== null) await this.#wakeup.wait()
    timer.cancel()
    if (this.#stopped === null) await this.#commitStored()
  }

  #stopTask(): Promise<void> {
    this.#stopped ??= Promise.resolve()
      .then(() => this.#deps.task.stop())
      .catch((error: unknown) => this.#deps.logger.warn('stop of the task failed', { error }))
    return this.#stopped
  }
}

function positionOf(record: SourceRecord) {
  const { topic, partition, timestamp } = record
  return { topic, partition, offset: null, timestamp }
}

function isRecordTooLarge(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'CLIENT_RECORD_TOO_LARGE'
}
