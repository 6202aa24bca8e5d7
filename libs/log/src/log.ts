import { invariant, type PlatformError } from '@millrace/base'
import { appendMarker, appendRecords, startVerification } from './append'
import type { LastOfProducer } from './compaction/batch-filter'
import type { SwappedIn } from './compaction/swap'
import type { LogConfig } from './config'
import { logErrors } from './errors'
import type { LogHealth } from './log-health'
import { createParts, type LogParts } from './log-parts'
import type { LogState } from './log-state'
import { deleteOldSegments, moveStart, replaceSegments, truncate } from './log-trimming'
import type {
  ActiveProducer,
  AppendOptions,
  AppendResult,
  FoundOffset,
  LogDeps,
  LogHome,
  LogOptions,
  MarkerOptions,
  ReadResult,
} from './log-types'
import { findAborted, readSegments } from './read'
import { relocate } from './log-relocation'
import { recoverLog, type RecoveredLog } from './recovery'
import type { Segment, ReadLimits } from './segment'
import type { LogTail } from './tail-cache'
import type { TimestampOffset } from './time-index'
import { findByTimestamp, findNewest } from './timestamp-lookup'
import type { AbortedTransaction } from './txn-index'
import type { VerificationRequest } from './verifications'

const NO_RECORDS = Buffer.alloc(0)

/** One partition's log: takes batches, makes them durable, gives them back. All methods run on one thread. */
export class Log {
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  /** One listener, called after `flushedOffset` grew, after a failure, and when the disk is full or has room again. */
  onFlushed: (() => void) | null = null
  /** Everything below was compacted; -1 if nothing was. Kept in the cleaner's checkpoint. */
  cleanedOffset: number

  readonly #parts: LogParts
  readonly #state: LogState
  readonly #tail: LogTail
  readonly #health: LogHealth
  /** The recovery point of the last run if data below it is missing, else 0: the next start must see it again. */
  readonly #damagedRecoveryPoint: number
  /** Truncation is under way: offsets are not known until it is done, so nothing may be appended. */
  #isTruncating = false
  #isMoving = false // the last bytes are on their way to another directory: whoever appends must come again
  #truncationCount = 0
  /** Changes of the set of segments run one after the other. */
  #exclusive: Promise<unknown> = Promise.resolve()

  private constructor(deps: LogDeps, options: LogOptions, recovered: RecoveredLog) {
    this.topic = options.topic
    this.partition = options.partition
    this.topicId = options.topicId
    this.cleanedOffset = options.cleanedOffset ?? -1
    this.#damagedRecoveryPoint = recovered.damage === null ? 0 : options.recoveryPoint
    this.#parts = createParts({ deps, options, recovered }, () => this.onFlushed?.())
    this.#state = this.#parts.state
    this.#tail = this.#parts.tail
    this.#health = this.#parts.health
  }

  /** Opens or creates the log in its directory; recovers it first unless it was closed properly. */
  static async open(deps: LogDeps, options: LogOptions): Promise<Log> {
    const recovered = await recoverLog(deps, {
      ...options,
      where: `${options.topic}-${options.partition}`,
      indexIntervalBytes: options.config.indexIntervalBytes,
      producerExpirationMs: deps.shared.producerExpirationMs,
      nowMs: deps.clock.now(),
    })
    return new Log(deps, options, recovered)
  }

  get directory(): string {
    return this.#parts.directory
  }
  get config(): LogConfig {
    return this.#parts.config
  }
  get logStartOffset(): number {
    return this.#state.logStartOffset
  }
  /** The offset that the next record gets. */
  get logEndOffset(): number {
    return this.#state.logEndOffset
  }
  get highWatermark(): number {
    return this.#state.highWatermark
  }
  /** Where the first transaction begins that is open, or whose marker is not below the high watermark; null if none. */
  get firstUnstableOffset(): number | null {
    return this.#state.firstUnstableOffset
  }
  /** Everything below is decided for good: what a reader of committed records may see. */
  get lastStableOffset(): number {
    return this.#state.lastStableOffset
  }
  /** Everything below is safe by the configured rule: synced, or in the page cache with `ack.after.flush=false`. */
  get flushedOffset(): number {
    return this.#parts.writer.flushedOffset
  }
  /** Everything below survives a power loss. It stays where it was if synced data was found damaged: see LOG-2. */
  get recoveryPoint(): number {
    return this.#damagedRecoveryPoint > 0
      ? this.#damagedRecoveryPoint
      : this.#parts.writer.recoveryPoint
  }
  get sizeBytes(): number {
    return this.#state.segments.sizeBytes
  }
  /** The disk failed, or data that was synced is damaged: appends throw this. */
  get failure(): PlatformError | null {
    return this.#health.failure
  }
  /** The disk failed: reads throw LOG_STORAGE_FAILED as well. */
  get isOffline(): boolean {
    return this.#health.isOffline
  }
  /** The disk is full: appends throw LOG_DISK_FULL until what was taken before is written. */
  get isOutOfRoom(): boolean {
    return this.#health.room.isFull
  }
  get isClosed(): boolean {
    return this.#health.isClosed
  }
  /** Oldest first; the last one is the one that grows. For compaction, which only reads them. */
  get segments(): readonly Segment[] {
    return this.#state.segments.all()
  }
  /** How often the log was cut back: a segment that was read before may have another content then. */
  get truncationCount(): number {
    return this.#truncationCount
  }

  /** Moves the offset below which consumers may read; its owner is the partition. */
  setHighWatermark(offset: number): void {
    this.#state.highWatermark = offset
  }

  updateConfig(config: LogConfig): void {
    this.#parts.config = config
    this.#parts.writer.updateConfig(config)
  }

  /**
   * Takes whole batches, all or none, and queues them for the next write. Patches base offset and leader epoch in place
   * and owns `records` from then on. Not durable when it returns: wait for `flushedOffset` to reach `nextOffset`.
   * @throws PlatformError LOG_STORAGE_FAILED, LOG_DISK_FULL, LOG_CLOSED and those of `checkRecords`
   */
  append(records: Buffer, options: AppendOptions): AppendResult {
    this.#assertAppendable()
    return appendRecords(this.#parts, records, options)
  }

  /**
   * Ends the transaction of a producer here: appends a control batch. Without an open transaction it only notes the epochs.
   * @throws PlatformError LOG_INVALID_PRODUCER_EPOCH, LOG_COORDINATOR_FENCED, LOG_STORAGE_FAILED, LOG_DISK_FULL, LOG_CLOSED
   */
  appendMarker(options: MarkerOptions): AppendResult {
    this.#assertAppendable()
    return appendMarker(this.#parts, options)
  }

  /**
   * Begins to find out whether a transaction that is not open here may be opened: the caller asks the coordinator and gives
   * the guard to `append`. Null if it is open, so that nothing has to be asked.
   * @throws PlatformError LOG_INVALID_PRODUCER_EPOCH
   */
  startVerification(request: VerificationRequest): number | null {
    return startVerification(this.#parts, request)
  }

  hasOngoingTransaction(producerId: number): boolean {
    return (this.#state.producers.entry(producerId)?.currentTxnFirstOffset ?? -1) >= 0
  }

  /** The producers that the log remembers. */
  activeProducers(): ActiveProducer[] {
    return this.#state.producers.active()
  }

  get producerCount(): number {
    return this.#state.producers.size
  }

  /** What the log has last of each producer that it remembers: compaction keeps it. */
  lastOfProducers(): Map<number, LastOfProducer> {
    return this.#state.producers.last()
  }

  /** The aborted transactions with records from `fromOffset` up to `toOffsetExclusive`. @throws PlatformError LOG_STORAGE_FAILED */
  abortedTransactions(fromOffset: number, toOffsetExclusive: number): AbortedTransaction[] {
    this.#health.assertReadable()
    return this.#health.guardRead(() =>
      findAborted(this.#state.segments, fromOffset, toOffsetExclusive),
    )
  }

  /**
   * Whole batches from the one that holds `startOffset` on, up to `maxOffsetExclusive`, from memory or the page cache.
   * @throws PlatformError LOG_OFFSET_OUT_OF_RANGE, LOG_STORAGE_FAILED, LOG_CLOSED
   */
  read(startOffset: number, limits: ReadLimits): ReadResult {
    this.#health.assertReadable()
    const { logStartOffset, logEndOffset } = this.#state
    if (startOffset < logStartOffset || startOffset > logEndOffset) {
      const params = { offset: startOffset, where: this.#parts.where, logStartOffset, logEndOffset }
      throw logErrors.create('LOG_OFFSET_OUT_OF_RANGE', params)
    }
    const maxOffsetExclusive = Math.min(limits.maxOffsetExclusive, logEndOffset)
    if (startOffset >= maxOffsetExclusive) return { records: NO_RECORDS, sizeBytes: 0 }
    const bounded = { ...limits, maxOffsetExclusive }
    const records = this.#tail.read(startOffset, bounded) ?? this.#readFiles(startOffset, bounded)
    return { records, sizeBytes: records.length }
  }

  /**
   * About how many bytes of batches lie between two offsets, without reading them: exact in the tail, to an index entry in a
   * file, and Infinity where a whole segment or its end lies between. Never 0.
   */
  bytesBetween(fromOffset: number, toOffset: number): number {
    const inTail = this.#tail.bytesBetween(fromOffset, toOffset)
    return Math.max(1, inTail ?? this.#state.segments.bytesBetween(fromOffset, toOffset))
  }

  /** The first record that is not older than `timestamp`, or null. */
  offsetForTimestamp(timestamp: number): FoundOffset | null {
    return this.#lookUp((segments, from) => findByTimestamp(segments, timestamp, from))
  }

  /** The first record with the largest timestamp, or null if no record has one. */
  maxTimestampOffset(): FoundOffset | null {
    return this.#lookUp(findNewest)
  }

  /** Where the newest epoch not above `epoch` stopped; -1 and -1 if unknown. */
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } {
    return this.#state.epochs.endOffset(epoch, this.#state.logEndOffset)
  }

  /** The newest leader epoch that wrote here, -1 if none. */
  latestEpoch(): number {
    return this.#state.epochs.latest()
  }

  /** The leader epoch that wrote `offset`, -1 if unknown. */
  epochOf(offset: number): number {
    return this.#state.epochs.epochOf(offset)
  }

  /** A leader begins: its epoch starts here. Durable with the first batch of the epoch, or the next flush. */
  assignEpochStart(epoch: number, startOffset: number): void {
    this.#state.epochs.assign(epoch, startOffset)
  }

  /** Resolves when everything appended before the call is synced; on a full disk when there was room. @throws PlatformError LOG_STORAGE_FAILED */
  async flush(): Promise<void> {
    if (this.failure !== null) throw this.failure
    try {
      await this.#parts.writer.flush()
    } catch (cause) {
      throw this.#health.storageFailed(cause)
    }
  }

  /**
   * Removes everything at and above `offset`, and the whole batch that holds it: what a follower does on divergence.
   * @throws PlatformError LOG_DISK_FULL, LOG_STORAGE_FAILED, LOG_CLOSED
   */
  truncateTo(offset: number): Promise<void> {
    return this.#exclusively(async () => {
      this.#health.assertUsable()
      if (offset >= this.#state.logEndOffset) return
      await this.#parts.writer.quiesce()
      this.#isTruncating = true
      this.#truncationCount++
      try {
        await truncate(this.#parts, offset)
        this.cleanedOffset = Math.min(this.cleanedOffset, this.#state.logEndOffset)
      } finally {
        this.#isTruncating = false
      }
    })
  }

  /**
   * Moves the log start offset, which is durable when this resolves; whole segments below it are deleted.
   * @throws PlatformError LOG_OFFSET_OUT_OF_RANGE for an offset beyond the high watermark, LOG_DISK_FULL if only the
   * deletion of segments succeeded
   */
  deleteRecordsBefore(offset: number): Promise<void> {
    return this.#exclusively(async () => {
      this.#health.assertWhole()
      await moveStart(this.#parts, offset)
    })
  }

  /** Forgets the producers that have written nothing for `producer.id.expiration.ms`. */
  expireProducers(): void {
    const { verifications, deps } = this.#parts
    const { producerExpirationMs } = deps.shared
    this.#state.producers.expire(deps.clock.now(), producerExpirationMs)
    verifications.expire(producerExpirationMs)
  }

  /** Deletes the segments that retention by time, by size or the log start offset have passed. */
  applyRetention(): Promise<void> {
    return this.#exclusively(async () => {
      if (this.failure === null) await deleteOldSegments(this.#parts)
    })
  }

  /**
   * Puts another segment in the place of neighbours, with which compaction ends. `swap` moves the files while nothing else
   * changes the segments. False, and nothing is done, if one of them was deleted or truncated into.
   * @throws PlatformError LOG_STORAGE_FAILED, LOG_DISK_FULL, LOG_CLOSED
   */
  replaceSegments(replaced: readonly Segment[], swap: () => Promise<SwappedIn>): Promise<boolean> {
    return this.#exclusively(async () => {
      this.#health.assertWhole() // on a full disk this may be what makes room
      return replaceSegments(this.#parts, replaced, swap)
    })
  }

  /**
   * Ends a move. `moveFiles` brings over what is missing and swaps the names; meanwhile appends are refused with LOG_CLOSED, as
   * by a leader that has gone, and reads go on. If it fails all stays as it was.
   */
  relocate(home: LogHome, moveFiles: () => Promise<void>): Promise<void> {
    return this.#exclusively(async () => {
      this.#health.assertUsable()
      this.#isMoving = true
      try {
        await relocate(this.#parts, home, moveFiles)
      } finally {
        this.#isMoving = false
      }
    })
  }

  /** Syncs everything, saves indexes and producers, and lets go of the files. A failed log only lets go. */
  async close(): Promise<void> {
    if (this.isClosed) return
    this.#health.startClosing()
    try {
      await this.#exclusively(async () => {
        if (this.failure !== null) return
        await this.flush()
        await this.#parts.writer.settle()
        await this.#parts.writer.saveEnd()
      })
    } catch (error) {
      this.#health.fail(error) // also for want of room: the next start must not take what is saved for the end
      throw error
    } finally {
      this.abandon()
    }
  }

  /** Lets go of the files as they are: for a log that is being deleted. What is under way ends by itself. */
  abandon(): void {
    if (this.isClosed) return
    this.#health.isClosed = true
    this.#tail.clear()
    this.#parts.writer.stop(logErrors.create('LOG_CLOSED', { where: this.#parts.where }))
    for (const segment of this.#state.segments.all()) segment.close()
  }

  /** Resolves when an abandoned log touches nothing in its directory any more. */
  async whenAbandoned(): Promise<void> {
    invariant(this.isClosed, 'the log was abandoned before')
    await this.#exclusive
    await this.#parts.writer.whenIdle()
  }

  /** The directory's disk failed, here or under another log. */
  fail(cause: unknown): void {
    this.#health.fail(cause)
  }

  #readFiles(startOffset: number, limits: ReadLimits): Buffer {
    this.#writeQueued()
    return this.#health.guardRead(() => readSegments(this.#state.segments, startOffset, limits))
  }

  #lookUp(
    find: (segments: readonly Segment[], logStartOffset: number) => TimestampOffset | null,
  ): FoundOffset | null {
    this.#health.assertReadable()
    this.#writeQueued()
    const { segments, logStartOffset } = this.#state
    const found = this.#health.guardRead(() => find(segments.all(), logStartOffset))
    return found === null ? null : { ...found, leaderEpoch: this.epochOf(found.offset) }
  }

  /** So that it can be read from the files. */
  #writeQueued(): void {
    this.#parts.writer.write()
    this.#health.assertReadable()
  }

  /** Runs changes of the segments one after the other. */
  #exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const run = this.#exclusive.then(work).catch((error: unknown) => {
      throw this.#health.explain(error)
    })
    this.#exclusive = run.catch(() => undefined) // the caller of `run` sees its error
    return run
  }

  #assertAppendable(): void {
    this.#health.assertUsable()
    if (this.#isMoving) throw logErrors.create('LOG_CLOSED', { where: this.#parts.where })
    invariant(!this.#isTruncating, `${this.#parts.where} is appended to while it is truncated`)
  }
}
