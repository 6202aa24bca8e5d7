import * as path from 'node:path'
import {
  errorMessage,
  type Clock,
  type DirectoryLock,
  type Disk,
  type Random,
} from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import { FileSaver, formatOffsets, type PartitionOffsets } from './checkpoint-file'
import type { LogConfig } from './config'
import {
  CLEAN_SHUTDOWN_FILE,
  CLEANER_OFFSET_FILE,
  HIGH_WATERMARK_FILE,
  makePartitionDirectory,
  openDirectory,
  readTopicId,
  RECOVERY_POINT_FILE,
  START_OFFSET_FILE,
  type LogDirectoryOptions,
  type OpenedDirectory,
} from './directory-files'
import { isDiskFull } from './disk-room'
import { logErrors } from './errors'
import {
  deletedDirectoryName,
  DIRECTORY_DELETED_SUFFIX,
  parseFutureDirectory,
  parsePartitionDirectory,
  type PartitionName,
} from './file-names'
import { Log } from './log'
import type { LogDeps, LogShared } from './log-types'

export interface LogDirectoryDeps {
  readonly disk: Disk
  readonly clock: Clock
  readonly logger: Logger
  readonly random: Random
  readonly lock: ((directory: string) => DirectoryLock) | null
  readonly shared: LogShared
  /** Its disk failed; its logs know already. */
  readonly onFailed: (directory: LogDirectory, cause: unknown) => void
}

export interface LogSpec {
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  readonly config: LogConfig
}

export interface OpenLogSpec extends LogSpec {
  /** The name of the partition's directory. */
  readonly name: string
}

/** What lies in a log directory at the start. */
export interface FoundPartitions {
  readonly partitions: readonly (PartitionName & { name: string })[]
  /** Of moves that the last run did not end; what was copied is removed. */
  readonly unfinishedMoves: readonly PartitionName[]
}

/** One of `log.dirs`: its identity, its checkpoints, and the logs that lie in it. */
export class LogDirectory {
  readonly path: string
  readonly id: string
  readonly wasClean: boolean
  readonly logs = new Map<string, Log>()
  /** Logs that are being created here and are not among `logs` yet. */
  creatingCount = 0

  readonly #deps: LogDirectoryDeps
  /** Of logs that are not open yet. */
  readonly #stored: OpenedDirectory
  readonly #recoveryPointFile: FileSaver
  readonly #startOffsetFile: FileSaver
  readonly #highWatermarkFile: FileSaver
  readonly #cleanedOffsetFile: FileSaver
  #failure: { readonly cause: unknown } | null = null
  /** The checkpoints may have lines of logs that were deleted, which a new log of that name must not get. */
  #hasStaleLines = false

  private constructor(deps: LogDirectoryDeps, stored: OpenedDirectory) {
    this.#deps = deps
    this.#stored = stored
    this.path = stored.path
    this.id = stored.id
    this.wasClean = stored.wasClean
    this.#recoveryPointFile = this.#saver(RECOVERY_POINT_FILE, (log) => log.recoveryPoint)
    this.#startOffsetFile = this.#saver(START_OFFSET_FILE, (log) => log.logStartOffset)
    this.#highWatermarkFile = this.#saver(HIGH_WATERMARK_FILE, (log) => log.highWatermark)
    this.#cleanedOffsetFile = this.#saver(CLEANER_OFFSET_FILE, (log) => log.cleanedOffset)
  }

  /** @throws PlatformError LOG_DIRECTORY_LOCKED, LOG_DIRECTORY_UNWRITABLE, LOG_DIRECTORY_FOREIGN, LOG_CORRUPT_FILE */
  static async open(deps: LogDirectoryDeps, options: LogDirectoryOptions): Promise<LogDirectory> {
    return new LogDirectory(deps, await openDirectory(deps, options))
  }

  get hasFailed(): boolean {
    return this.#failure !== null
  }
  /** What failed it, or null. */
  get failureReason(): string | null {
    return this.#failure === null ? null : errorMessage(this.#failure.cause)
  }
  get logCount(): number {
    return this.logs.size + this.creatingCount
  }

  /** What lies here. Directories of deleted partitions are removed. */
  async listPartitions(): Promise<FoundPartitions> {
    const { disk } = this.#deps
    const partitions: (PartitionName & { name: string })[] = []
    const unfinishedMoves: PartitionName[] = []
    for (const name of await disk.list(this.path)) {
      const parsed = parsePartitionDirectory(name)
      const future = parseFutureDirectory(name)
      if (parsed !== null) partitions.push({ name, ...parsed })
      if (future !== null) unfinishedMoves.push(future)
      if (future !== null || name.endsWith(DIRECTORY_DELETED_SUFFIX)) {
        await disk.remove(path.join(this.path, name))
      }
    }
    return { partitions, unfinishedMoves }
  }

  /** Opens a log that lies here, as its files and the checkpoints say. */
  async openLog(spec: OpenLogSpec): Promise<Log> {
    const key = checkpointKey(spec.topic, spec.partition)
    const { recoveryPoints, startOffsets, highWatermarks, cleanedOffsets } = this.#stored
    const log = await Log.open(this.logDeps(), {
      ...spec,
      directory: path.join(this.path, spec.name),
      isClean: this.wasClean && recoveryPoints.has(key),
      recoveryPoint: recoveryPoints.get(key) ?? 0,
      logStartOffset: startOffsets.get(key) ?? 0,
      highWatermark: highWatermarks.get(key) ?? 0,
      cleanedOffset: cleanedOffsets.get(key),
    })
    if (log.failure !== null) {
      const fields = { log: key, error: log.failure }
      this.#deps.logger.error('a log is damaged and takes no records', fields)
    }
    this.logs.set(key, log)
    return log
  }

  /** All that lies here is open: what the last run's checkpoints still say is of logs that are gone. */
  forgetStored(): void {
    const { recoveryPoints, startOffsets, highWatermarks, cleanedOffsets } = this.#stored
    for (const offsets of [recoveryPoints, startOffsets, highWatermarks, cleanedOffsets]) {
      offsets.clear()
    }
  }

  /** A new log, durably with its id. @throws PlatformError LOG_STORAGE_FAILED, LOG_DISK_FULL */
  async createLog(spec: LogSpec): Promise<Log> {
    const { disk } = this.#deps
    const name = `${spec.topic}-${spec.partition}`
    const target = path.join(this.path, name)
    this.creatingCount++
    try {
      if (this.#hasStaleLines) await this.saveCheckpoints()
      await makePartitionDirectory(disk, target, spec.topicId)
      const log = await this.openLog({ ...spec, name })
      await disk.syncDirectory(this.path)
      return log
    } catch (cause) {
      if (isDiskFull(cause)) {
        await disk.remove(target).catch(() => undefined) // what is left costs little, and the next try takes it over
        throw logErrors.create('LOG_DISK_FULL', { where: target }, { cause })
      }
      this.fail(cause)
      const params = { where: target, reason: errorMessage(cause) }
      throw logErrors.create('LOG_STORAGE_FAILED', params, { cause })
    } finally {
      this.creatingCount--
    }
  }

  /** Takes an abandoned log out durably, and its files after `file.delete.delay.ms`. Deleting makes room, so it needs none. */
  async deleteLog(log: Log): Promise<void> {
    if (this.hasFailed) return // the next start removes it, if the cluster does not have it then
    try {
      await this.saveCheckpoints()
    } catch (error) {
      if (!isDiskFull(error)) throw error
      this.#hasStaleLines = true
    }
    const deleted = await this.#guard(() => this.setAside(log.directory, log))
    this.removeLater(deleted, log.config.fileDeleteDelayMs)
  }

  /** Removes a directory that was set aside, after the delay. */
  removeLater(deleted: string, delayMs: number): void {
    const { disk, clock, logger } = this.#deps
    clock.schedule(delayMs, () => {
      // A leftover costs space only, and the next start removes it.
      disk
        .remove(deleted)
        .catch((error: unknown) => logger.warn('a deleted log was not removed', { deleted, error }))
    })
  }

  /** Durably gives a partition's directory the name of a deleted one, which is returned. */
  async setAside(directory: string, { topic, partition }: PartitionName): Promise<string> {
    const { disk, random } = this.#deps
    const deleted = path.join(this.path, deletedDirectoryName(topic, partition, random))
    await disk.rename(directory, deleted)
    await disk.syncDirectory(this.path)
    return deleted
  }

  topicIdOf(name: string): Promise<string> {
    return readTopicId(this.#deps.disk, path.join(this.path, name))
  }

  /** For a log that lies here. */
  logDeps(): LogDeps {
    const { disk, clock, logger, random, shared } = this.#deps
    const hooks = {
      saveRecoveryPoints: () => this.saveRecoveryPoints(),
      saveStartOffsets: () => this.saveStartOffsets(),
      onStorageFailure: (cause: unknown) => this.fail(cause),
    }
    return { disk, clock, logger, random, shared, hooks }
  }

  /** @throws Node's error. But for want of room, that is a failure of the disk like any other. */
  saveRecoveryPoints(): Promise<void> {
    return this.#guard(() => this.#recoveryPointFile.save())
  }
  saveStartOffsets(): Promise<void> {
    return this.#guard(() => this.#startOffsetFile.save())
  }
  saveHighWatermarks(): Promise<void> {
    return this.#guard(() => this.#highWatermarkFile.save())
  }
  saveCleanedOffsets(): Promise<void> {
    return this.#guard(() => this.#cleanedOffsetFile.save())
  }

  /** The three checkpoints that a start goes by. */
  async saveCheckpoints(): Promise<void> {
    await this.saveRecoveryPoints()
    await this.saveStartOffsets()
    await this.saveHighWatermarks()
    this.#hasStaleLines = false
  }

  /** From now on a crash means recovery: the marker goes before the first byte is written. */
  async markInUse(): Promise<void> {
    if (!this.wasClean) return
    await this.#deps.disk.remove(path.join(this.path, CLEAN_SHUTDOWN_FILE))
    await this.#deps.disk.syncDirectory(this.path)
  }

  /** LOG-4: the disk failed under something here. Nothing else here can be trusted to fare better. */
  fail(cause: unknown): void {
    if (this.hasFailed || isDiskFull(cause)) return
    this.#failure = { cause }
    this.#deps.logger.error('a log directory is offline', { directory: this.path, cause })
    for (const log of this.logs.values()) log.fail(cause)
    this.#deps.onFailed(this, cause)
  }

  /** Saves the checkpoints and says so that the next start needs no scan; then gives the directory free. */
  async close(brokerEpoch: number): Promise<void> {
    const { disk, logger } = this.#deps
    try {
      if (this.hasFailed) return
      await this.saveCheckpoints()
      const isWhole = [...this.logs.values()].every((log) => log.failure === null)
      if (!isWhole) return
      const content = JSON.stringify({ version: 0, brokerEpoch })
      await disk.replaceFile(path.join(this.path, CLEAN_SHUTDOWN_FILE), content)
    } catch (error) {
      // Without the marker the next start scans: slower, but nothing is lost.
      logger.error('a log directory was not closed properly', { directory: this.path, error })
    } finally {
      this.abandon()
    }
  }

  /** Gives the directory free as it is. */
  abandon(): void {
    this.#stored.lock?.release()
  }

  async #guard<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      this.fail(error)
      throw error
    }
  }

  #saver(name: string, offsetOf: (log: Log) => number): FileSaver {
    return new FileSaver(this.#deps.disk, path.join(this.path, name), () => {
      const offsets: PartitionOffsets = new Map()
      for (const log of this.logs.values()) {
        const offset = offsetOf(log)
        if (offset >= 0) offsets.set(checkpointKey(log.topic, log.partition), offset)
      }
      return formatOffsets(offsets)
    })
  }
}

/** How a checkpoint names a partition. */
export function checkpointKey(topic: string, partition: number): string {
  return `${topic} ${partition}`
}
