import type { Clock } from '@millrace/base'

/** How long compaction may hold the event loop at a time. */
const SLICE_MS = 2

/**
 * Cuts long work into slices between which the event loop has its turn. All who work at the same time share one pacer, so
 * that together they take no more than one slice of each turn.
 */
export class Pacer {
  readonly #clock: Clock
  #sliceStartedMs: number
  #lastTurn: Promise<void> = Promise.resolve()

  constructor(clock: Clock) {
    this.#clock = clock
    this.#sliceStartedMs = clock.monotonicMs()
  }

  /** Whether the slice is used up: then `nextSlice` is due. */
  get isOver(): boolean {
    return this.#clock.monotonicMs() - this.#sliceStartedMs >= SLICE_MS
  }

  /** Resolves in a later turn of the event loop, which belongs to the caller alone. */
  nextSlice(): Promise<void> {
    const turn = this.#lastTurn.then(nextTurn).then(() => {
      this.#sliceStartedMs = this.#clock.monotonicMs()
    })
    this.#lastTurn = turn
    return turn
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
