import * as path from 'node:path'
import { errorCode, errorMessage, invariant, type PlatformError } from '@millrace/base'
import { batch, buildControlBatch, ControlType } from '@millrace/record'
import { checkRecords, stampRecords, summarize } from './append'
import { FileSaver } from './checkpoint-file'
import type { LastOfProducer } from './compaction/batch-filter'
import type { SwappedIn } from './compaction/swap'
import type { LogConfig } from './config'
import { logErrors } from './errors'
import { FlushPolicy } from './flush-policy'
import { LogFlusher } from './group-commit'
import { LEADER_EPOCH_FILE, type LeaderEpochs } from './leader-epochs'
import type {
  ActiveProducer,
  AppendOptions,
  AppendResult,
  FoundOffset,
  LogDeps,
  LogOptions,
  MarkerOptions,
  ReadResult,
} from './log-types'
import { recoverProducers, saveSnapshot, snapshotOf } from './producer-recovery'
import type { ProducerState, StoredBatch } from './producer-state'
import { recoverLog, type RecoveredLog } from './recovery'
import { countDeletable } from './retention'
import { mustRoll } from './roll'
import { Sealing } from './sealing'
import { MAX_RELATIVE_OFFSET, Segment, type ReadLimits } from './segment'
import { disposeSegments, removeLater } from './segment-disposal'
import type { SegmentList } from './segment-list'
import { LogTail } from './tail-cache'
import type { TimestampOffset } from './time-index'
import { findByTimestamp, findNewest } from './timestamp-lookup'
import type { AbortedTransaction } from './txn-index'
import { Verifications, type VerificationRequest } from './verifications'

const NO_RECORDS = Buffer.alloc(0)

/** One partition's log: takes batches, makes them durable, gives them back. All methods run on one thread. */
export class Log {
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  readonly directory: string
  /** One listener, called after `flushedOffset` grew and after a failure. */
  onFlushed: (() => void) | null = null
  /** Everything below was compacted; -1 if nothing was. Kept in the cleaner's checkpoint. */
  cleanedOffset: number

  readonly #deps: LogDeps
  readonly #segments: SegmentList
  readonly #epochs: LeaderEpochs
  readonly #epochFile: FileSaver
  readonly #tail: LogTail
  readonly #flusher: LogFlusher
  readonly #sealing: Sealing
  readonly #flushPolicy: FlushPolicy
  readonly #verifications: Verifications
  #producers: ProducerState
  #config: LogConfig
  #producerExpirationMs: number
  #logStartOffset: number
  #logEndOffset: number
  #highWatermark: number
  #failure: PlatformError | null
  /** The recovery point of the last run if data below it is missing, else 0: the next start must see it again. */
  readonly #damagedRecoveryPoint: number
  #isClosed = false
  /** It is being closed: what is saved then must be the end. */
  #isClosing = false
  /** Truncation is under way: offsets are not known until it is done, so nothing may be appended. */
  #isTruncating = false
  #truncationCount = 0
  #jitterMs = 0
  /** Changes of the set of segments run one after the other. */
  #exclusive: Promise<unknown> = Promise.resolve()

  private constructor(deps: LogDeps, options: LogOptions, recovered: RecoveredLog) {
    this.#deps = deps
    this.topic = options.topic
    this.partition = options.partition
    this.topicId = options.topicId
    this.directory = options.directory
    this.cleanedOffset = options.cleanedOffset ?? -1
    this.#config = options.config
    this.#producerExpirationMs = options.producerExpirationMs
    this.#segments = recovered.segments
    this.#epochs = recovered.epochs
    this.#producers = recovered.producers
    this.#failure = recovered.damage
    this.#damagedRecoveryPoint = recovered.damage === null ? 0 : options.recoveryPoint
    this.#logStartOffset = recovered.logStartOffset
    this.#logEndOffset = recovered.segments.active.nextOffset
    const watermark = Math.max(options.highWatermark, this.#logStartOffset)
    this.#highWatermark = Math.min(watermark, this.#logEndOffset)
    this.#tail = new LogTail(deps.shared.tailCache)
    const epochFile = path.join(options.directory, LEADER_EPOCH_FILE)
    this.#epochFile = new FileSaver(deps.disk, epochFile, () => this.#epochs.format())
    this.#flusher = this.#createFlusher()
    const flush = () => this.#flusher.flush()
    const onFailure = (cause: unknown) => this.#onDiskFailure(cause)
    this.#sealing = new Sealing({ disk: deps.disk, flush, onFailure }, options.directory)
    // A failure has set `failure` already, which every append sees.
    this.#flushPolicy = new FlushPolicy(deps.clock, () => void flush().catch(() => undefined))
    this.#verifications = new Verifications(deps.clock)
    this.#producers.onHighWatermark(this.#highWatermark)
    this.#newJitter()
  }

  /** Opens or creates the log in its directory; recovers it first unless it was closed properly. */
  static async open(deps: LogDeps, options: LogOptions): Promise<Log> {
    const recovered = await recoverLog(deps, {
      ...options,
      where: `${options.topic}-${options.partition}`,
      indexIntervalBytes: options.config.indexIntervalBytes,
      nowMs: deps.clock.now(),
    })
    return new Log(deps, options, recovered)
  }

  get config(): LogConfig {
    return this.#config
  }
  get logStartOffset(): number {
    return this.#logStartOffset
  }
  /** The offset that the next record gets. */
  get logEndOffset(): number {
    return this.#logEndOffset
  }
  get highWatermark(): number {
    return this.#highWatermark
  }
  /** Where the first transaction begins that is open, or whose marker is not below the high watermark; null if none. */
  get firstUnstableOffset(): number | null {
    const first = this.#producers.firstUnstableOffset
    return first === null ? null : Math.max(first, this.#logStartOffset)
  }
  /** Everything below is decided for good: what a reader of committed records may see. */
  get lastStableOffset(): number {
    return Math.min(this.firstUnstableOffset ?? Infinity, this.#highWatermark)
  }
  /** Everything below is safe by the configured rule: synced, or in the page cache with `ack.after.flush=false`. */
  get flushedOffset(): number {
    return this.#flusher.flushedOffset
  }
  /** Everything below survives a power loss. It stays where it was if synced data was found damaged: see LOG-2. */
  get recoveryPoint(): number {
    if (this.#damagedRecoveryPoint > 0) return this.#damagedRecoveryPoint
    return this.#sealing.limitRecoveryPoint(this.#flusher.syncedOffset)
  }
  get sizeBytes(): number {
    return this.#segments.sizeBytes
  }
  /** The disk failed: appends throw LOG_STORAGE_FAILED; what was flushed can still be read. */
  get failure(): PlatformError | null {
    return this.#failure
  }

  get isClosed(): boolean {
    return this.#isClosed
  }
  /** Oldest first; the last one is the one that grows. For compaction, which only reads them. */
  get segments(): readonly Segment[] {
    return this.#segments.all()
  }
  /** How often the log was cut back: a segment that was read before may have another content then. */
  get truncationCount(): number {
    return this.#truncationCount
  }

  /** Moves the offset below which consumers may read; its owner is the partition. */
  setHighWatermark(offset: number): void {
    invariant(offset <= this.#logEndOffset, `high watermark ${offset} is beyond the log`)
    this.#highWatermark = Math.max(offset, this.#logStartOffset)
    this.#producers.onHighWatermark(this.#highWatermark)
  }

  updateConfig(config: LogConfig): void {
    this.#config = config
    this.#flusher.ackAfterFlush = config.ackAfterFlush
    this.#newJitter()
  }

  /**
   * Takes whole batches, all or none, and queues them for the next write. Patches base offset and leader epoch in place
   * and owns `records` from then on. Not durable when it returns: wait for `flushedOffset` to reach `nextOffset`.
   * @throws PlatformError LOG_STORAGE_FAILED, LOG_CLOSED and those of `checkRecords`
   */
  append(records: Buffer, options: AppendOptions): AppendResult {
    return this.#append(records, options, 0)
  }

  /**
   * Ends the transaction of a producer here: appends a control batch. Without an open transaction it only notes the epochs.
   * @throws PlatformError LOG_INVALID_PRODUCER_EPOCH, LOG_COORDINATOR_FENCED, LOG_STORAGE_FAILED, LOG_CLOSED
   */
  appendMarker(options: MarkerOptions): AppendResult {
    const { isCommit, leaderEpoch, transactionVersion = 0 } = options
    const records = buildControlBatch({
      ...options,
      type: isCommit ? ControlType.commit : ControlType.abort,
      timestamp: options.timestamp ?? this.#deps.clock.now(),
    })
    return this.#append(records, { leaderEpoch, origin: 'coordinator' }, transactionVersion)
  }

  /**
   * Begins to find out whether a transaction that is not open here may be opened: the caller asks the coordinator and gives
   * the guard to `append`. Null if it is open, so that nothing has to be asked.
   * @throws PlatformError LOG_INVALID_PRODUCER_EPOCH
   */
  startVerification(request: VerificationRequest): number | null {
    const { producerId, producerEpoch: epoch } = request
    const entry = this.#producers.entry(producerId)
    if (entry !== undefined && epoch < entry.epoch) {
      const params = { producerId, epoch, where: this.#where, currentEpoch: entry.epoch }
      throw logErrors.create('LOG_INVALID_PRODUCER_EPOCH', params)
    }
    if (entry?.epoch === epoch && entry.currentTxnFirstOffset >= 0) return null
    return this.#verifications.start(request)
  }

  hasOngoingTransaction(producerId: number): boolean {
    return (this.#producers.entry(producerId)?.currentTxnFirstOffset ?? -1) >= 0
  }

  /** The producers that the log remembers. */
  activeProducers(): ActiveProducer[] {
    return Array.from(this.#producers.entries(), (entry) => ({
      producerId: entry.producerId,
      producerEpoch: entry.epoch,
      lastSequence: entry.batches.at(-1)?.lastSequence ?? -1,
      lastTimestamp: entry.lastTimestamp,
      coordinatorEpoch: entry.coordinatorEpoch,
      currentTxnStartOffset: entry.currentTxnFirstOffset,
    }))
  }

  /** The aborted transactions with records from `fromOffset` up to `toOffsetExclusive`. @throws PlatformError LOG_STORAGE_FAILED */
  abortedTransactions(fromOffset: number, toOffsetExclusive: number): AbortedTransaction[] {
    this.#assertOpen()
    return this.#guardRead(() => {
      const found: AbortedTransaction[] = []
      for (let index = this.#segments.indexOf(fromOffset); ; index++) {
        const segment = this.#segments.at(index)
        if (segment === undefined) return found
        if (segment.txnIndex.collect(fromOffset, toOffsetExclusive, found)) return found
      }
    })
  }

  /**
   * Whole batches from the one that holds `startOffset` on, up to `maxOffsetExclusive`, from memory or the page cache.
   * @throws PlatformError LOG_OFFSET_OUT_OF_RANGE, LOG_STORAGE_FAILED, LOG_CLOSED
   */
  read(startOffset: number, limits: ReadLimits): ReadResult {
    this.#assertOpen()
    if (startOffset < this.#logStartOffset || startOffset > this.#logEndOffset) {
      const { logStartOffset, logEndOffset } = this
      const params = { offset: startOffset, where: this.#where, logStartOffset, logEndOffset }
      throw logErrors.create('LOG_OFFSET_OUT_OF_RANGE', params)
    }
    const maxOffsetExclusive = Math.min(limits.maxOffsetExclusive, this.#logEndOffset)
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
    return Math.max(1, inTail ?? this.#segments.bytesBetween(fromOffset, toOffset))
  }

  /** The first record that is not older than `timestamp`, or null. */
  offsetForTimestamp(timestamp: number): FoundOffset | null {
    this.#assertOpen()
    this.#flusher.write()
    return this.#withEpoch(
      this.#guardRead(() => findByTimestamp(this.#segments.all(), timestamp, this.#logStartOffset)),
    )
  }

  /** The first record with the largest timestamp, or null if no record has one. */
  maxTimestampOffset(): FoundOffset | null {
    this.#assertOpen()
    this.#flusher.write()
    return this.#withEpoch(
      this.#guardRead(() => findNewest(this.#segments.all(), this.#logStartOffset)),
    )
  }

  /** Where the newest epoch not above `epoch` stopped; -1 and -1 if unknown. */
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } {
    return this.#epochs.endOffset(epoch, this.#logEndOffset)
  }

  /** The newest leader epoch that wrote here, -1 if none. */
  latestEpoch(): number {
    return this.#epochs.latest()
  }

  /** The leader epoch that wrote `offset`, -1 if unknown. */
  epochOf(offset: number): number {
    return this.#epochs.epochOf(offset)
  }

  /** A leader begins: its epoch starts here. Durable with the first batch of the epoch, or the next flush. */
  assignEpochStart(epoch: number, startOffset: number): void {
    this.#epochs.assign(epoch, startOffset)
  }

  /** Resolves when everything appended before the call is synced. @throws PlatformError LOG_STORAGE_FAILED */
  async flush(): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    try {
      await this.#flusher.flush()
    } catch (cause) {
      throw this.#storageFailed(cause)
    }
  }

  /** Removes everything at and above `offset`, and the whole batch that holds it: what a follower does on divergence. */
  truncateTo(offset: number): Promise<void> {
    return this.#exclusively(async () => {
      this.#assertUsable()
      if (offset >= this.#logEndOffset) return
      await this.flush()
      await this.#sealing.settle()
      this.#isTruncating = true
      try {
        await this.#truncate(offset)
      } finally {
        this.#isTruncating = false
      }
    })
  }

  /**
   * Moves the log start offset, which is durable when this resolves; whole segments below it are deleted.
   * @throws PlatformError LOG_OFFSET_OUT_OF_RANGE for an offset beyond the high watermark
   */
  deleteRecordsBefore(offset: number): Promise<void> {
    return this.#exclusively(async () => {
      this.#assertUsable()
      if (offset > this.#highWatermark || offset < 0) {
        const { logStartOffset, highWatermark } = this
        const params = { offset, where: this.#where, logStartOffset, logEndOffset: highWatermark }
        throw logErrors.create('LOG_OFFSET_OUT_OF_RANGE', params)
      }
      if (offset <= this.#logStartOffset) return
      this.#moveStart(offset)
      await this.#deps.hooks.saveStartOffsets()
      await this.#deleteOldSegments()
    })
  }

  /** Deletes the segments that retention by time, by size or the log start offset have passed; expires producers. */
  applyRetention(): Promise<void> {
    return this.#exclusively(() => {
      this.#producers.expire(this.#deps.clock.now(), this.#producerExpirationMs)
      this.#verifications.expire(this.#producerExpirationMs)
      return this.#deleteOldSegments()
    })
  }

  /**
   * Puts another segment in the place of neighbours, with which compaction ends. `swap` moves the files while nothing else
   * changes the segments. False, and nothing is done, if one of them was deleted or truncated into.
   * @throws PlatformError LOG_STORAGE_FAILED, LOG_CLOSED
   */
  replaceSegments(replaced: readonly Segment[], swap: () => Promise<SwappedIn>): Promise<boolean> {
    return this.#exclusively(async () => {
      this.#assertUsable()
      if (!this.#segments.hasInactive(replaced)) return false
      const { segment, oldFiles } = await swap()
      removeLater(this.#deps, oldFiles, {
        directory: this.directory,
        delayMs: this.#config.fileDeleteDelayMs,
      })
      if (this.#isClosed) {
        segment.close()
        return false
      }
      this.#segments.replace(replaced, segment)
      this.#tail.dropBefore(segment.nextOffset)
      for (const old of replaced) {
        this.#flusher.forget(old)
        old.close()
      }
      return true
    })
  }

  /** What the log has last of each producer that it remembers: compaction keeps it. */
  lastOfProducers(): Map<number, LastOfProducer> {
    const last = new Map<number, LastOfProducer>()
    for (const { producerId, epoch, batches } of this.#producers.entries()) {
      last.set(producerId, { epoch, lastDataOffset: batches.at(-1)?.lastOffset ?? -1 })
    }
    return last
  }

  /** Syncs everything, saves indexes and producers, and lets go of the files. A failed log only lets go. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosing = true
    try {
      await this.#exclusively(async () => {
        if (this.#failure !== null) return
        await this.flush()
        await this.#sealing.settle()
        await this.#saveEnd()
      })
    } finally {
      this.abandon()
    }
  }

  /** Lets go of the files as they are: for a log that is being deleted. What is under way ends by itself. */
  abandon(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#flushPolicy.stop()
    this.#tail.clear()
    this.#flusher.fail(logErrors.create('LOG_CLOSED', { where: this.#where }))
    for (const segment of this.#segments.all()) segment.close()
  }

  /** Resolves when an abandoned log touches nothing in its directory any more. */
  async whenAbandoned(): Promise<void> {
    invariant(this.#isClosed, 'the log was abandoned before')
    await this.#exclusive
    await this.#sealing.whenIdle()
    await this.#epochFile.whenIdle()
  }

  /** The directory's disk failed, here or under another log. */
  fail(cause: unknown): void {
    if (this.#failure !== null || this.#isClosed) return
    this.#failure = this.#storageFailed(cause)
    this.#flusher.fail(this.#failure)
    this.#deps.logger.error('a log takes no more records: its disk failed', {
      log: this.#where,
      flushedOffset: this.flushedOffset,
      error: this.#failure,
    })
    this.onFlushed?.()
  }

  get #where(): string {
    return `${this.topic}-${this.partition}`
  }

  #append(records: Buffer, options: AppendOptions, transactionVersion: number): AppendResult {
    this.#assertUsable()
    invariant(!this.#isTruncating, `${this.#where} is appended to while it is truncated`)
    const { leaderEpoch, origin, verification } = options
    const nowMs = this.#deps.clock.now()
    const checked = checkRecords(records, {
      where: this.#where,
      config: this.#config,
      producers: this.#producers,
      origin,
      logEndOffset: this.#logEndOffset,
      nowMs,
      verifications: this.#verifications,
      verification,
      transactionVersion,
    })
    if (checked.duplicate !== null) return this.#duplicateResult(checked.duplicate)
    const isCopy = origin === 'replication'
    const firstOffset = isCopy ? batch.baseOffset(records, 0) : this.#logEndOffset
    const isStamped = !isCopy && this.#config.messageTimestampType === 'LogAppendTime'
    const appendTimeMs = isStamped ? nowMs : -1
    const { records: kept, maxTimestamp } = checked
    if (!isCopy) stampRecords(kept, { firstOffset, leaderEpoch, appendTimeMs, maxTimestamp })
    this.#store(kept, firstOffset, nowMs)
    return {
      firstOffset,
      lastOffset: this.#logEndOffset - 1,
      nextOffset: this.#logEndOffset,
      logAppendTime: appendTimeMs,
      logStartOffset: this.#logStartOffset,
      isDuplicate: false,
    }
  }

  #store(records: Buffer, firstOffset: number, nowMs: number): void {
    const summary = summarize(records)
    const segment = this.#segmentFor(records, firstOffset, { ...summary, nowMs })
    segment.append(records, this.#config.indexIntervalBytes)
    for (let at = 0; at < records.length; at += batch.sizeBytes(records, at)) {
      const aborted = this.#producers.update(records, at)
      if (aborted !== null) segment.txnIndex.append(aborted)
      if (batch.isTransactional(records, at)) this.#noteVerified(records, at)
      this.#epochs.assign(batch.leaderEpoch(records, at), batch.baseOffset(records, at))
    }
    this.#logEndOffset = summary.lastOffset + 1
    this.#tail.add(records, firstOffset, this.#logEndOffset)
    this.#flusher.add(segment, records.length, this.#logEndOffset)
    if (!this.#config.ackAfterFlush) {
      this.#flushPolicy.onAppend(this.#logEndOffset - firstOffset, this.#config)
    }
  }

  #noteVerified(records: Buffer, at: number): void {
    const isMarker = batch.isControl(records, at)
    const epoch = batch.producerEpoch(records, at)
    this.#verifications.onAppended(batch.producerId(records, at), { epoch, isMarker })
  }

  /** The segment that takes the records: a new one, if the active one must not grow any more. */
  #segmentFor(
    records: Buffer,
    firstOffset: number,
    incoming: { lastOffset: number; maxTimestamp: number; nowMs: number },
  ): Segment {
    const { active } = this.#segments
    const jitterMs = this.#jitterMs
    const input = { config: this.#config, jitterMs, sizeBytes: records.length, ...incoming }
    if (!mustRoll(active, input)) return active
    try {
      // From where the log stops, so that a gap between two segments always means loss.
      const isNear = incoming.lastOffset - this.#logEndOffset <= MAX_RELATIVE_OFFSET
      return this.#roll(isNear ? this.#logEndOffset : firstOffset)
    } catch (error) {
      const failure = this.#storageFailed(error)
      this.#onDiskFailure(error)
      throw failure
    }
  }

  #roll(baseOffset: number): Segment {
    const { disk, clock } = this.#deps
    const sealed = this.#segments.active
    const options = { directory: this.directory, baseOffset, createdMs: clock.now() }
    const segment = Segment.create(disk, options)
    this.#segments.add(segment)
    this.#flusher.markDirectoryDirty()
    this.#newJitter()
    this.#sealing.start(sealed, baseOffset, snapshotOf(this.#producers))
    return segment
  }

  #readFiles(startOffset: number, limits: ReadLimits): Buffer {
    this.#flusher.write()
    return this.#guardRead(() => {
      for (let index = this.#segments.indexOf(startOffset); ; index++) {
        const segment = this.#segments.at(index)
        if (segment === undefined) return NO_RECORDS
        const records = segment.read(startOffset, limits)
        // Offsets may be missing at the end of a segment: then the next one has the first batch.
        if (records.length > 0 || segment.nextOffset > startOffset) return records
      }
    })
  }

  #guardRead<Result>(read: () => Result): Result {
    try {
      return read()
    } catch (cause) {
      throw this.#storageFailed(cause)
    }
  }

  #withEpoch(found: TimestampOffset | null): FoundOffset | null {
    return found === null ? null : { ...found, leaderEpoch: this.#epochs.epochOf(found.offset) }
  }

  async #truncate(offset: number): Promise<void> {
    const { disk, hooks } = this.#deps
    this.#truncationCount++
    const keptOffset = Math.max(offset, this.#segments.first.baseOffset)
    // The checkpoint goes first: after a crash, recovery must not miss what was removed on purpose.
    this.#flusher.truncate(keptOffset)
    await hooks.saveRecoveryPoints()
    const removed = this.#segments.all().slice(this.#segments.indexOf(keptOffset) + 1)
    this.#segments.remove(removed)
    await this.#dispose(removed)
    await disk.syncDirectory(this.directory)
    const { active } = this.#segments
    active.unseal()
    await active.truncate(keptOffset)
    await active.file.sync()
    this.#logEndOffset = active.nextOffset
    this.#flusher.truncate(this.#logEndOffset)
    this.#highWatermark = Math.min(this.#highWatermark, this.#logEndOffset)
    this.#logStartOffset = Math.min(this.#logStartOffset, this.#logEndOffset)
    this.cleanedOffset = Math.min(this.cleanedOffset, this.#logEndOffset)
    this.#tail.clear()
    this.#epochs.truncateEnd(this.#logEndOffset)
    await this.#epochFile.save()
    const stored = { segments: this.#segments, scanned: new Set<Segment>() }
    this.#producers = await recoverProducers(this.#deps, this.#recoveryOptions(), stored)
    this.#producers.onHighWatermark(this.#highWatermark)
  }

  async #deleteOldSegments(): Promise<void> {
    if (this.#failure !== null || this.#isClosed) return
    await this.#sealing.settle()
    if (this.#isClosed) return
    const count = this.#countDeletable()
    if (count === 0) return
    if (count === this.#segments.all().length) {
      this.#roll(this.#logEndOffset)
      await this.#sealing.settle()
      await this.#deps.disk.syncDirectory(this.directory)
      if (this.#isClosed) return
    }
    // Appends went on meanwhile, but what was old and below the high watermark still is.
    const removed = this.#segments.all().slice(0, count)
    this.#moveStart(this.#segments.all()[count].baseOffset)
    // LOG-7: a crash may bring back any of the files; the start that is saved first says that they are gone.
    await this.#deps.hooks.saveStartOffsets()
    if (this.#isClosed) return
    this.#segments.remove(removed)
    await this.#dispose(removed)
    this.#deps.logger.info('old segments were deleted', {
      log: this.#where,
      segments: removed.length,
      logStartOffset: this.#logStartOffset,
    })
  }

  #countDeletable(): number {
    return countDeletable({
      segments: this.#segments.all(),
      config: this.#config,
      logStartOffset: this.#logStartOffset,
      highWatermark: this.#highWatermark,
      nowMs: this.#deps.clock.now(),
    })
  }

  async #dispose(segments: readonly Segment[]): Promise<void> {
    for (const segment of segments) this.#flusher.forget(segment)
    const delayMs = this.#config.fileDeleteDelayMs
    await disposeSegments(this.#deps, segments, { directory: this.directory, delayMs })
  }

  #moveStart(offset: number): void {
    this.#logStartOffset = Math.max(this.#logStartOffset, offset)
    this.#highWatermark = Math.max(this.#highWatermark, this.#logStartOffset)
    this.#epochs.truncateStart(this.#logStartOffset)
  }

  async #saveEnd(): Promise<void> {
    const content = snapshotOf(this.#producers)
    const { active } = this.#segments
    await active.seal()
    if (!active.isEmpty) {
      const snapshot = { offset: this.#logEndOffset, content }
      await saveSnapshot(this.#deps.disk, this.directory, snapshot)
    }
    if (this.#epochs.isDirty) await this.#epochFile.save()
  }

  #duplicateResult(stored: StoredBatch): AppendResult {
    const isStamped = this.#config.messageTimestampType === 'LogAppendTime'
    return {
      firstOffset: stored.lastOffset - stored.offsetDelta,
      lastOffset: stored.lastOffset,
      nextOffset: stored.lastOffset + 1,
      logAppendTime: isStamped ? stored.timestamp : -1,
      logStartOffset: this.#logStartOffset,
      isDuplicate: true,
    }
  }

  #createFlusher(): LogFlusher {
    const { disk, shared } = this.#deps
    return new LogFlusher(
      {
        disk,
        groupCommit: shared.groupCommit,
        saveBeside: () => this.#saveEpochs(),
        onAdvance: () => this.onFlushed?.(),
        onFailure: (cause) => this.#onDiskFailure(cause),
      },
      { directory: this.directory, ackAfterFlush: this.#config.ackAfterFlush },
      this.#logEndOffset,
    )
  }

  #saveEpochs(): Promise<void> | null {
    if (!this.#epochs.isDirty) return null
    this.#epochs.isDirty = false
    return this.#epochFile.save()
  }

  #onDiskFailure(cause: unknown): void {
    if (this.#isClosed) return
    this.fail(cause)
    this.#deps.hooks.onStorageFailure(cause)
  }

  #storageFailed(cause: unknown): PlatformError {
    if (this.#failure !== null) return this.#failure
    const params = { where: this.#where, reason: errorMessage(cause) }
    return logErrors.create('LOG_STORAGE_FAILED', params, { cause })
  }

  #recoveryOptions() {
    return {
      directory: this.directory,
      producerExpirationMs: this.#producerExpirationMs,
      nowMs: this.#deps.clock.now(),
    }
  }

  /** Runs changes of the segments one after the other. An error with a code of Node's is one of the disk. */
  #exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const run = this.#exclusive
      .then(() => work())
      .catch((error: unknown) => {
        const code = errorCode(error)
        if (code === undefined || code.startsWith('LOG_')) throw error
        const failure = this.#storageFailed(error)
        this.#onDiskFailure(error)
        throw failure
      })
    this.#exclusive = run.catch(() => undefined) // the caller of `run` sees its error
    return run
  }

  #newJitter(): void {
    const { segmentJitterMs } = this.#config
    this.#jitterMs = segmentJitterMs > 0 ? this.#deps.random.int(segmentJitterMs) : 0
  }

  #assertUsable(): void {
    if (this.#isClosing) throw logErrors.create('LOG_CLOSED', { where: this.#where })
    this.#assertOpen()
    if (this.#failure !== null) throw this.#failure
  }

  #assertOpen(): void {
    if (this.#isClosed) throw logErrors.create('LOG_CLOSED', { where: this.#where })
  }
}
