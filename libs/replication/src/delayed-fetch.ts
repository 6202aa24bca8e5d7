import type { Clock, Timer } from '@millrace/base'
import { readBuffers } from '@millrace/log'
import { ErrorCode } from '@millrace/wire'
import {
  fetchRefusal,
  visibleLimit,
  type FetchPass,
  type FetchRequest,
  type PartitionLookup,
} from './fetch-request'
import type { FetchEntry, PartitionFetchResult } from './fetch-entry'
import type { Partition } from './partition'

/** What a waiting fetch has seen of one of its partitions. */
interface WatchedEntry {
  readonly entry: FetchEntry
  readonly partition: Partition
  /** Up to here the bytes are counted. */
  countedOffset: number
  countedBytes: number
}

/** The hook of a waiting fetch in one of its partitions. */
export interface FetchWatch {
  /** More may be read, or the leader epoch is another. */
  onChange(): void
  /** The partition is led elsewhere, deleted, or its disk has failed. */
  onGone(): void
}

/**
 * A fetch that found too little and waits for what its partitions show to grow. It counts the bytes that come instead of
 * reading them (FETCH-3): it reads once, when there are enough, when something is wrong, or when its time is up.
 */
export class DelayedFetch {
  readonly #request: FetchRequest
  readonly #watches: { readonly partition: Partition; readonly watch: FetchWatch }[]
  readonly #read: () => FetchPass
  readonly #settle: (results: PartitionFetchResult[]) => void
  readonly #timer: Timer
  #countedBytes: number
  #isSettled = false
  #isDue = false

  constructor(
    deps: { clock: Clock },
    options: {
      request: FetchRequest
      /** What the first look found. */
      pass: FetchPass
      partitionOf: PartitionLookup
      maxWaitMs: number
      read: () => FetchPass
      /** Called once. */
      settle: (results: PartitionFetchResult[]) => void
    },
  ) {
    this.#request = options.request
    this.#read = options.read
    this.#settle = options.settle
    this.#countedBytes = options.pass.sizeBytes
    this.#watches = options.pass.results.map((result) => this.#watch(result, options.partitionOf))
    this.#timer = deps.clock.schedule(options.maxWaitMs, () => this.finish())
  }

  /** Answers with what is there now. */
  finish(): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#timer.cancel()
    for (const { partition, watch } of this.#watches) partition.removeFetchWatch(watch)
    this.#settle(this.#read().results)
  }

  #watch(result: PartitionFetchResult, partitionOf: PartitionLookup) {
    const { entry, records } = result
    const countedBytes = records.length
    readBuffers.giveBack(records) // too little: it is read again when there is more
    const partition = partitionOf(entry)! // an unknown one would have made the first look urgent
    const watched: WatchedEntry = {
      entry,
      partition,
      countedOffset: visibleLimit(partition, this.#request.isolationLevel),
      countedBytes,
    }
    const watch = { onChange: () => this.#onChange(watched), onGone: () => this.#finishSoon() }
    partition.addFetchWatch(watch)
    return { partition, watch }
  }

  #onChange(watched: WatchedEntry): void {
    if (this.#isSettled || this.#isDue) return
    const { entry, partition } = watched
    const limit = visibleLimit(partition, this.#request.isolationLevel)
    const isCutBack = limit < watched.countedOffset
    if (isCutBack || fetchRefusal(partition, entry) !== ErrorCode.NONE) this.#finishSoon()
    else if (limit > watched.countedOffset) this.#count(watched, limit)
  }

  #count(watched: WatchedEntry, limit: number): void {
    const { partition, entry } = watched
    const from = Math.max(watched.countedOffset, entry.fetchOffset)
    const room = Math.max(0, entry.maxBytes - watched.countedBytes)
    const bytes = limit > from ? Math.min(partition.log.bytesBetween(from, limit), room) : 0
    watched.countedOffset = limit
    watched.countedBytes += bytes
    this.#countedBytes += bytes
    if (this.#countedBytes >= this.#request.minBytes) this.#finishSoon()
  }

  /** At the end of this turn: one flush changes several partitions, and they all belong into the answer. */
  #finishSoon(): void {
    if (this.#isDue) return
    this.#isDue = true
    queueMicrotask(() => this.finish())
  }
}
