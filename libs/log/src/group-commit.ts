import type { Clock, Disk } from '@millrace/base'
import { Latencies } from '@millrace/telemetry'
import { isDiskFull, type DiskRoom } from './disk-room'
import type { Segment } from './segment'

/** While a sync runs, appends of the same log gather in memory up to this; then they are written without waiting for it. */
const GATHER_MAX_BYTES = 32 << 20

/** Collects the logs that were appended to and lets each write once per tick: one writev per file. */
export class GroupCommit {
  /** How long the syncs of logs took, each with all its files. */
  readonly syncTimes = new Latencies()
  readonly #clock: Clock
  readonly #schedule: (run: () => void) => void
  #waiting = new Set<LogFlusher>()

  /** `schedule` runs a function soon, after what is on the stack: setImmediate, or a simulation's own. */
  constructor(clock: Clock, schedule: (run: () => void) => void) {
    this.#clock = clock
    this.#schedule = schedule
  }

  /** Resolves when all have ended. */
  async timed(syncs: readonly Promise<void>[]): Promise<void> {
    const startedMs = this.#clock.monotonicMs()
    await Promise.all(syncs)
    const nowMs = this.#clock.monotonicMs()
    this.syncTimes.record(nowMs - startedMs, nowMs)
  }

  enqueue(flusher: LogFlusher): void {
    if (this.#waiting.size === 0) this.#schedule(() => this.#runRound())
    this.#waiting.add(flusher)
  }

  #runRound(): void {
    const round = this.#waiting
    this.#waiting = new Set()
    for (const flusher of round) flusher.commit()
  }
}

export interface FlusherDeps {
  readonly disk: Disk
  readonly groupCommit: GroupCommit
  readonly room: DiskRoom
  /** Saves what else must be durable with the batches (leader epochs); called before each sync ends. */
  readonly saveBeside: () => Promise<void> | null
  /** `flushedOffset` grew. */
  readonly onAdvance: () => void
  /** The disk failed: nothing is written from now on. Called once. */
  readonly onFailure: (cause: unknown) => void
}

export interface FlusherOptions {
  readonly directory: string
  readonly ackAfterFlush: boolean
}

interface SyncWaiter {
  readonly offset: number
  readonly resolve: () => void
  readonly reject: (cause: unknown) => void
}

/**
 * Carries the batches of one log to the disk: queued, written, synced. While a sync is on the thread pool the next
 * appends gather, so that under load each sync covers more.
 */
export class LogFlusher {
  ackAfterFlush: boolean
  readonly #deps: FlusherDeps
  readonly #directory: string
  #unwritten: Segment[] = [] // at most two unless segments are tiny: those with queued bytes, oldest first
  #unwrittenBytes = 0
  #unsynced = new Set<Segment>()
  #isDirectoryDirty = false
  #isSyncing = false
  /** The last write found no room. What is queued stays queued, and is written when there is some (LOG-11). */
  #isStuck = false
  #wantsSync = false
  #waiters: SyncWaiter[] = []
  #queuedOffset: number
  #writtenOffset: number
  #syncedOffset: number
  #flushedOffset: number
  #failure: { readonly cause: unknown } | null = null

  constructor(deps: FlusherDeps, options: FlusherOptions, endOffset: number) {
    this.#deps = deps
    this.#directory = options.directory
    this.ackAfterFlush = options.ackAfterFlush
    this.#queuedOffset = this.#writtenOffset = endOffset
    this.#syncedOffset = this.#flushedOffset = endOffset
  }

  /** Everything below may be acknowledged: LOG-1, it never passes `syncedOffset` while `ackAfterFlush` holds. */
  get flushedOffset(): number {
    return this.#flushedOffset
  }

  /** Everything below survives a power loss: the recovery point. */
  get syncedOffset(): number {
    return this.#syncedOffset
  }

  /** `segment` got new bytes up to `nextOffset`. */
  add(segment: Segment, bytes: number, nextOffset: number): void {
    if (this.#unwritten.at(-1) !== segment) this.#unwritten.push(segment)
    this.#unwrittenBytes += bytes
    this.#queuedOffset = nextOffset
    this.#deps.groupCommit.enqueue(this)
  }

  /** A file was created in the log's directory: its name must be durable before anything in it is acknowledged. */
  markDirectoryDirty(): void {
    this.#isDirectoryDirty = true
  }

  /** One round of the group commit. */
  commit(): void {
    if (this.#failure !== null) return
    // Under a running sync the next one covers these as well, and one large write is cheaper than many.
    if (this.#isSyncing && this.ackAfterFlush && this.#unwrittenBytes < GATHER_MAX_BYTES) return
    this.write()
    if (this.#failure !== null) return
    // Only here, never inside `write`: the listener may append, and a write may happen in the middle of an append.
    if (!this.ackAfterFlush) this.#advance(this.#writtenOffset)
    if (this.ackAfterFlush || this.#wantsSync) this.#startSync()
  }

  /** Brings all queued bytes into the page cache now, so that they can be read from the files. */
  write(): void {
    if (this.#unwritten.length === 0 || this.#failure !== null || this.#isStuck) return
    try {
      this.#writeAll()
    } catch (error) {
      if (isDiskFull(error)) this.#waitForRoom()
      else this.#fail(error)
    }
  }

  /** Resolves when all that was appended before the call is synced. Rejects with the cause if the disk fails. */
  flush(): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure.cause as Error)
    return new Promise((resolve, reject) => {
      this.#waiters.push({ offset: this.#queuedOffset, resolve, reject })
      this.#wantsSync = true
      this.write()
      if (this.#failure === null) this.#startSync()
    })
  }

  /** The log was cut back to `offset`; everything was flushed before. */
  truncate(offset: number): void {
    this.#queuedOffset = this.#writtenOffset = this.#syncedOffset = offset
    this.#flushedOffset = offset
  }

  /** `segment` left the log: nothing in it needs to be written or synced any more. */
  forget(segment: Segment): void {
    this.#unsynced.delete(segment)
    this.#unwritten = this.#unwritten.filter((other) => other !== segment)
  }

  /** Nothing is written or synced from now on; those who wait are told. */
  stop(cause: unknown): void {
    if (this.#failure !== null) return
    this.#failure = { cause }
    this.#unwritten = []
    this.#unsynced.clear()
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) waiter.reject(cause)
  }

  #fail(cause: unknown): void {
    if (this.#failure !== null) return
    this.stop(cause)
    this.#deps.onFailure(cause)
  }

  /** What was written of the segments before counts; a torn part stays, and is written over. */
  #writeAll(): void {
    for (const segment of this.#unwritten) {
      segment.write()
      this.#unsynced.add(segment)
    }
    this.#unwritten = []
    this.#unwrittenBytes = 0
    this.#writtenOffset = this.#queuedOffset
  }

  /** LOG-11: what was taken stays taken, in memory; the log takes no more until it is written. */
  #waitForRoom(): void {
    this.#isStuck = true
    const writeAgain = () => {
      if (this.#failure === null) this.#writeAll()
    }
    this.#deps.room.retry(writeAgain).then(
      () => {
        this.#isStuck = false
        this.#wantsSync = this.#waiters.length > 0
        this.#deps.groupCommit.enqueue(this)
      },
      (error: unknown) => this.#fail(error),
    )
  }

  #startSync(): void {
    if (this.#isSyncing) return
    this.#isSyncing = true
    this.#wantsSync = false
    // A failed sync is final (LOG-4): the kernel may have dropped the pages, a second call would say that all is well.
    this.#sync().catch((error: unknown) => this.#fail(error))
  }

  async #sync(): Promise<void> {
    const target = this.#writtenOffset
    const files = [...this.#unsynced]
    const isDirectoryDirty = this.#isDirectoryDirty
    this.#unsynced.clear()
    this.#isDirectoryDirty = false
    const work = files.map((segment) => segment.file.sync())
    if (isDirectoryDirty) work.push(this.#deps.disk.syncDirectory(this.#directory))
    const beside = this.#deps.saveBeside()
    if (beside !== null) work.push(beside)
    await this.#deps.groupCommit.timed(work)
    if (this.#failure !== null) return
    this.#isSyncing = false
    // LOG-1: only now, after the sync of every file with bytes below `target`, may it be acknowledged.
    this.#syncedOffset = target
    this.#settleWaiters()
    this.#advance(target)
    if (this.#isBehind() || this.#wantsSync) this.#continue()
  }

  /** LOG-8: whether something was appended during the sync. A reader may have had it written, and then no append comes to ask for its sync. */
  #isBehind(): boolean {
    if (this.#isStuck) return false
    return (
      this.#unwritten.length > 0 || (this.ackAfterFlush && this.#writtenOffset > this.#syncedOffset)
    )
  }

  #continue(): void {
    if (this.#wantsSync) this.write()
    if (this.#failure !== null) return
    if (this.#wantsSync) this.#startSync()
    else this.#deps.groupCommit.enqueue(this)
  }

  #settleWaiters(): void {
    const { length } = this.#waiters
    if (length === 0) return
    const due = this.#waiters.filter((waiter) => waiter.offset <= this.#syncedOffset)
    this.#waiters = this.#waiters.filter((waiter) => waiter.offset > this.#syncedOffset)
    for (const waiter of due) waiter.resolve()
  }

  #advance(offset: number): void {
    if (offset <= this.#flushedOffset) return
    this.#flushedOffset = offset
    this.#deps.onAdvance()
  }
}
