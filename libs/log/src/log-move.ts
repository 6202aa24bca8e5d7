import * as path from 'node:path'
import { errorMessage, errorCode, type Disk, type Random } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import type { Throttle } from './compaction/throttle'
import { makePartitionDirectory } from './directory-files'
import { logErrors } from './errors'
import { futureDirectoryName, LOG_SUFFIX, offsetFileName, SNAPSHOT_SUFFIX } from './file-names'
import { LEADER_EPOCH_FILE } from './leader-epochs'
import type { Log } from './log'
import { checkpointKey, type LogDirectory } from './log-directory'
import type { MoveSlots } from './move-slots'
import { SEGMENT_SUFFIXES } from './segment'

const CHUNK_BYTES = 1 << 20
/** Appends have to wait while the rest is copied: it is no more than this, unless the producers are faster than the disk. */
const REST_MAX_BYTES = 4 << 20
/** Copying that does not catch up is ended the hard way after so many rounds. */
const ROUNDS_MAX_COUNT = 20
/**
 * Lies in a copy that is whole while the other one may still be there under the same name: a start that finds both takes
 * this one. Nothing is appended to either meanwhile.
 */
export const MOVED_MARKER_FILE = 'moved-here'

export interface LogMoveDeps {
  readonly disk: Disk
  readonly random: Random
  readonly logger: Logger
  /** All moves share it. */
  readonly throttle: Throttle
  readonly slots: MoveSlots
  /** Resolves when nothing compacts the log any more; what it returns ends the pause. */
  readonly pauseCleaning: (log: Log) => Promise<() => void>
}

/** The way of one log into another log directory: copied beside appends and reads, then swapped in. */
export class LogMove {
  readonly log: Log
  readonly target: LogDirectory
  readonly #source: LogDirectory
  readonly #deps: LogMoveDeps
  readonly #future: string
  readonly #truncationCount: number
  /** Bytes by name, of segments that may still grow. */
  readonly #copiedBytes = new Map<string, number>()
  /** Names of files that are copied for good. */
  readonly #copied = new Set<string>()
  readonly #cancellation = new AbortController()
  /** The last bytes are not held back: appends wait for them. */
  #isSwapping = false
  #isSuspended = false
  #ended: Promise<void> = Promise.resolve()

  constructor(
    deps: LogMoveDeps,
    { log, source, target }: { log: Log; source: LogDirectory; target: LogDirectory },
  ) {
    const { topic, partition } = log
    this.#deps = deps
    this.log = log
    this.target = target
    this.#source = source
    this.#truncationCount = log.truncationCount
    this.#future = path.join(target.path, futureDirectoryName(topic, partition, deps.random))
  }

  /** Bytes of batches that are in the other directory. */
  get sizeBytes(): number {
    let total = 0
    for (const bytes of this.#copiedBytes.values()) total += bytes
    return total
  }

  /** Offsets that are not in the other directory for certain. */
  get offsetLag(): number {
    const { segments, logEndOffset } = this.log
    const next = segments.find(
      ({ baseOffset, sizeBytes }) => (this.#copiedBytes.get(logName(baseOffset)) ?? 0) < sizeBytes,
    )
    return next === undefined ? 0 : logEndOffset - next.baseOffset
  }

  /** Makes the other directory ready; the rest goes on by itself when its turn comes, and `onEnded` is called then. @throws LOG_STORAGE_FAILED */
  async start(onEnded: (isMoved: boolean) => void): Promise<void> {
    const { disk, logger } = this.#deps
    try {
      await makePartitionDirectory(disk, this.#future, this.log.topicId)
    } catch (cause) {
      onEnded(false)
      const params = { where: this.#future, reason: errorMessage(cause) }
      throw logErrors.create('LOG_STORAGE_FAILED', params, { cause })
    }
    const fields = { log: this.#where, directory: this.target.path }
    this.#ended = this.#run().then(
      () => {
        onEnded(true)
        logger.info('a log was moved', fields)
      },
      async (error: unknown) => {
        if (this.#cancellation.signal.aborted) logger.info('a log is not moved any more', fields)
        else logger.error('a log was not moved', { ...fields, error })
        if (!this.#isSuspended) await disk.remove(this.#future).catch(() => undefined)
        onEnded(false)
      },
    )
  }

  /** Gives up unless the swap is under way. Resolves when nothing is touched any more. */
  async cancel(): Promise<void> {
    this.#cancellation.abort(new Error('it was given up'))
    await this.#ended
  }

  /** As `cancel`, but the copy stays, by which the next start knows that it has to begin again. */
  async suspend(): Promise<void> {
    this.#isSuspended = true
    await this.cancel()
  }

  get #where(): string {
    return `${this.log.topic}-${this.log.partition}`
  }

  async #run(): Promise<void> {
    const endTurn = await this.#deps.slots.take(this.#cancellation.signal)
    try {
      await this.#move()
    } finally {
      endTurn()
    }
  }

  async #move(): Promise<void> {
    const resumeCleaning = await this.#deps.pauseCleaning(this.log)
    try {
      for (let round = 0; round < ROUNDS_MAX_COUNT; round++) {
        await this.#copySegments()
        if (this.#restBytes() <= REST_MAX_BYTES) break
      }
      const directory = path.join(this.target.path, this.#where)
      const home = { deps: this.target.logDeps(), directory }
      await this.log.relocate(home, () => this.#swap(directory))
      this.#source.logs.delete(checkpointKey(this.log.topic, this.log.partition))
    } finally {
      resumeCleaning()
    }
  }

  #restBytes(): number {
    let total = 0
    for (const { baseOffset, sizeBytes } of this.log.segments) {
      total += sizeBytes - (this.#copiedBytes.get(logName(baseOffset)) ?? 0)
    }
    return total
  }

  /** What is written is copied, and what is sealed for good. */
  async #copySegments(): Promise<void> {
    const { recoveryPoint } = this.log
    for (const [index, segment] of this.log.segments.entries()) {
      const { baseOffset } = segment
      const next = this.log.segments[index + 1]
      const isSealed = next !== undefined && next.baseOffset <= recoveryPoint
      if (!isSealed) {
        await this.#copyFile(logName(baseOffset), segment.writtenBytes)
        continue
      }
      for (const suffix of [...SEGMENT_SUFFIXES, SNAPSHOT_SUFFIX]) {
        await this.#copyFile(offsetFileName(baseOffset, suffix))
      }
    }
  }

  /** Nothing is appended while this runs. The names change hands so that a crash at any time leaves one log. */
  async #swap(directory: string): Promise<void> {
    const { disk } = this.#deps
    const key = checkpointKey(this.log.topic, this.log.partition)
    this.#isSwapping = true
    try {
      await this.#copyRest()
      await disk.remove(path.join(this.log.directory, MOVED_MARKER_FILE))
      await disk.replaceFile(path.join(this.#future, MOVED_MARKER_FILE), '')
      this.target.logs.set(key, this.log)
      await this.target.saveCheckpoints()
      this.#assertWanted()
      await disk.rename(this.#future, directory)
    } catch (cause) {
      this.target.logs.delete(key)
      throw this.#failed(cause)
    }
    const old = await this.#replaceOld()
    // One that stays is removed before the next move.
    await disk.remove(path.join(directory, MOVED_MARKER_FILE)).catch(() => undefined)
    this.#source.removeLater(old, this.log.config.fileDeleteDelayMs)
  }

  /**
   * LOG-12: both copies have the log's name now. Until it is certain that the old one has lost it nothing may be appended to
   * either: a start goes by the mark. So what fails here takes the log offline, beside the directory.
   */
  async #replaceOld(): Promise<string> {
    const { disk } = this.#deps
    let directory = this.target
    try {
      await disk.syncDirectory(this.target.path)
      directory = this.#source
      return await this.#source.setAside(this.log.directory, this.log)
    } catch (cause) {
      directory.fail(cause)
      this.log.fail(cause)
      this.target.logs.delete(checkpointKey(this.log.topic, this.log.partition))
      throw this.#failed(cause)
    }
  }

  async #copyRest(): Promise<void> {
    const { disk } = this.#deps
    for (const segment of this.log.segments) segment.openIndexes()
    const names = (await disk.list(this.log.directory)).filter(isOfLog)
    for (const name of names) await this.#copyFile(name)
    for (const name of await disk.list(this.#future)) {
      if (isOfLog(name) && !names.includes(name)) await disk.remove(path.join(this.#future, name))
    }
    await disk.syncDirectory(this.#future)
  }

  /** Copies a file from where it was copied to before up to `sizeBytes`, for good if that is all of it. */
  async #copyFile(name: string, sizeBytes?: number): Promise<void> {
    if (this.#copied.has(name)) return
    if (sizeBytes !== undefined && (this.#copiedBytes.get(name) ?? 0) >= sizeBytes) return
    const { disk } = this.#deps
    const source = openIfThere(disk, path.join(this.log.directory, name))
    if (source === null) return // retention was faster
    const target = disk.open(path.join(this.#future, name), 'append')
    try {
      const limit = sizeBytes ?? source.size()
      let position = this.#copiedBytes.get(name) ?? 0
      while (position < limit) {
        this.#assertWanted()
        const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, limit - position))
        const count = await source.readLater(chunk, 0, chunk.length, position)
        if (count === 0) throw new Error(`${source.path} became shorter`)
        target.writev([chunk.subarray(0, count)], position)
        position += count
        if (name.endsWith(LOG_SUFFIX)) this.#copiedBytes.set(name, position)
        if (!this.#isSwapping) await this.#deps.throttle.take(count, this.#cancellation.signal)
      }
      await target.sync()
      if (sizeBytes === undefined) this.#copied.add(name)
    } finally {
      source.close()
      target.close()
    }
  }

  #assertWanted(): void {
    const { signal } = this.#cancellation
    if (signal.aborted) throw this.#failed(signal.reason)
    if (this.log.isClosed) throw this.#failed(new Error('the log was closed'))
    if (this.log.isOffline || this.target.hasFailed) {
      throw this.#failed(new Error('a log directory has failed'))
    }
    if (this.log.truncationCount !== this.#truncationCount) {
      throw this.#failed(new Error('the log was cut back'))
    }
  }

  /** Not Node's error, which would be taken for one of the directory that the log lies in. */
  #failed(cause: unknown): Error {
    if (errorCode(cause) === 'LOG_MOVE_FAILED') return cause as Error
    const params = { where: this.#where, directory: this.target.path, reason: errorMessage(cause) }
    return logErrors.create('LOG_MOVE_FAILED', params, { cause })
  }
}

function logName(baseOffset: number): string {
  return offsetFileName(baseOffset, LOG_SUFFIX)
}

function isOfLog(name: string): boolean {
  if (name === LEADER_EPOCH_FILE) return true
  return [...SEGMENT_SUFFIXES, SNAPSHOT_SUFFIX].some((suffix) => name.endsWith(suffix))
}

function openIfThere(disk: Disk, file: string) {
  try {
    return disk.open(file, 'read')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}
