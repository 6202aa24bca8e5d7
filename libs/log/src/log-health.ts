import { errorCode, errorMessage, type Clock, type PlatformError } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import { DiskRoom, isDiskFull } from './disk-room'
import { logErrors } from './errors'

export interface LogHealthDeps {
  readonly clock: Clock
  readonly logger: Logger
  /** The log takes no more records: everything under way must stop, and who waits be told. Called once. */
  readonly onFailed: (failure: PlatformError) => void
  /** The disk is full, or has room again. Called when nothing else of the log is on the stack. */
  readonly onRoomChange: () => void
  /** The disk failed under this log: the directory must know. */
  readonly onStorageFailure: (cause: unknown) => void
}

/** Whether a log can be used, and what its callers are told if not. */
export class LogHealth {
  readonly room: DiskRoom
  /** It is being closed: what is saved then must be the end. */
  isClosing = false
  isClosed = false
  readonly #deps: LogHealthDeps
  /** `topic-partition`, for messages. */
  readonly #where: string
  #failure: PlatformError | null
  #isOffline = false

  constructor(deps: LogHealthDeps, where: string, damage: PlatformError | null) {
    this.#deps = deps
    this.#where = where
    this.#failure = damage
    this.room = new DiskRoom(deps.clock, () => this.#onRoomChange())
  }

  get failure(): PlatformError | null {
    return this.#failure
  }

  /** The disk failed: neither appends nor reads are served. A log that was found damaged is not offline, what is good in it can be read. */
  get isOffline(): boolean {
    return this.#isOffline
  }

  /** Nothing is taken or read any more, whatever comes: the disk failed, here or under another log of the directory. */
  fail(cause: unknown): void {
    if (this.#isOffline || this.isClosed) return
    this.#isOffline = true
    this.#failure ??= this.storageFailed(cause)
    this.#deps.logger.error('a log is offline: its disk failed', {
      log: this.#where,
      error: this.#failure,
    })
    this.#deps.onFailed(this.#failure)
  }

  /** The disk failed under this log. */
  onDiskFailure(cause: unknown): void {
    if (this.isClosed) return
    this.fail(cause)
    if (!isDiskFull(cause)) this.#deps.onStorageFailure(cause)
  }

  storageFailed(cause: unknown): PlatformError {
    if (this.#failure !== null) return this.#failure
    const params = { where: this.#where, reason: errorMessage(cause) }
    return logErrors.create('LOG_STORAGE_FAILED', params, { cause })
  }

  /** What to tell the caller; an error with a code of Node's is one of the disk, and fails the log unless there is no room. */
  explain(error: unknown): unknown {
    const code = errorCode(error)
    if (code === undefined || code.startsWith('LOG_')) return error
    if (isDiskFull(error)) return this.#full(error)
    const failure = this.storageFailed(error)
    this.onDiskFailure(error)
    return failure
  }

  guardRead<Result>(read: () => Result): Result {
    try {
      return read()
    } catch (cause) {
      throw this.storageFailed(cause)
    }
  }

  /** The log is about to be closed, which does not wait for room: what was not written was not acknowledged. */
  startClosing(): void {
    this.isClosing = true
    if (this.room.isFull) this.fail(this.#full())
  }

  /** The log may take records. */
  assertUsable(): void {
    this.assertWhole()
    if (this.room.isFull) throw this.#full()
  }

  /** The log may be changed, even if there is no room for more records. */
  assertWhole(): void {
    if (this.isClosing) throw logErrors.create('LOG_CLOSED', { where: this.#where })
    this.assertOpen()
    if (this.#failure !== null) throw this.#failure
  }

  /** LOG-4: what a disk that failed still gives back may be other than what it keeps. */
  assertReadable(): void {
    this.assertOpen()
    if (this.#isOffline && this.#failure !== null) throw this.#failure
  }

  assertOpen(): void {
    if (this.isClosed) throw logErrors.create('LOG_CLOSED', { where: this.#where })
  }

  #onRoomChange(): void {
    const { isFull } = this.room
    const { logger, onRoomChange } = this.#deps
    if (isFull && this.isClosing) return this.fail(this.#full())
    const fields = { log: this.#where }
    if (isFull) logger.error('a log takes no records until its disk has room', fields)
    else logger.info('a log takes records again', fields)
    queueMicrotask(onRoomChange)
  }

  #full(cause?: unknown): PlatformError {
    return logErrors.create('LOG_DISK_FULL', { where: this.#where }, { cause })
  }
}
