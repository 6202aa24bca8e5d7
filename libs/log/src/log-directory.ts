import * as path from 'node:path'
import {
  errorCode,
  errorMessage,
  newUuid,
  type DirectoryLock,
  type Disk,
  type Random,
} from '@millrace/base'
import { parsePropertiesFile } from '@millrace/config'
import type { Logger } from '@millrace/telemetry'
import { FileSaver, formatOffsets, readOffsets, type PartitionOffsets } from './checkpoint-file'
import { logErrors } from './errors'
import { DIRECTORY_DELETED_SUFFIX, parsePartitionDirectory } from './file-names'
import type { Log } from './log'

const META_FILE = 'meta.properties'
const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown'
const RECOVERY_POINT_FILE = 'recovery-point-offset-checkpoint'
const START_OFFSET_FILE = 'log-start-offset-checkpoint'
const HIGH_WATERMARK_FILE = 'replication-offset-checkpoint'
const CLEANER_OFFSET_FILE = 'cleaner-offset-checkpoint'
const META_VERSION = '1'

export interface LogDirectoryDeps {
  readonly disk: Disk
  readonly logger: Logger
  readonly random: Random
  /** Keeps other processes out, or null where that is done already. */
  readonly lock: ((directory: string) => DirectoryLock) | null
}

export interface LogDirectoryOptions {
  readonly path: string
  readonly nodeId: number
  readonly clusterId: string
}

/** One of `log.dirs`: its identity, its checkpoints, and the logs that lie in it. */
export class LogDirectory {
  readonly path: string
  readonly id: string
  /** It was closed properly the last time: no log needs a scan. */
  readonly wasClean: boolean
  readonly recoveryPoints: PartitionOffsets
  readonly startOffsets: PartitionOffsets
  readonly highWatermarks: PartitionOffsets
  /** How far logs were compacted; those that never were have no line. */
  readonly cleanedOffsets: PartitionOffsets
  readonly logs = new Map<string, Log>()
  /** Logs that are being created here and are not among `logs` yet. */
  creatingCount = 0
  hasFailed = false

  readonly #disk: Disk
  readonly #logger: Logger
  readonly #lock: DirectoryLock | null
  readonly #recoveryPointFile: FileSaver
  readonly #startOffsetFile: FileSaver
  readonly #highWatermarkFile: FileSaver
  readonly #cleanedOffsetFile: FileSaver

  private constructor(deps: LogDirectoryDeps, fields: OpenedDirectory) {
    this.#disk = deps.disk
    this.#logger = deps.logger
    this.#lock = fields.lock
    this.path = fields.path
    this.id = fields.id
    this.wasClean = fields.wasClean
    this.recoveryPoints = fields.recoveryPoints
    this.startOffsets = fields.startOffsets
    this.highWatermarks = fields.highWatermarks
    this.cleanedOffsets = fields.cleanedOffsets
    this.#recoveryPointFile = this.#saver(RECOVERY_POINT_FILE, (log) => log.recoveryPoint)
    this.#startOffsetFile = this.#saver(START_OFFSET_FILE, (log) => log.logStartOffset)
    this.#highWatermarkFile = this.#saver(HIGH_WATERMARK_FILE, (log) => log.highWatermark)
    this.#cleanedOffsetFile = this.#saver(CLEANER_OFFSET_FILE, (log) => log.cleanedOffset)
  }

  /**
   * Locks the directory, checks that it belongs to this node and reads its checkpoints.
   * @throws PlatformError LOG_DIRECTORY_LOCKED, LOG_DIRECTORY_UNWRITABLE, LOG_DIRECTORY_FOREIGN, LOG_CORRUPT_FILE
   */
  static async open(deps: LogDirectoryDeps, options: LogDirectoryOptions): Promise<LogDirectory> {
    const lock = await takeDirectory(deps, options.path)
    try {
      return new LogDirectory(deps, { lock, ...(await readDirectory(deps, options)) })
    } catch (error) {
      lock?.release()
      throw error
    }
  }

  get logCount(): number {
    return this.logs.size + this.creatingCount
  }

  /** Names of the partitions that lie here. Directories of deleted ones are removed. */
  async listPartitions(): Promise<{ name: string; topic: string; partition: number }[]> {
    const found: { name: string; topic: string; partition: number }[] = []
    for (const name of await this.#disk.list(this.path)) {
      if (name.endsWith(DIRECTORY_DELETED_SUFFIX)) {
        await this.#disk.remove(path.join(this.path, name))
        continue
      }
      const parsed = parsePartitionDirectory(name)
      if (parsed !== null) found.push({ name, ...parsed })
    }
    return found
  }

  saveRecoveryPoints(): Promise<void> {
    return this.#recoveryPointFile.save()
  }
  saveStartOffsets(): Promise<void> {
    return this.#startOffsetFile.save()
  }
  saveHighWatermarks(): Promise<void> {
    return this.#highWatermarkFile.save()
  }

  saveCleanedOffsets(): Promise<void> {
    return this.#cleanedOffsetFile.save()
  }

  /** The three checkpoints that a start goes by. */
  async saveCheckpoints(): Promise<void> {
    await this.saveRecoveryPoints()
    await this.saveStartOffsets()
    await this.saveHighWatermarks()
  }

  /** From now on a crash means recovery: the marker goes before the first byte is written. */
  async markInUse(): Promise<void> {
    if (!this.wasClean) return
    await this.#disk.remove(path.join(this.path, CLEAN_SHUTDOWN_FILE))
    await this.#disk.syncDirectory(this.path)
  }

  /** Saves the checkpoints and says so that the next start needs no scan; then gives the directory free. */
  async close(): Promise<void> {
    try {
      if (this.hasFailed) return
      await this.saveCheckpoints()
      const isWhole = [...this.logs.values()].every((log) => log.failure === null)
      if (!isWhole) return
      const content = JSON.stringify({ version: 0, brokerEpoch: -1 })
      await this.#disk.replaceFile(path.join(this.path, CLEAN_SHUTDOWN_FILE), content)
    } catch (error) {
      // Without the marker the next start scans: slower, but nothing is lost.
      this.#logger.error('a log directory was not closed properly', { directory: this.path, error })
    } finally {
      this.#lock?.release()
    }
  }

  /** Gives the directory free as it is. */
  abandon(): void {
    this.#lock?.release()
  }

  #saver(name: string, offsetOf: (log: Log) => number): FileSaver {
    return new FileSaver(this.#disk, path.join(this.path, name), () => {
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

interface OpenedDirectory {
  readonly lock: DirectoryLock | null
  readonly path: string
  readonly id: string
  readonly wasClean: boolean
  readonly recoveryPoints: PartitionOffsets
  readonly startOffsets: PartitionOffsets
  readonly highWatermarks: PartitionOffsets
  readonly cleanedOffsets: PartitionOffsets
}

async function takeDirectory(
  { disk, lock }: LogDirectoryDeps,
  directory: string,
): Promise<DirectoryLock | null> {
  try {
    await disk.makeDirectory(directory)
    return lock?.(directory) ?? null
  } catch (cause) {
    if (errorCode(cause) === 'BASE_DIRECTORY_LOCKED') {
      throw logErrors.create('LOG_DIRECTORY_LOCKED', { directory }, { cause })
    }
    const params = { directory, reason: errorMessage(cause) }
    throw logErrors.create('LOG_DIRECTORY_UNWRITABLE', params, { cause })
  }
}

async function readDirectory(
  deps: LogDirectoryDeps,
  options: LogDirectoryOptions,
): Promise<Omit<OpenedDirectory, 'lock'>> {
  const { disk } = deps
  const at = (name: string) => path.join(options.path, name)
  const id = await readIdentity(deps, options)
  return {
    path: options.path,
    id,
    wasClean: (await disk.readFile(at(CLEAN_SHUTDOWN_FILE))) !== null,
    recoveryPoints: await readOffsets(disk, at(RECOVERY_POINT_FILE)),
    startOffsets: await readOffsets(disk, at(START_OFFSET_FILE)),
    highWatermarks: await readOffsets(disk, at(HIGH_WATERMARK_FILE)),
    cleanedOffsets: await readOffsets(disk, at(CLEANER_OFFSET_FILE)),
  }
}

/** Reads or writes meta.properties. Another cluster's data must never be served or written to. */
async function readIdentity(
  { disk, random }: LogDirectoryDeps,
  { path: directory, nodeId, clusterId }: LogDirectoryOptions,
): Promise<string> {
  const file = path.join(directory, META_FILE)
  const content = await disk.readFile(file)
  if (content === null) {
    const id = newUuid(random)
    const lines = [`cluster.id=${clusterId}`, `directory.id=${id}`, `node.id=${nodeId}`]
    await writeNew(disk, file, [...lines, `version=${META_VERSION}`, ''].join('\n'))
    return id
  }
  const found = parsePropertiesFile(content.toString())
  const expected = { version: META_VERSION, 'cluster.id': clusterId, 'node.id': String(nodeId) }
  for (const [property, value] of Object.entries(expected)) {
    if (found[property] === value) continue
    const params = { directory, property, found: found[property] ?? 'none', expected: value }
    throw logErrors.create('LOG_DIRECTORY_FOREIGN', params)
  }
  return found['directory.id'] ?? newUuid(random)
}

async function writeNew(disk: Disk, file: string, content: string): Promise<void> {
  try {
    await disk.replaceFile(file, content)
    await disk.syncDirectory(path.dirname(path.dirname(file)))
  } catch (cause) {
    const params = { directory: path.dirname(file), reason: errorMessage(cause) }
    throw logErrors.create('LOG_DIRECTORY_UNWRITABLE', params, { cause })
  }
}
