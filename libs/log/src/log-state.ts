import { invariant } from '@millrace/base'
import type { LeaderEpochs } from './leader-epochs'
import type { ProducerState } from './producer-state'
import type { RecoveredLog } from './recovery'
import type { SegmentList } from './segment-list'

/** What is in a log, as memory knows it. The parts of `Log` share it, and change it on one thread. */
export class LogState {
  /** Replaced when the log moves to another directory. */
  segments: SegmentList
  readonly epochs: LeaderEpochs
  logStartOffset: number
  /** The offset that the next record gets. */
  logEndOffset: number
  #producers: ProducerState
  #highWatermark: number

  constructor(recovered: RecoveredLog, highWatermark: number) {
    this.segments = recovered.segments
    this.epochs = recovered.epochs
    this.#producers = recovered.producers
    this.logStartOffset = recovered.logStartOffset
    this.logEndOffset = recovered.segments.active.nextOffset
    this.#highWatermark = Math.max(highWatermark, this.logStartOffset)
    this.#highWatermark = Math.min(this.#highWatermark, this.logEndOffset)
    this.#producers.onHighWatermark(this.#highWatermark)
  }

  get producers(): ProducerState {
    return this.#producers
  }

  get highWatermark(): number {
    return this.#highWatermark
  }

  set highWatermark(offset: number) {
    invariant(offset <= this.logEndOffset, `high watermark ${offset} is beyond the log`)
    this.#highWatermark = Math.max(offset, this.logStartOffset)
    this.#producers.onHighWatermark(this.#highWatermark)
  }

  get firstUnstableOffset(): number | null {
    const first = this.#producers.firstUnstableOffset
    return first === null ? null : Math.max(first, this.logStartOffset)
  }

  get lastStableOffset(): number {
    return Math.min(this.firstUnstableOffset ?? Infinity, this.#highWatermark)
  }

  /** The log begins at `offset` now, if it did not begin later. */
  moveStart(offset: number): void {
    this.logStartOffset = Math.max(this.logStartOffset, offset)
    this.highWatermark = Math.max(this.#highWatermark, this.logStartOffset)
    this.epochs.truncateStart(this.logStartOffset)
  }

  /** The log stops at `offset` now; its producers have to follow. */
  truncated(offset: number): void {
    this.logEndOffset = offset
    this.logStartOffset = Math.min(this.logStartOffset, offset)
    this.highWatermark = Math.min(this.#highWatermark, offset)
    this.epochs.truncateEnd(offset)
  }

  replaceProducers(producers: ProducerState): void {
    this.#producers = producers
    producers.onHighWatermark(this.#highWatermark)
  }
}
