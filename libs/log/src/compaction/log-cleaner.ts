import { errorCode, type Clock, type Disk, type Timer } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import { logErrors } from '../errors'
import type { Log } from '../log'
import type { CleaningControl } from './batch-walk'
import { findCleanable, isDue, type CleanableRange } from './cleanable'
import type { CleanerConfig } from './cleaner-config'
import { Cleaning, type CleaningStats } from './cleaning'
import { Pacer } from './pacer'
import { Throttle } from './throttle'

/** Reading is double-buffered in Kafka; here each compaction has one buffer of half its share. */
const IO_BUFFERS = 2
const MIN_CHUNK_BYTES = 4096
const PERCENT = 100

export interface LogCleanerDeps {
  readonly disk: Disk
  readonly clock: Clock
  readonly logger: Logger
  readonly logs: () => Iterable<Log>
  /** Makes `log.cleanedOffset` durable. */
  readonly saveCheckpoint: (log: Log) => Promise<void>
  /** The disk failed under a log while it was compacted. */
  readonly onStorageFailure: (log: Log, cause: unknown) => void
}

/** What the metrics show, under the names of Kafka's gauges. */
export interface CleanerMetrics {
  readonly maxDirtyPercent: number
  readonly timeSinceLastRunMs: number
  readonly cleanerRecopyPercent: number
  readonly maxBufferUtilizationPercent: number
  readonly maxCleanTimeSecs: number
  readonly maxCompactionDelaySecs: number
}

interface RunningCleaning {
  readonly abort: AbortController
  readonly ended: Promise<void>
}

interface LastCleaning {
  readonly stats: CleaningStats
  readonly tookMs: number
  readonly overdueMs: number
}

/** Compacts the logs that ask for it, the filthiest first, a few at a time. */
export class LogCleaner {
  readonly #deps: LogCleanerDeps
  readonly #pacer: Pacer
  readonly #throttle: Throttle
  #config: CleanerConfig
  readonly #running = new Map<Log, RunningCleaning>()
  /** Logs that somebody else works on, with how many do. */
  readonly #paused = new Map<Log, number>()
  /** Logs that were found damaged; they are served, and tried again after a restart. */
  readonly #uncleanable = new Set<Log>()
  /** Logs for which there was no room on the disk, until the next look. */
  readonly #resting = new Set<Log>()
  #timers = new Map<number, Timer>()
  #isStarted = false
  #lastLookMs: number
  #dirtiestRatio = 0
  #last: LastCleaning | null = null

  constructor(deps: LogCleanerDeps, config: CleanerConfig) {
    this.#deps = deps
    this.#config = config
    this.#pacer = new Pacer(deps.clock)
    this.#throttle = new Throttle(deps.clock, config.cleanerIoMaxBytesPerSecond)
    this.#lastLookMs = deps.clock.now()
  }

  /** Looks for work from now on, after the first pause. */
  start(): void {
    this.#isStarted = true
    for (let worker = 0; worker < this.#config.cleanerThreads; worker++) this.#arm(worker)
  }

  /** Gives up what is under way and looks for nothing any more. */
  async stop(): Promise<void> {
    this.#isStarted = false
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
    const running = [...this.#running.values()]
    for (const { abort } of running) abort.abort()
    await Promise.all(running.map(({ ended }) => ended))
  }

  /** Takes a changed configuration; what is under way ends with the old one, but for the rate. */
  updateConfig(config: CleanerConfig): void {
    this.#config = config
    this.#throttle.bytesPerSecond = config.cleanerIoMaxBytesPerSecond
    if (!this.#isStarted) return
    for (let worker = 0; worker < config.cleanerThreads; worker++) {
      if (!this.#timers.has(worker)) this.#arm(worker)
    }
  }

  /** Compacts every log that is due, now, one after the other. Returns how many cleanings that took. */
  async cleanAll(): Promise<number> {
    let count = 0
    while (await this.#cleanFilthiest()) count++
    return count
  }

  /**
   * Resolves when the log is not being compacted, and will not be before the function that it gives is called: for those
   * who take its files away.
   */
  async pause(log: Log): Promise<() => void> {
    this.#paused.set(log, (this.#paused.get(log) ?? 0) + 1)
    const running = this.#running.get(log)
    running?.abort.abort()
    await running?.ended
    let isResumed = false
    return () => {
      if (isResumed) return
      isResumed = true
      const count = (this.#paused.get(log) ?? 1) - 1
      if (count > 0) this.#paused.set(log, count)
      else this.#paused.delete(log)
    }
  }

  /** The logs that are left as they are, with how much of each should have been compacted. */
  uncleanable(): { log: Log; dirtyBytes: number }[] {
    this.#forgetClosed()
    return Array.from(this.#uncleanable, (log) => ({
      log,
      dirtyBytes: this.#rangeOf(log).dirtyBytes,
    }))
  }

  metrics(): CleanerMetrics {
    const { clock } = this.#deps
    const stats = this.#last?.stats
    return {
      maxDirtyPercent: Math.floor(this.#dirtiestRatio * PERCENT),
      timeSinceLastRunMs: clock.now() - this.#lastLookMs,
      cleanerRecopyPercent: Math.floor(
        (PERCENT * (stats?.bytesWritten ?? 0)) / Math.max(stats?.bytesRead ?? 0, 1),
      ),
      maxBufferUtilizationPercent: Math.floor((stats?.keyUtilization ?? 0) * PERCENT),
      maxCleanTimeSecs: Math.floor((this.#last?.tookMs ?? 0) / 1000),
      maxCompactionDelaySecs: Math.floor((this.#last?.overdueMs ?? 0) / 1000),
    }
  }

  #arm(worker: number): void {
    const { clock, logger } = this.#deps
    const run = async (): Promise<void> => {
      try {
        while (this.#isStarted && (await this.#cleanFilthiest()));
      } catch (error) {
        logger.error('the log cleaner failed', { error })
      }
      this.#resting.clear()
      if (this.#isStarted && worker < this.#config.cleanerThreads) this.#arm(worker)
      else this.#timers.delete(worker)
    }
    this.#timers.set(
      worker,
      clock.schedule(this.#config.cleanerBackoffMs, () => void run()),
    )
  }

  /** False if no log is due. */
  async #cleanFilthiest(): Promise<boolean> {
    const found = this.#findFilthiest()
    if (found === null) return false
    const { log, range } = found
    const abort = new AbortController()
    const ended = this.#clean(log, range, abort.signal)
    this.#running.set(log, { abort, ended })
    try {
      await ended
    } finally {
      this.#running.delete(log)
    }
    return true
  }

  #findFilthiest(): { log: Log; range: CleanableRange } | null {
    this.#lastLookMs = this.#deps.clock.now()
    this.#dirtiestRatio = 0
    this.#forgetClosed()
    let best: { log: Log; range: CleanableRange } | null = null
    for (const log of this.#deps.logs()) {
      if (!this.#isCandidate(log)) continue
      const range = this.#rangeOf(log)
      this.#dirtiestRatio = Math.max(this.#dirtiestRatio, range.dirtyRatio)
      if (!isDue(range, log.config)) continue
      if (best === null || range.dirtyRatio > best.range.dirtyRatio) best = { log, range }
    }
    return best
  }

  #isCandidate(log: Log): boolean {
    return (
      log.config.cleanupPolicy.includes('compact') &&
      log.failure === null &&
      !log.isClosed &&
      ![this.#running, this.#paused, this.#uncleanable, this.#resting].some((set) => set.has(log))
    )
  }

  #rangeOf(log: Log): CleanableRange {
    return findCleanable({
      config: log.config,
      segments: log.segments,
      logStartOffset: log.logStartOffset,
      logEndOffset: log.logEndOffset,
      // A power loss must not take back the record for which an older one of its key was dropped.
      stableOffset: Math.min(log.lastStableOffset, log.recoveryPoint),
      cleanedOffset: log.cleanedOffset,
      nowMs: this.#deps.clock.now(),
    })
  }

  /** Never rejects: what went wrong is logged, and decides when the log is tried again. */
  async #clean(log: Log, range: CleanableRange, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#deps
    const startedMs = clock.monotonicMs()
    const control = this.#controlOf(log, signal)
    const cleaning = new Cleaning(log, range, { ...this.#cleaningOptions(), control })
    try {
      const endOffset = await cleaning.run()
      control.check()
      log.cleanedOffset = endOffset
      await this.#deps.saveCheckpoint(log)
      const tookMs = clock.monotonicMs() - startedMs
      this.#last = { stats: cleaning.stats, tookMs, overdueMs: range.overdueMs }
      const { firstDirtyOffset } = range
      const fields = { log: where(log), firstDirtyOffset, endOffset, tookMs: Math.round(tookMs) }
      logger.info('a log was compacted', { ...fields, ...cleaning.stats })
    } catch (error) {
      const isGivenUp = cleaning.hasLostSegment || isGoneBy(control)
      this.#onFailure(log, isGivenUp, error)
    }
  }

  #onFailure(log: Log, isGivenUp: boolean, error: unknown): void {
    const { logger, onStorageFailure } = this.#deps
    const code = errorCode(error)
    const fields = { log: where(log), error }
    if (isGivenUp || code === 'LOG_CLEANING_ABORTED') {
      logger.debug('the compaction of a log was given up', fields)
    } else if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'LOG_DISK_FULL') {
      this.#resting.add(log)
      logger.warn('there is no room on the disk to compact a log', fields)
    } else if (code !== undefined && !/^(LOG|RECORD)_/.test(code)) {
      onStorageFailure(log, error)
    } else {
      this.#uncleanable.add(log)
      logger.error('a log cannot be compacted and is left as it is', fields)
    }
  }

  #controlOf(log: Log, signal: AbortSignal): CleaningControl {
    const { truncationCount } = log
    return {
      pacer: this.#pacer,
      throttle: this.#throttle,
      signal,
      check: () => {
        const isSame =
          !signal.aborted &&
          !log.isClosed &&
          log.failure === null &&
          log.truncationCount === truncationCount &&
          log.config.cleanupPolicy.includes('compact')
        if (!isSame) throw logErrors.create('LOG_CLEANING_ABORTED', { where: where(log) })
      },
    }
  }

  #cleaningOptions() {
    const { cleanerIoBufferSize, cleanerThreads, cleanerDedupeBufferSize } = this.#config
    const shares = Math.max(cleanerThreads, 1)
    return {
      disk: this.#deps.disk,
      nowMs: this.#deps.clock.now(),
      keyBytes: cleanerDedupeBufferSize / shares,
      loadFactor: this.#config.cleanerDedupeBufferLoadFactor,
      chunkBytes: Math.max(Math.floor(cleanerIoBufferSize / shares / IO_BUFFERS), MIN_CHUNK_BYTES),
    }
  }

  #forgetClosed(): void {
    for (const log of this.#uncleanable) if (log.isClosed) this.#uncleanable.delete(log)
    for (const log of this.#resting) if (log.isClosed) this.#resting.delete(log)
    for (const log of this.#paused.keys()) if (log.isClosed) this.#paused.delete(log)
  }
}

function where(log: Log): string {
  return `${log.topic}-${log.partition}`
}

function isGoneBy(control: CleaningControl): boolean {
  try {
    control.check()
    return false
  } catch {
    return true
  }
}
