import * as path from 'node:path'
import { batch } from '@millrace/record'
import { FileSaver } from './checkpoint-file'
import type { LogConfig } from './config'
import { FlushPolicy } from './flush-policy'
import { LogFlusher } from './group-commit'
import { LEADER_EPOCH_FILE } from './leader-epochs'
import type { LogParts } from './log-parts'
import type { LogDeps } from './log-types'
import { saveSnapshot, snapshotOf } from './producer-recovery'
import { mustRoll } from './roll'
import { Sealing } from './sealing'
import { MAX_RELATIVE_OFFSET, Segment } from './segment'

/** All of a log but the writer itself. */
type WriterParts = Omit<LogParts, 'writer'>

/** Carries checked batches of one log into segments, and the segments to the disk. */
export class LogWriter {
  readonly #deps: LogDeps
  readonly #parts: WriterParts
  readonly #directory: string
  readonly #flusher: LogFlusher
  readonly #sealing: Sealing
  readonly #flushPolicy: FlushPolicy
  readonly #epochFile: FileSaver
  #config: LogConfig
  #jitterMs = 0

  constructor(parts: WriterParts) {
    const { deps, directory, config, state, health, onAdvance } = parts
    const { room } = health
    const onFailure = (cause: unknown) => health.onDiskFailure(cause)
    this.#deps = deps
    this.#parts = parts
    this.#directory = directory
    this.#config = config
    const epochFile = path.join(directory, LEADER_EPOCH_FILE)
    this.#epochFile = new FileSaver(deps.disk, epochFile, () => state.epochs.format())
    this.#flusher = new LogFlusher(
      {
        disk: deps.disk,
        groupCommit: deps.shared.groupCommit,
        room,
        saveBeside: () => this.#saveEpochs(),
        onAdvance,
        onFailure,
      },
      { directory, ackAfterFlush: config.ackAfterFlush },
      state.logEndOffset,
    )
    const flush = () => this.#flusher.flush()
    this.#sealing = new Sealing({ disk: deps.disk, room, flush, onFailure }, directory)
    // A failure has reached `onFailure` already, and every append sees it.
    this.#flushPolicy = new FlushPolicy(deps.clock, () => void flush().catch(() => undefined))
    this.#newJitter()
  }

  /** Everything below is safe by the configured rule: synced, or in the page cache with `ack.after.flush=false`. */
  get flushedOffset(): number {
    return this.#flusher.flushedOffset
  }
  /** Everything below survives a power loss, indexes included. */
  get recoveryPoint(): number {
    return this.#sealing.limitRecoveryPoint(this.#flusher.syncedOffset)
  }

  updateConfig(config: LogConfig): void {
    this.#config = config
    this.#flusher.ackAfterFlush = config.ackAfterFlush
    this.#newJitter()
  }

  /** Takes batches with their final offsets, and owns `records` from then on. @throws Node's error if no segment can be made. */
  store(records: Buffer, firstOffset: number, nowMs: number): void {
    const { state, tail } = this.#parts
    const summary = summarize(records)
    const segment = this.#segmentFor(records, firstOffset, { ...summary, nowMs })
    segment.append(records, this.#config.indexIntervalBytes)
    for (let at = 0; at < records.length; at += batch.sizeBytes(records, at)) {
      const aborted = state.producers.update(records, at)
      if (aborted !== null) segment.txnIndex.append(aborted)
      if (batch.isTransactional(records, at)) this.#noteVerified(records, at)
      state.epochs.assign(batch.leaderEpoch(records, at), batch.baseOffset(records, at))
    }
    state.logEndOffset = summary.lastOffset + 1
    tail.add(records, firstOffset, state.logEndOffset)
    this.#flusher.add(segment, records.length, state.logEndOffset)
    if (!this.#config.ackAfterFlush) {
      this.#flushPolicy.onAppend(state.logEndOffset - firstOffset, this.#config)
    }
  }

  /** Begins a new segment; the one before is sealed once it is synced. @throws Node's error of the creation. */
  roll(baseOffset: number): Segment {
    const { disk, clock } = this.#deps
    const { segments, producers } = this.#parts.state
    const sealed = segments.active
    const options = { directory: this.#directory, baseOffset, createdMs: clock.now() }
    const segment = Segment.create(disk, options)
    segments.add(segment)
    this.#flusher.markDirectoryDirty()
    this.#newJitter()
    this.#sealing.start(sealed, baseOffset, snapshotOf(producers))
    return segment
  }

  /** Brings what is queued into the page cache, so that it can be read from the files. */
  write(): void {
    this.#flusher.write()
  }

  /** Resolves when all that was appended before the call is synced. Rejects with the cause if the disk fails. */
  flush(): Promise<void> {
    return this.#flusher.flush()
  }

  /** Resolves when all rolled segments are sealed, sealing has failed, or the disk has no room for it. */
  settle(): Promise<void> {
    return this.#sealing.settle()
  }

  /**
   * Resolves when all that was appended is synced and sealed. It does not wait for room: who calls this keeps others from
   * the segments, and retention may have to make the room.
   * @throws LOG_DISK_FULL, LOG_STORAGE_FAILED, LOG_CLOSED
   */
  async quiesce(): Promise<void> {
    const { health } = this.#parts
    await health.room.settledOrFull(this.flush())
    health.assertUsable()
    await this.settle()
    health.assertUsable()
  }

  isSealing(segment: Segment): boolean {
    return this.#sealing.has(segment)
  }

  /** The log was cut back to `offset`; everything was flushed before. */
  truncated(offset: number): void {
    this.#flusher.truncate(offset)
  }

  /** `segment` left the log: nothing in it needs to be written or synced any more. */
  forget(segment: Segment): void {
    this.#flusher.forget(segment)
  }

  saveEpochs(): Promise<void> {
    return this.#epochFile.save()
  }

  /** Saves what the next start takes as it is: the indexes of the last segment, the producers, the epochs. */
  async saveEnd(): Promise<void> {
    const { segments, producers, epochs, logEndOffset } = this.#parts.state
    const content = snapshotOf(producers)
    await segments.active.seal()
    if (!segments.active.isEmpty) {
      await saveSnapshot(this.#deps.disk, this.#directory, { offset: logEndOffset, content })
    }
    if (epochs.isDirty) await this.#epochFile.save()
  }

  /** Nothing is written from now on; those who wait are told. */
  stop(cause: unknown): void {
    this.#flushPolicy.stop()
    this.#parts.health.room.stop()
    this.#flusher.stop(cause)
  }

  /** Another writer goes on in another directory; everything was written and sealed. */
  retire(): void {
    this.#flushPolicy.stop()
    this.#flusher.stop(new Error('the log has moved'))
  }

  /** Resolves when nothing in the directory is touched any more. */
  async whenIdle(): Promise<void> {
    await this.#sealing.whenIdle()
    await this.#epochFile.whenIdle()
  }

  /** The segment that takes the records: a new one, if the active one must not grow any more. */
  #segmentFor(
    records: Buffer,
    firstOffset: number,
    incoming: { lastOffset: number; maxTimestamp: number; nowMs: number },
  ): Segment {
    const { segments, logEndOffset } = this.#parts.state
    const jitterMs = this.#jitterMs
    const input = { config: this.#config, jitterMs, sizeBytes: records.length, ...incoming }
    if (!mustRoll(segments.active, input)) return segments.active
    // From where the log stops, so that a gap between two segments always means loss.
    const isNear = incoming.lastOffset - logEndOffset <= MAX_RELATIVE_OFFSET
    return this.roll(isNear ? logEndOffset : firstOffset)
  }

  #noteVerified(records: Buffer, at: number): void {
    const isMarker = batch.isControl(records, at)
    const epoch = batch.producerEpoch(records, at)
    this.#parts.verifications.onAppended(batch.producerId(records, at), { epoch, isMarker })
  }

  #saveEpochs(): Promise<void> | null {
    const { state, health } = this.#parts
    if (!state.epochs.isDirty) return null
    state.epochs.isDirty = false
    return health.room.retry(() => this.#epochFile.save())
  }

  #newJitter(): void {
    const { segmentJitterMs } = this.#config
    this.#jitterMs = segmentJitterMs > 0 ? this.#deps.random.int(segmentJitterMs) : 0
  }
}

/** The last offset and the newest time of stamped batches. */
function summarize(records: Buffer): { lastOffset: number; maxTimestamp: number } {
  let lastOffset = -1
  let maxTimestamp = -1
  for (let at = 0; at < records.length; at += batch.sizeBytes(records, at)) {
    lastOffset = batch.lastOffset(records, at)
    maxTimestamp = Math.max(maxTimestamp, batch.maxTimestamp(records, at))
  }
  return { lastOffset, maxTimestamp }
}
