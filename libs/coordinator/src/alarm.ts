import type { Clock, Timer } from '@millrace/base'

/** Wakes somebody at a time that is often put off: then it rings too early once, and is set again, instead of each time. */
export class Alarm {
  readonly #clock: Clock
  readonly #onRing: () => void
  #timer: Timer | null = null
  #atMs = Infinity

  constructor(clock: Clock, onRing: () => void) {
    this.#clock = clock
    this.#onRing = onRing
  }

  /** On the monotonic clock. It rings then, or before. */
  ringBy(dueMs: number): void {
    if (dueMs >= this.#atMs) return
    this.#timer?.cancel()
    this.#atMs = dueMs
    this.#timer = this.#clock.schedule(Math.max(0, dueMs - this.#clock.monotonicMs()), () => {
      this.cancel()
      this.#onRing()
    })
  }

  cancel(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#atMs = Infinity
  }
}
