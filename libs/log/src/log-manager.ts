import { errorCode, errorMessage } from '@millrace/base'
import { parseConfig } from '@millrace/config'
import type { Latencies } from '@millrace/telemetry'
import { Chores } from './chores'
import { LogCleaner } from './compaction/log-cleaner'
import { Throttle } from './compaction/throttle'
import { describeDirectory, type DirectoryDescription } from './describe-directories'
import { logErrors } from './errors'
import { GroupCommit } from './group-commit'
import type { Log } from './log'
import { checkpointKey, LogDirectory, type LogDirectoryDeps } from './log-directory'
import { LogMove } from './log-move'
import type { LogShared } from './log-types'
import { logManagerConfigDefinition, type LogManagerConfig } from './manager-config'
import type { CreateLogSpec, LogManagerDeps, LogManagerOptions } from './manager-types'
import { MoveSlots } from './move-slots'
import { chooseCopy } from './two-copies'
import { TailCache } from './tail-cache'

/** Logs that are closed or cleaned up at the same time: each waits for several syncs, and a stop must not take a minute. */
const PARALLEL_LOGS_MAX_COUNT = 16
/** Of a directory at the start: others go on without it. Anything else a human must look at. */
const UNUSABLE_DIRECTORY = 'LOG_DIRECTORY_UNWRITABLE'

interface PlacedLog {
  readonly log: Log
  directory: LogDirectory
}

/** All logs of a node: opens and recovers them, creates, deletes, moves, checkpoints and cleans them up. */
export class LogManager {
  /** Compacts logs; starts with `open` unless `log.cleaner.enable=false`. */
  readonly cleaner: LogCleaner
  readonly #deps: LogManagerDeps
  readonly #options: LogManagerOptions
  readonly #config: LogManagerConfig
  readonly #shared: LogShared
  readonly #chores: Chores
  readonly #directories: LogDirectory[] = []
  /** Why directories could not be opened at the start, by their paths. */
  readonly #unopened = new Map<string, string>()
  readonly #logs = new Map<string, PlacedLog>()
  /** Creations under way, so that two calls for one partition make one log. */
  readonly #creating = new Map<string, Promise<Log>>()
  readonly #moves = new Map<string, LogMove>()
  readonly #moveThrottle: Throttle
  readonly #moveSlots: MoveSlots
  /** Where logs are to be created that somebody wanted to move before they were there; at most one per partition. */
  readonly #preferred = new Map<string, string>()
  #isClosed = false

  private constructor(deps: LogManagerDeps, options: LogManagerOptions) {
    this.#deps = deps
    this.#options = options
    this.#config = options.config ?? parseConfig(logManagerConfigDefinition, {}).config
    const schedule = deps.schedule ?? ((run: () => void) => void setImmediate(run))
    this.#shared = {
      groupCommit: new GroupCommit(deps.clock, schedule),
      tailCache: new TailCache(options.tailCacheBytes),
      producerExpirationMs: this.#config.producerExpirationMs,
    }
    this.#chores = new Chores(deps)
    this.#moveThrottle = new Throttle(deps.clock, this.#config.moveMaxBytesPerSecond)
    this.#moveSlots = new MoveSlots(this.#config.moveConcurrency ?? options.directories.length)
    this.cleaner = this.#createCleaner()
  }

  /**
   * Takes the directories and opens every log in them; after a crash that scans what may not have reached the disk.
   * A log whose synced data is damaged is there with its `failure` set, a directory that cannot be used is offline; the
   * others are served.
   * @throws PlatformError LOG_DIRECTORY_LOCKED, LOG_DIRECTORY_FOREIGN, LOG_CORRUPT_FILE, LOG_IN_TWO_DIRECTORIES, or
   * LOG_DIRECTORY_UNWRITABLE if no directory can be used
   */
  static async open(deps: LogManagerDeps, options: LogManagerOptions): Promise<LogManager> {
    const manager = new LogManager(deps, options)
    try {
      for (const directory of options.directories) await manager.#openDirectory(directory)
    } catch (error) {
      for (const { log } of manager.#logs.values()) log.abandon()
      for (const directory of manager.#directories) directory.abandon()
      throw error
    }
    manager.#startChores()
    if (manager.#config.cleanerEnable) manager.cleaner.start()
    return manager
  }

  log(topic: string, partition: number): Log | undefined {
    return this.#logs.get(checkpointKey(topic, partition))?.log
  }

  *logs(): Iterable<Log> {
    for (const { log } of this.#logs.values()) yield log
  }

  /**
   * Creates a log in the directory that has the fewest; its directory and id are durable when this resolves. One that
   * exists with the same id is returned.
   * @throws PlatformError LOG_EXISTS, LOG_STORAGE_FAILED, LOG_DISK_FULL
   */
  async createLog(spec: CreateLogSpec): Promise<Log> {
    const key = checkpointKey(spec.topic, spec.partition)
    const pending = this.#creating.get(key)
    const existing = pending === undefined ? this.#logs.get(key)?.log : await pending
    if (existing === undefined) {
      const creation = this.#create(spec).finally(() => this.#creating.delete(key))
      this.#creating.set(key, creation)
      return creation
    }
    if (existing.topicId === spec.topicId) return existing
    const where = `${spec.topic}-${spec.partition}`
    throw logErrors.create('LOG_EXISTS', { where, topicId: existing.topicId })
  }

  /** Takes a log out at once and durably; its files are removed after file.delete.delay.ms. Nothing happens if absent. */
  async deleteLog(topic: string, partition: number): Promise<void> {
    const key = checkpointKey(topic, partition)
    await this.#moves.get(key)?.cancel()
    const found = this.#logs.get(key)
    if (found === undefined) return
    const { log, directory } = found
    this.#logs.delete(key)
    directory.logs.delete(key)
    log.abandon()
    await this.cleaner.pause(log)
    // What is left of the old log must be neither inherited nor touched by a new one of its name.
    await log.whenAbandoned()
    await directory.deleteLog(log)
  }

  /**
   * Begins to move a log to another of the log directories, beside appends and reads; resolves when that has begun. One that
   * is where it should be stays, and a move under way ends. A log that does not exist will be created there.
   * @throws PlatformError LOG_NOT_FOUND, LOG_DIRECTORY_UNKNOWN, LOG_STORAGE_FAILED
   */
  async moveLog(topic: string, partition: number, directoryPath: string): Promise<void> {
    const key = checkpointKey(topic, partition)
    const target = this.#usableDirectory(directoryPath)
    const underWay = this.#moves.get(key)
    if (underWay?.target === target) return
    await underWay?.cancel()
    const found = this.#logs.get(key)
    if (found === undefined) {
      this.#preferred.set(key, directoryPath)
      throw logErrors.create('LOG_NOT_FOUND', { where: `${topic}-${partition}` })
    }
    if (found.directory === target) return
    const { failure, isOffline } = found.log
    if (failure !== null && isOffline) throw failure
    await this.#startMove(key, found, target)
  }

  /** What DescribeLogDirs tells, in the order of `log.dirs`. */
  describeDirectories(): Promise<DirectoryDescription[]> {
    const { disk } = this.#deps
    return Promise.all(
      this.#options.directories.map((path) => {
        const directory = this.#directories.find((other) => other.path === path)
        const failure = this.#unopened.get(path) ?? directory?.failureReason ?? null
        const logs = directory?.logs.values() ?? []
        const moves = [...this.#moves.values()].filter(({ target }) => target.path === path)
        return describeDirectory(disk, { path, failure, logs, moves })
      }),
    )
  }

  /** How long the syncs of logs took. */
  get syncTimes(): Latencies {
    return this.#shared.groupCommit.syncTimes
  }

  /** The paths of `log.dirs` that failed, now or when they were to be opened. */
  get offlineDirectories(): string[] {
    const failed = this.#directories.filter(({ hasFailed }) => hasFailed)
    return [...this.#unopened.keys(), ...failed.map(({ path }) => path)]
  }

  /** Takes the keys that may change while the node runs. */
  updateConfig(config: LogManagerConfig): void {
    this.#shared.producerExpirationMs = config.producerExpirationMs
    this.#moveThrottle.bytesPerSecond = config.moveMaxBytesPerSecond
    this.cleaner.updateConfig(config)
  }

  /** Saves all checkpoints now; also runs by itself. */
  checkpoint(): Promise<void> {
    return this.#onEachDirectory((directory) => directory.saveCheckpoints())
  }

  /** Applies retention to all logs now; also runs by itself. */
  applyRetention(): Promise<void> {
    return this.#onEachLog('retention of a log failed', (log) => log.applyRetention())
  }

  /** Forgets the producers that have written nothing for `producer.id.expiration.ms`; also runs by itself. */
  expireProducers(): void {
    for (const log of this.logs()) log.expireProducers()
  }

  /** Syncs and closes all logs, so that the next start needs no scan, and gives the directories free. */
  async close({ brokerEpoch = -1 }: { brokerEpoch?: number } = {}): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#chores.stop()
    await this.cleaner.stop()
    await Promise.all(Array.from(this.#moves.values(), (move) => move.suspend()))
    await this.#onEachLog('a log was not closed properly', (log) => log.close())
    for (const directory of this.#directories) await directory.close(brokerEpoch)
  }

  #createCleaner(): LogCleaner {
    const { disk, clock, logger } = this.#deps
    const directoryOf = (log: Log) =>
      this.#logs.get(checkpointKey(log.topic, log.partition))?.directory
    return new LogCleaner(
      {
        disk,
        clock,
        logger,
        logs: () => this.logs(),
        saveCheckpoint: async (log) => directoryOf(log)?.saveCleanedOffsets(),
        onStorageFailure: (log, cause) => directoryOf(log)?.fail(cause),
      },
      this.#config,
    )
  }

  async #openDirectory(directoryPath: string): Promise<void> {
    try {
      const options = { ...this.#options, path: directoryPath }
      const directory = await LogDirectory.open(this.#directoryDeps(), options)
      this.#directories.push(directory)
      await this.#openLogs(directory)
    } catch (error) {
      // A row of ours but this one is more than a disk that failed: two processes, another cluster, a mix-up of files.
      const code = errorCode(error)
      if (code !== UNUSABLE_DIRECTORY && code?.startsWith('LOG_') === true) throw error
      this.#leaveOut(directoryPath, error)
    }
  }

  /** Goes on without a directory, if there is another one. */
  #leaveOut(directoryPath: string, error: unknown): void {
    this.#unopened.set(directoryPath, errorMessage(error))
    if (this.#unopened.size === this.#options.directories.length) throw error
    this.#deps.logger.error('a log directory is offline', { directory: directoryPath, error })
    const index = this.#directories.findIndex(({ path }) => path === directoryPath)
    const [directory] = index < 0 ? [] : this.#directories.splice(index, 1)
    for (const [key, log] of directory?.logs ?? []) {
      this.#logs.delete(key)
      log.abandon()
    }
    directory?.abandon()
  }

  async #openLogs(directory: LogDirectory): Promise<void> {
    const { clock, logger } = this.#deps
    const startedMs = clock.monotonicMs()
    const { partitions, unfinishedMoves } = await directory.listPartitions()
    const waiting = [...partitions]
    await directory.markInUse()
    const openNext = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        await this.#openLog(directory, next)
      }
    }
    await Promise.all(Array.from({ length: this.#config.recoveryConcurrency }, openNext))
    directory.forgetStored()
    for (const { topic, partition } of unfinishedMoves) {
      this.#preferred.set(checkpointKey(topic, partition), directory.path)
    }
    logger.info('a log directory is open', {
      directory: directory.path,
      logs: directory.logs.size,
      wasClean: directory.wasClean,
      tookMs: Math.round(clock.monotonicMs() - startedMs),
    })
  }

  async #openLog(
    directory: LogDirectory,
    found: { name: string; topic: string; partition: number },
  ): Promise<void> {
    const key = checkpointKey(found.topic, found.partition)
    const first = this.#logs.get(key)
    if (first !== undefined) {
      const copies = { ...first, other: directory, name: found.name }
      if ((await chooseCopy(this.#deps.disk, copies)) === first.directory) return
      this.#logs.delete(key)
    }
    const topicId = await directory.topicIdOf(found.name)
    const config = this.#options.configOf(found.topic)
    const log = await directory.openLog({ ...found, topicId, config })
    this.#logs.set(key, { log, directory })
  }

  async #create(spec: CreateLogSpec): Promise<Log> {
    const key = checkpointKey(spec.topic, spec.partition)
    const directory = this.#placeFor(spec)
    const log = await directory.createLog(spec)
    this.#preferred.delete(key)
    this.#logs.set(key, { log, directory })
    return log
  }

  #placeFor({ topic, partition, isNew = false }: CreateLogSpec): LogDirectory {
    const usable = this.#directories.filter((directory) => !directory.hasFailed)
    const fail = (reason: string) =>
      logErrors.create('LOG_STORAGE_FAILED', { where: `${topic}-${partition}`, reason })
    if (usable.length === 0) throw fail('no directory is left')
    if (!isNew && usable.length < this.#options.directories.length) {
      throw fail('it may be in the log directory that is offline')
    }
    const preferred = this.#preferred.get(checkpointKey(topic, partition))
    return (
      usable.find(({ path }) => path === preferred) ??
      usable.reduce((best, next) => (next.logCount < best.logCount ? next : best))
    )
  }

  #usableDirectory(directoryPath: string): LogDirectory {
    const directory = this.#directories.find(({ path }) => path === directoryPath)
    if (directory === undefined && !this.#unopened.has(directoryPath)) {
      throw logErrors.create('LOG_DIRECTORY_UNKNOWN', { directory: directoryPath })
    }
    if (directory === undefined || directory.hasFailed) {
      const params = { where: directoryPath, reason: 'the log directory is offline' }
      throw logErrors.create('LOG_STORAGE_FAILED', params)
    }
    return directory
  }

  async #startMove(key: string, placed: PlacedLog, target: LogDirectory): Promise<void> {
    const { disk, random, logger } = this.#deps
    const pauseCleaning = (log: Log) => this.cleaner.pause(log)
    const shared = { throttle: this.#moveThrottle, slots: this.#moveSlots }
    const move = new LogMove(
      { disk, random, logger, ...shared, pauseCleaning },
      { log: placed.log, source: placed.directory, target },
    )
    this.#moves.set(key, move)
    const onEnded = (isMoved: boolean) => {
      if (isMoved) placed.directory = target
      if (this.#moves.get(key) === move) this.#moves.delete(key)
    }
    await move.start(onEnded)
  }

  #directoryDeps(): LogDirectoryDeps {
    const { disk, clock, logger, random, lock = null, onAllFailed } = this.#deps
    const onFailed = (_: LogDirectory, cause: unknown) => {
      if (this.#directories.every(({ hasFailed }) => hasFailed)) onAllFailed?.(cause)
    }
    return { disk, clock, logger, random, lock, shared: this.#shared, onFailed }
  }

  #startChores(): void {
    const { retentionCheckIntervalMs, recoveryPointIntervalMs } = this.#config
    const { producerExpirationCheckIntervalMs } = this.#config
    const { startOffsetIntervalMs, highWatermarkIntervalMs } = this.#config
    const saveEach = (save: (directory: LogDirectory) => Promise<void>) => () =>
      this.#onEachDirectory(save)
    const chores = this.#chores
    chores.every(retentionCheckIntervalMs, () => this.applyRetention())
    chores.every(producerExpirationCheckIntervalMs, async () => this.expireProducers())
    chores.every(
      recoveryPointIntervalMs,
      saveEach((directory) => directory.saveRecoveryPoints()),
    )
    chores.every(
      startOffsetIntervalMs,
      saveEach((directory) => directory.saveStartOffsets()),
    )
    chores.every(
      highWatermarkIntervalMs,
      saveEach((directory) => directory.saveHighWatermarks()),
    )
    void this.#resumeMoves()
  }

  /** What the last run was moving, and did not end. */
  async #resumeMoves(): Promise<void> {
    for (const [key, directory] of this.#preferred) {
      const log = this.#logs.get(key)?.log
      this.#preferred.delete(key)
      if (log === undefined) continue
      await this.moveLog(log.topic, log.partition, directory).catch((error: unknown) =>
        this.#deps.logger.error('a log was not moved', { log: key, directory, error }),
      )
    }
  }

  async #onEachDirectory(work: (directory: LogDirectory) => Promise<void>): Promise<void> {
    for (const directory of this.#directories) if (!directory.hasFailed) await work(directory)
  }

  /** One log that fails, or waits for room on its disk, must not keep the others from it. */
  async #onEachLog(failed: string, work: (log: Log) => Promise<void>): Promise<void> {
    const logs = [...this.logs()]
    const workOnNext = async (): Promise<void> => {
      for (let log = logs.pop(); log !== undefined; log = logs.pop()) {
        const { directory } = log
        await work(log).catch((error: unknown) =>
          this.#deps.logger.error(failed, { log: directory, error }),
        )
      }
    }
    await Promise.all(Array.from({ length: PARALLEL_LOGS_MAX_COUNT }, workOnNext))
  }
}
