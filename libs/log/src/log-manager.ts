import * as path from 'node:path'
import {
  errorMessage,
  ZERO_UUID,
  type Clock,
  type DirectoryLock,
  type Disk,
  type Random,
  type Timer,
} from '@millrace/base'
import { parseConfig } from '@millrace/config'
import type { Logger } from '@millrace/telemetry'
import type { LogConfig } from './config'
import { LogCleaner } from './compaction/log-cleaner'
import { isDiskFull } from './disk-room'
import { logErrors } from './errors'
import { deletedDirectoryName } from './file-names'
import { GroupCommit } from './group-commit'
import { Log } from './log'
import { checkpointKey, LogDirectory } from './log-directory'
import type { LogDeps } from './log-types'
import { logManagerConfigDefinition, type LogManagerConfig } from './manager-config'
import { TailCache } from './tail-cache'

const PARTITION_METADATA_FILE = 'partition.metadata'
/** Logs that are closed at the same time: each waits for several syncs, and a stop must not take a minute. */
const CLOSING_MAX_COUNT = 16

export interface LogManagerDeps {
  readonly disk: Disk
  readonly clock: Clock
  readonly logger: Logger
  readonly random: Random
  /** Runs a round of the group commit soon; setImmediate if absent. */
  readonly schedule?: (run: () => void) => void
  /** Keeps other processes out of the directories: `lockDirectory`. Absent where the caller holds them already. */
  readonly lock?: (directory: string) => DirectoryLock
}

export interface LogManagerOptions {
  /** `log.dirs`. */
  readonly directories: readonly string[]
  readonly nodeId: number
  readonly clusterId: string
  /** The configuration of a log that is found at the start: chores work on it before anybody else has looked. */
  readonly configOf: (topic: string) => LogConfig
  readonly config?: LogManagerConfig
  readonly tailCacheBytes?: number
}

export interface LogSpec {
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  readonly config: LogConfig
}

/** All logs of a node: opens and recovers them, creates, deletes, checkpoints and cleans them up. */
export class LogManager {
  readonly #deps: LogManagerDeps
  readonly #options: LogManagerOptions
  readonly #config: LogManagerConfig
  readonly #shared: LogDeps['shared']
  readonly #directories: LogDirectory[] = []
  readonly #logs = new Map<string, { log: Log; directory: LogDirectory }>()
  /** Creations under way, so that two calls for one partition make one log. */
  readonly #creating = new Map<string, Promise<Log>>()
  /** Compacts logs; starts with `open` unless `log.cleaner.enable=false`. */
  readonly cleaner: LogCleaner
  #timers: Timer[] = []
  #isClosed = false

  private constructor(deps: LogManagerDeps, options: LogManagerOptions) {
    this.#deps = deps
    this.#options = options
    this.#config = options.config ?? parseConfig(logManagerConfigDefinition, {}).config
    const schedule = deps.schedule ?? ((run: () => void) => void setImmediate(run))
    this.#shared = {
      groupCommit: new GroupCommit(schedule),
      tailCache: new TailCache(options.tailCacheBytes),
    }
    this.cleaner = this.#createCleaner()
  }

  /**
   * Takes the directories and opens every log in them; after a crash that scans what may not have reached the disk.
   * A log whose synced data is damaged is there with its `failure` set; the others are served.
   * @throws PlatformError LOG_DIRECTORY_LOCKED, LOG_DIRECTORY_UNWRITABLE, LOG_DIRECTORY_FOREIGN, LOG_CORRUPT_FILE,
   * LOG_IN_TWO_DIRECTORIES
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
   * @throws PlatformError LOG_EXISTS, LOG_STORAGE_FAILED
   */
  async createLog(spec: LogSpec): Promise<Log> {
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
    const found = this.#logs.get(key)
    if (found === undefined) return
    const { log, directory } = found
    this.#logs.delete(key)
    directory.logs.delete(key)
    log.abandon()
    await this.cleaner.pause(log)
    const { disk, clock, logger, random } = this.#deps
    const deleted = path.join(directory.path, deletedDirectoryName(topic, partition, random))
    // What is left of the old log must be neither inherited nor touched by a new one of its name.
    await log.whenAbandoned()
    await this.#save(directory, async () => {
      await directory.saveCheckpoints()
      await disk.rename(log.directory, deleted)
      await disk.syncDirectory(directory.path)
    })
    clock.schedule(log.config.fileDeleteDelayMs, () => {
      // A leftover costs space only, and the next start removes it.
      disk
        .remove(deleted)
        .catch((error: unknown) => logger.warn('a deleted log was not removed', { deleted, error }))
    })
  }

  /** Saves all checkpoints now; also runs by itself. */
  async checkpoint(): Promise<void> {
    for (const directory of this.#directories) {
      if (directory.hasFailed) continue
      await this.#save(directory, () => directory.saveCheckpoints())
    }
  }

  /** Applies retention to all logs now; also runs by itself. */
  async applyRetention(): Promise<void> {
    for (const { log } of Array.from(this.#logs.values())) {
      // One log that cannot be cleaned up must not keep the others from it.
      await log
        .applyRetention()
        .catch((error: unknown) =>
          this.#deps.logger.error('retention of a log failed', { log: log.directory, error }),
        )
    }
  }

  /** Syncs and closes all logs, so that the next start needs no scan, and gives the directories free. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const timer of this.#timers) timer.cancel()
    await this.cleaner.stop()
    const logs = Array.from(this.#logs.values(), ({ log }) => log)
    const closeNext = async (): Promise<void> => {
      for (let log = logs.pop(); log !== undefined; log = logs.pop()) {
        const { directory } = log
        await log
          .close()
          .catch((error: unknown) =>
            this.#deps.logger.error('a log was not closed properly', { log: directory, error }),
          )
      }
    }
    await Promise.all(Array.from({ length: CLOSING_MAX_COUNT }, closeNext))
    for (const directory of this.#directories) await directory.close()
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
        saveCheckpoint: async (log) => {
          const directory = directoryOf(log)
          if (directory !== undefined) {
            await this.#save(directory, () => directory.saveCleanedOffsets())
          }
        },
        onStorageFailure: (log, cause) => {
          const directory = directoryOf(log)
          if (directory !== undefined) this.#onStorageFailure(directory, cause)
        },
      },
      this.#config,
    )
  }

  async #openDirectory(directoryPath: string): Promise<void> {
    const { disk, logger, random, lock = null } = this.#deps
    const directory = await LogDirectory.open(
      { disk, logger, random, lock },
      {
        path: directoryPath,
        nodeId: this.#options.nodeId,
        clusterId: this.#options.clusterId,
      },
    )
    this.#directories.push(directory)
    const partitions = await directory.listPartitions()
    const startedMs = this.#deps.clock.monotonicMs()
    await directory.markInUse()
    const openNext = async (): Promise<void> => {
      for (let next = partitions.shift(); next !== undefined; next = partitions.shift()) {
        const target = path.join(directory.path, next.name)
        this.#refuseSecond(next, directory)
        const topicId = await this.#readTopicId(target)
        const config = this.#options.configOf(next.topic)
        await this.#openLog(directory, { ...next, topicId, config, directory: target })
      }
    }
    await Promise.all(Array.from({ length: this.#config.recoveryConcurrency }, openNext))
    logger.info('a log directory is open', {
      directory: directoryPath,
      logs: directory.logs.size,
      wasClean: directory.wasClean,
      tookMs: Math.round(this.#deps.clock.monotonicMs() - startedMs),
    })
  }

  /** Which of two is the topic's own, only a human can tell; the other one would hide it. */
  #refuseSecond(
    { topic, partition }: { topic: string; partition: number },
    directory: LogDirectory,
  ): void {
    const first = this.#logs.get(checkpointKey(topic, partition))
    if (first === undefined) return
    throw logErrors.create('LOG_IN_TWO_DIRECTORIES', {
      where: `${topic}-${partition}`,
      directory: first.directory.path,
      other: directory.path,
    })
  }

  async #openLog(directory: LogDirectory, spec: LogSpec & { directory: string }): Promise<Log> {
    const key = checkpointKey(spec.topic, spec.partition)
    const { disk, clock, logger, random } = this.#deps
    const hooks = {
      saveRecoveryPoints: () => this.#save(directory, () => directory.saveRecoveryPoints()),
      saveStartOffsets: () => this.#save(directory, () => directory.saveStartOffsets()),
      onStorageFailure: (cause: unknown) => this.#onStorageFailure(directory, cause),
    }
    const log = await Log.open(
      { disk, clock, logger, random, shared: this.#shared, hooks },
      {
        ...spec,
        producerExpirationMs: this.#config.producerExpirationMs,
        isClean: directory.wasClean && directory.recoveryPoints.has(key),
        recoveryPoint: directory.recoveryPoints.get(key) ?? 0,
        logStartOffset: directory.startOffsets.get(key) ?? 0,
        highWatermark: directory.highWatermarks.get(key) ?? 0,
        cleanedOffset: directory.cleanedOffsets.get(key),
      },
    )
    if (log.failure !== null) {
      logger.error('a log is damaged and takes no records', { log: key, error: log.failure })
    }
    this.#logs.set(key, { log, directory })
    directory.logs.set(key, log)
    // They were for the log that was there at the start; one created later begins anew.
    directory.recoveryPoints.delete(key)
    directory.startOffsets.delete(key)
    directory.highWatermarks.delete(key)
    directory.cleanedOffsets.delete(key)
    return log
  }

  async #create(spec: LogSpec): Promise<Log> {
    const directory = this.#emptiestDirectory(spec)
    const { disk } = this.#deps
    const target = path.join(directory.path, `${spec.topic}-${spec.partition}`)
    directory.creatingCount++
    try {
      await disk.makeDirectory(target)
      const content = `version: 0\ntopic_id: ${spec.topicId}`
      await disk.replaceFile(path.join(target, PARTITION_METADATA_FILE), content)
      const log = await this.#openLog(directory, { ...spec, directory: target })
      await disk.syncDirectory(directory.path)
      return log
    } catch (cause) {
      this.#onStorageFailure(directory, cause)
      const params = { where: target, reason: errorMessage(cause) }
      throw logErrors.create('LOG_STORAGE_FAILED', params, { cause })
    } finally {
      directory.creatingCount--
    }
  }

  async #readTopicId(directory: string): Promise<string> {
    const content = await this.#deps.disk.readFile(path.join(directory, PARTITION_METADATA_FILE))
    return /^topic_id: (\S+)$/m.exec(content?.toString() ?? '')?.[1] ?? ZERO_UUID
  }

  #emptiestDirectory(spec: LogSpec): LogDirectory {
    const usable = this.#directories.filter((directory) => !directory.hasFailed)
    if (usable.length === 0) {
      const params = { where: `${spec.topic}-${spec.partition}`, reason: 'no directory is left' }
      throw logErrors.create('LOG_STORAGE_FAILED', params)
    }
    return usable.reduce((best, next) => (next.logCount < best.logCount ? next : best))
  }

  /** A checkpoint that cannot be written is a failure of the disk like any other, unless there is no room for it. */
  async #save(directory: LogDirectory, save: () => Promise<void>): Promise<void> {
    try {
      await save()
    } catch (error) {
      this.#onStorageFailure(directory, error)
      throw error
    }
  }

  #onStorageFailure(directory: LogDirectory, cause: unknown): void {
    if (directory.hasFailed || isDiskFull(cause)) return
    directory.hasFailed = true
    this.#deps.logger.error('a log directory is offline', { directory: directory.path, cause })
    for (const log of directory.logs.values()) log.fail(cause)
  }

  #startChores(): void {
    const { retentionCheckIntervalMs, recoveryPointIntervalMs } = this.#config
    const { startOffsetIntervalMs, highWatermarkIntervalMs } = this.#config
    const onEach = (save: (directory: LogDirectory) => Promise<void>) => async () => {
      for (const directory of this.#directories) {
        if (!directory.hasFailed) await this.#save(directory, () => save(directory))
      }
    }
    this.#every(retentionCheckIntervalMs, () => this.applyRetention())
    this.#every(
      recoveryPointIntervalMs,
      onEach((directory) => directory.saveRecoveryPoints()),
    )
    this.#every(
      startOffsetIntervalMs,
      onEach((directory) => directory.saveStartOffsets()),
    )
    this.#every(
      highWatermarkIntervalMs,
      onEach((directory) => directory.saveHighWatermarks()),
    )
  }

  #every(intervalMs: number, chore: () => Promise<void>): void {
    const index = this.#timers.length
    const arm = () => {
      this.#timers[index] = this.#deps.clock.schedule(intervalMs, () => void run())
    }
    const run = async (): Promise<void> => {
      try {
        await chore()
      } catch (error) {
        this.#deps.logger.error('a chore of the log manager failed', { error })
      }
      if (!this.#isClosed) arm()
    }
    arm()
  }
}
