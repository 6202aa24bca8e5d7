import type { Clock, Timer } from '@millrace/base'
import type { RefusedRecord } from '@millrace/log'
import { ErrorCode } from '@millrace/wire'
import type { Partition } from './partition'

/** What one partition of an append request came to. */
export interface PartitionAppendResult {
  readonly topic: string
  readonly partition: number
  errorCode: number
  errorMessage: string | null
  /** -1 when nothing was appended. */
  baseOffset: number
  /** Milliseconds since the epoch, -1 if the records keep the time of their creation. */
  logAppendTimeMs: number
  logStartOffset: number
  /** The single records that are to blame for a refusal; empty where they are not. */
  readonly recordErrors: readonly RefusedRecord[]
}

/**
 * One append request whose batches are in the log but not yet below the high watermark. It is settled when the last of
 * its partitions is, or when its time is up.
 */
export class DelayedProduce {
  readonly #results: PartitionAppendResult[]
  readonly #resolve: (results: PartitionAppendResult[]) => void
  readonly #timer: Timer
  readonly #waitsForRoom: boolean
  /** Indexes of the results that still wait; the request is settled when it is empty. */
  readonly #waiting = new Set<number>()

  constructor(
    deps: { clock: Clock },
    options: {
      timeoutMs: number
      /** See `HighWatermarkWaiter`. */
      waitsForRoom: boolean
      results: PartitionAppendResult[]
      /** By result: the offset below which all must be safe, -1 if that partition has failed already. */
      nextOffsets: readonly number[]
      resolve: (results: PartitionAppendResult[]) => void
    },
  ) {
    this.#results = options.results
    this.#resolve = options.resolve
    this.#waitsForRoom = options.waitsForRoom
    // All of them before the first wait: a batch may be safe already and settle at once.
    options.nextOffsets.forEach((offset, index) => offset >= 0 && this.#waiting.add(index))
    this.#timer = deps.clock.schedule(Math.max(0, options.timeoutMs), () => this.#onTimeout())
  }

  /** Waits until everything below `nextOffset` of the partition is safe; `resultIndex` is the row that it settles. */
  waitFor(partition: Partition, nextOffset: number, resultIndex: number): void {
    partition.waitForHighWatermark({
      nextOffset,
      waitsForRoom: this.#waitsForRoom,
      onSettled: (errorCode) => this.#onSettled(resultIndex, errorCode),
    })
  }

  #onSettled(resultIndex: number, errorCode: number): void {
    if (!this.#waiting.delete(resultIndex)) return // timed out before
    if (errorCode !== ErrorCode.NONE) fail(this.#results[resultIndex], errorCode)
    if (this.#waiting.size > 0) return
    this.#timer.cancel()
    this.#resolve(this.#results)
  }

  #onTimeout(): void {
    for (const index of this.#waiting) fail(this.#results[index], ErrorCode.REQUEST_TIMED_OUT)
    this.#waiting.clear()
    this.#resolve(this.#results)
  }
}

/** The records may be in the log all the same: the client retries, and an idempotent one without a duplicate. */
function fail(result: PartitionAppendResult, errorCode: number): void {
  result.errorCode = errorCode
  result.baseOffset = -1
  result.logAppendTimeMs = -1
}
