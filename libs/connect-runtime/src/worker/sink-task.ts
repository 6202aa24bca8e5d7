import type { Clock, Random } from '@millrace/base'
import type { Consumer } from '@millrace/client'
import type {
  SinkRecord,
  SinkTask,
  SinkTaskContext,
  TopicPartition,
  TopicPartitionOffset,
} from '@millrace/connect-api'
import type { Logger } from '@millrace/telemetry'
import { classify } from '../errors'
import type { Converters } from '../pipeline/build'
import { decodeRecord, rawRecord } from '../pipeline/convert'
import type { DeadLetterQueue, RawRecord } from '../pipeline/dead-letter'
import type { RecordErrors } from '../pipeline/record-errors'
import { Backoff, logRetry, sleepUnlessAborted } from '../pipeline/retry'
import type { StageMark } from '../pipeline/stage'
import type { TransformChain } from '../pipeline/transform-chain'
import { FetchQueue } from './fetch-queue'
import { PartitionOffsets } from './partition-offsets'
import type { TaskAttempt, TaskReporter } from './supervisor'

/** What the runtime adds to the context that a sink gets. */
export type SinkControls = Pick<
  SinkTaskContext,
  'assignment' | 'rewind' | 'pause' | 'resume' | 'requestPut' | 'requestCommit' | 'reportError'
>

export interface SinkTaskDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly reporter: TaskReporter
  readonly createTask: (controls: SinkControls) => SinkTask
  readonly pipeline: SinkPipeline
}

export interface SinkPipeline {
  readonly chain: TransformChain
  readonly converters: Converters
  readonly errors: RecordErrors
  readonly consumer: Consumer
  /** Null if none is configured. */
  readonly deadLetters: DeadLetterQueue | null
  /** Called for each topic that records came from, again and again. */
  readonly onTopic: (topic: string) => void
}

export interface SinkTaskOptions {
  readonly subscription: { readonly topics: string[] } | { readonly pattern: RegExp }
  readonly commitIntervalMs: number
  /** Class name of the connector, for errors that the sink reports. */
  readonly className: string
}

/** Records in one `put`. */
const PUT_RECORDS_MAX = 2_000
const POLL_MAX_MS = 500
/** The longest delay is what a pipeline lies idle after its target is back. */
const PUT_BACKOFF = { initialMs: 300, maxMs: 10_000 } as const

/** Records that are to be put, and how far the partitions are done with them. */
interface Delivery {
  readonly records: readonly SinkRecord[]
  readonly positions: PartitionOffsets
}

/**
 * Runs one sink task: poll, convert, transform, put. Offsets are committed only as far as `preCommit` says (CONNECT-5).
 * While a `put` is being retried the partitions are paused and polling goes on, so that the task stays in its group.
 */
export class SinkTaskAttempt implements TaskAttempt {
  readonly #deps: SinkTaskDeps
  readonly #options: SinkTaskOptions
  readonly #task: SinkTask
  readonly #queue = new FetchQueue()
  readonly #aborter = new AbortController()
  readonly #backoff: Backoff
  readonly #mark: StageMark = { stage: 'KAFKA_CONSUME', plugin: '' }
  /** Undecoded records by the object that the sink got, kept only for the dead letter queue. */
  readonly #raw = new WeakMap<SinkRecord, RawRecord>()
  #assigned: readonly TopicPartition[] = []
  readonly #delivered = new PartitionOffsets()
  readonly #committed = new PartitionOffsets()
  readonly #pausedBySink = new PartitionOffsets()
  readonly #rewinds = new PartitionOffsets()
  /** What `put` refused for now; nothing else is delivered before it. */
  #refused: Delivery | null = null
  #retryAtMs = 0
  #isPaused = false
  #isHeld = false
  #isClosed = false
  #hasRebalanceFailed = false
  #commitAtMs: number
  #putAtMs = Infinity

  constructor(deps: SinkTaskDeps, options: SinkTaskOptions) {
    this.#deps = deps
    this.#options = options
    this.#backoff = new Backoff(deps, PUT_BACKOFF)
    this.#commitAtMs = deps.clock.monotonicMs() + options.commitIntervalMs
    this.#task = deps.createTask(this.#controls())
  }

  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused
  }

  stop(): void {
    this.#aborter.abort()
  }

  async run(): Promise<void> {
    const { consumer } = this.#deps.pipeline
    try {
      if (this.#isStopping) return
      await this.#task.start()
      consumer.subscribe(this.#options.subscription, {
        onAssigned: (partitions) => this.#onAssigned(partitions),
        onRevoked: (partitions) => this.#onRevoked(partitions),
        onLost: (partitions) => this.#onLost(partitions),
      })
      if (!this.#isPaused) this.#deps.reporter.onStarted()
      await this.#work()
    } finally {
      await this.#close()
    }
  }

  get #isStopping(): boolean {
    return this.#aborter.signal.aborted
  }

  async #work(): Promise<void> {
    try {
      while (!this.#isStopping) await this.#turn()
    } catch (error) {
      // What was put before the failure need not come again.
      await this.#onRevoked(this.#assigned).catch((failure: unknown) =>
        this.#deps.logger.warn('a failed task could not give its partitions up', {
          error: failure,
        }),
      )
      throw error
    }
    await this.#onRevoked(this.#assigned)
  }

  async #turn(): Promise<void> {
    const nowMs = this.#deps.clock.monotonicMs()
    this.#applyRewinds()
    if (nowMs >= this.#commitAtMs) await this.#commit()
    this.#applyPause()
    if (this.#isPaused) this.#deps.reporter.onPaused()
    if (!this.#isPaused && this.#refused !== null && nowMs >= this.#retryAtMs) {
      await this.#deliver(this.#refused)
    } else if (!this.#isPaused && this.#refused === null && !this.#queue.isEmpty) {
      await this.#deliver(await this.#nextDelivery())
    } else {
      await this.#poll(nowMs)
    }
    if (
      !this.#isPaused &&
      this.#refused === null &&
      this.#deps.clock.monotonicMs() >= this.#putAtMs
    ) {
      this.#putAtMs = Infinity
      await this.#deliver({ records: [], positions: new PartitionOffsets() }, true)
    }
    // A sink that never waits would keep heartbeats and sockets from being served.
    await new Promise((resolve) => setImmediate(resolve))
  }

  async #poll(nowMs: number): Promise<void> {
    const { pipeline, reporter, logger, clock } = this.#deps
    const wantedMs = this.#refused === null ? this.#putAtMs : this.#retryAtMs
    const dueMs = this.#isPaused ? this.#commitAtMs : Math.min(this.#commitAtMs, wantedMs)
    try {
      const timeoutMs = Math.round(Math.max(1, Math.min(POLL_MAX_MS, dueMs - nowMs)))
      this.#queue.push(await pipeline.consumer.poll(timeoutMs))
      if (this.#refused !== null) return
      this.#backoff.reset()
      if (!this.#isPaused) reporter.onHealthy()
    } catch (error) {
      if (this.#hasRebalanceFailed || classify(error) !== 'retriable') throw error
      reporter.onTrouble(error)
      const delayMs = logRetry(logger, this.#backoff, 'fetching failed and is tried again', {
        error,
      })
      await sleepUnlessAborted(clock, delayMs, this.#aborter.signal)
    }
  }

  /** Converts what one `put` takes. Records of one partition at a time, so that a position is simply its last offset. */
  async #nextDelivery(): Promise<Delivery> {
    const queue = this.#queue
    const records: SinkRecord[] = []
    const positions = new PartitionOffsets()
    while (records.length < PUT_RECORDS_MAX && !queue.isEmpty) {
      const { topic, partition } = queue
      let hasMore = true
      while (records.length < PUT_RECORDS_MAX && (hasMore = queue.next())) {
        try {
          const record = this.#decode()
          if (record !== null) records.push(record)
        } catch (error) {
          await this.#onRecordFailure(error, records)
        }
      }
      positions.set({ topic, partition, offset: queue.nextOffset })
      this.#deps.pipeline.onTopic(topic)
      if (!hasMore) queue.shift()
    }
    return { records, positions }
  }

  #decode(): SinkRecord | null {
    const { converters, chain, deadLetters } = this.#deps.pipeline
    const record = decodeRecord(converters, this.#queue, this.#mark)
    this.#mark.stage = 'TRANSFORMATION'
    const out = chain.isEmpty ? record : chain.apply(record, this.#mark)
    if (out !== null && deadLetters !== null) this.#raw.set(out, rawRecord(this.#queue))
    return out
  }

  async #onRecordFailure(error: unknown, records: SinkRecord[]): Promise<void> {
    const { errors, deadLetters } = this.#deps.pipeline
    const again = async () => {
      const record = this.#decode()
      if (record !== null) records.push(record)
    }
    const failure = await errors.retry(again, error, this.#aborter.signal)
    if (failure === null) return
    if (this.#isStopping) throw failure as Error // not its fault: the record comes again next time
    const raw = rawRecord(this.#queue)
    errors.skip(failure, this.#mark, raw)
    deadLetters?.report(raw, this.#mark, failure)
  }

  async #deliver(delivery: Delivery, isRequested = false): Promise<void> {
    const { clock, reporter, logger } = this.#deps
    // A put without records that the sink asked for and refused must come again as well.
    const isWanted = isRequested || delivery.records.length > 0 || delivery === this.#refused
    try {
      if (isWanted) await this.#task.put(delivery.records)
    } catch (error) {
      if (classify(error) !== 'retriable') throw error
      this.#refused = delivery
      reporter.onTrouble(error)
      const delayMs = logRetry(logger, this.#backoff, 'put failed and is tried again', { error })
      this.#retryAtMs = clock.monotonicMs() + delayMs
      return
    }
    if (this.#refused !== null) logger.info('put works again')
    this.#refused = null
    this.#backoff.reset()
    reporter.onHealthy()
    this.#delivered.setAll(delivery.positions.list())
  }

  /** Asks the sink how far it is and commits that. A commit that fails in a way that may pass is repeated next time. */
  async #commit(): Promise<void> {
    const { pipeline, logger, clock, reporter } = this.#deps
    this.#commitAtMs = clock.monotonicMs() + this.#options.commitIntervalMs
    try {
      await pipeline.deadLetters?.flush()
      const delivered = this.#delivered.list()
      const safe = this.#task.preCommit ? await this.#task.preCommit(delivered) : delivered
      const offsets = safe.filter((position) => this.#isCommittable(position))
      if (offsets.length === 0) return
      await pipeline.consumer.commit(offsets)
      this.#committed.setAll(offsets)
    } catch (error) {
      if (classify(error) !== 'retriable') throw error
      reporter.onTrouble(error)
      logger.warn('offsets could not be committed; they are committed again later', { error })
    }
  }

  /** Never past what was delivered, whatever a sink says, and not twice. */
  #isCommittable(position: TopicPartitionOffset): boolean {
    const delivered = this.#delivered.get(position)
    if (delivered === undefined || position.offset > delivered) return false
    return this.#committed.get(position) !== position.offset
  }

  async #onAssigned(partitions: readonly TopicPartition[]): Promise<void> {
    if (this.#isClosed) return
    this.#assigned = [...this.#assigned, ...partitions]
    this.#isHeld = false // new partitions come unpaused
    await this.#rebalance(() => this.#task.open?.(partitions))
  }

  /** Offsets first, then the partitions are closed: what the sink still holds of them comes again elsewhere. */
  async #onRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0 || this.#isClosed) return
    await this.#commit()
    await this.#onLost(partitions)
  }

  async #onLost(partitions: readonly TopicPartition[]): Promise<void> {
    if (this.#isClosed) return
    this.#queue.drop(partitions)
    const lost = new PartitionOffsets(partitions.map((one) => ({ ...one, offset: 0 })))
    this.#assigned = this.#assigned.filter((one) => lost.get(one) === undefined)
    for (const offsets of [this.#delivered, this.#committed, this.#pausedBySink, this.#rewinds]) {
      offsets.deleteAll(partitions)
    }
    this.#dropRefused(partitions)
    await this.#rebalance(() => this.#task.close?.(partitions))
  }

  /** A partition that was not opened or closed properly must see no record: whatever the failure, the task begins anew. */
  async #rebalance(step: () => Promise<void> | undefined): Promise<void> {
    this.#hasRebalanceFailed = true
    await step()
    this.#hasRebalanceFailed = false
  }

  #dropRefused(partitions: readonly TopicPartition[]): void {
    if (this.#refused === null) return
    const lost = new PartitionOffsets(partitions.map((one) => ({ ...one, offset: 0 })))
    const records = this.#refused.records.filter(
      ({ originalTopic: topic, originalPartition: partition }) =>
        lost.get({ topic, partition }) === undefined,
    )
    this.#refused.positions.deleteAll(partitions)
    this.#refused = records.length > 0 ? { records, positions: this.#refused.positions } : null
  }

  #applyRewinds(): void {
    const { consumer } = this.#deps.pipeline
    const rewinds = this.#rewinds.list().filter((one) => this.#isAssigned(one))
    if (rewinds.length === 0) return
    this.#rewinds.deleteAll(rewinds)
    this.#queue.drop(rewinds)
    this.#dropRefused(rewinds)
    for (const { topic, partition, offset } of rewinds) consumer.seek({ topic, partition }, offset)
    this.#delivered.setAll(rewinds)
  }

  /** Everything is held while the task is paused or a `put` waits for its retry; else what the sink paused. */
  #applyPause(): void {
    const isHeld = this.#isPaused || this.#refused !== null
    if (isHeld === this.#isHeld) return
    this.#isHeld = isHeld
    const { consumer } = this.#deps.pipeline
    if (isHeld) consumer.pause(this.#assigned)
    else consumer.resume(this.#assigned.filter((one) => this.#pausedBySink.get(one) === undefined))
  }

  #isAssigned({ topic, partition }: TopicPartition): boolean {
    return this.#assigned.some((one) => one.topic === topic && one.partition === partition)
  }

  #controls(): SinkControls {
    const { consumer } = this.#deps.pipeline
    const { clock } = this.#deps
    return {
      assignment: () => this.#assigned,
      rewind: (offsets) => this.#rewinds.setAll(offsets),
      pause: (partitions) => {
        this.#pausedBySink.setAll(partitions.map((one) => ({ ...one, offset: 0 })))
        consumer.pause(partitions.filter((one) => this.#isAssigned(one)))
      },
      resume: (partitions) => {
        this.#pausedBySink.deleteAll(partitions)
        if (!this.#isHeld) consumer.resume(partitions.filter((one) => this.#isAssigned(one)))
      },
      requestPut: (delayMs) => {
        this.#putAtMs = Math.min(this.#putAtMs, clock.monotonicMs() + Math.max(0, delayMs))
      },
      requestCommit: () => {
        this.#commitAtMs = clock.monotonicMs()
      },
      reportError: (record, error) => this.#reportError(record, error),
    }
  }

  async #reportError(record: SinkRecord, error: unknown): Promise<void> {
    const { errors, deadLetters } = this.#deps.pipeline
    const mark: StageMark = { stage: 'TASK_PUT', plugin: this.#options.className }
    errors.skip(error, mark, record)
    const raw = this.#raw.get(record)
    if (raw !== undefined) deadLetters?.report(raw, mark, error)
  }

  async #close(): Promise<void> {
    this.#isClosed = true // leaving the group may call the listener once more
    for (const close of [() => this.#task.stop(), () => this.#deps.pipeline.consumer.close()]) {
      try {
        await close()
      } catch (error) {
        this.#deps.logger.warn('a task did not close cleanly', { error })
      }
    }
  }
}
