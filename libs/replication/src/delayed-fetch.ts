import type { Clock, Timer } from '@millrace/base'
import type { Partition } from './partition'

/** What one partition of a fetch request gets. */
export interface PartitionFetchResult {
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  /** Set when the reader's history left ours: the last epoch we share and where it ends. */
  readonly divergingEpoch: { readonly epoch: number; readonly endOffset: number } | null
  readonly currentLeader: { readonly leaderId: number; readonly leaderEpoch: number } | null
  /** Whole batches, a view of the log's memory or a buffer of its own: read only. */
  readonly records: Buffer
}

/** One look at all partitions of a fetch. */
export interface FetchPass {
  readonly results: PartitionFetchResult[]
  readonly sizeBytes: number
  /** An error of any partition is told at once. */
  readonly isUrgent: boolean
}

/**
 * A fetch that found too little and waits for the high watermark of any of its partitions to grow. Woken, it looks again;
 * when its time is up it answers with what is there.
 */
export class DelayedFetch {
  readonly #partitions: readonly Partition[]
  readonly #minBytes: number
  readonly #read: () => FetchPass
  readonly #settle: (results: PartitionFetchResult[]) => void
  readonly #timer: Timer
  #isSettled = false
  #isWoken = false

  constructor(
    deps: { clock: Clock },
    options: {
      partitions: readonly Partition[]
      maxWaitMs: number
      minBytes: number
      read: () => FetchPass
      /** Called once. */
      settle: (results: PartitionFetchResult[]) => void
    },
  ) {
    this.#partitions = options.partitions
    this.#minBytes = options.minBytes
    this.#read = options.read
    this.#settle = options.settle
    for (const partition of this.#partitions) partition.addDelayedFetch(this)
    this.#timer = deps.clock.schedule(options.maxWaitMs, () => this.finish())
  }

  /** Looks again at the end of this turn: one flush wakes it once for each partition that grew. */
  wake(): void {
    if (this.#isWoken || this.#isSettled) return
    this.#isWoken = true
    queueMicrotask(() => this.#retry())
  }

  /** Answers with what is there now. */
  finish(): void {
    if (this.#isSettled) return
    this.#complete(this.#read())
  }

  #retry(): void {
    this.#isWoken = false
    if (this.#isSettled) return
    const pass = this.#read()
    if (pass.isUrgent || pass.sizeBytes >= this.#minBytes) this.#complete(pass)
  }

  #complete(pass: FetchPass): void {
    this.#isSettled = true
    this.#timer.cancel()
    for (const partition of this.#partitions) partition.removeDelayedFetch(this)
    this.#settle(pass.results)
  }
}
