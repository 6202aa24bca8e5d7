import type { Clock, Timer } from '@millrace/base'

/** Runs a task again and again, each time an interval after the last run has ended. */
export class PeriodicTask {
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #run: () => Promise<void>
  #timer: Timer | null = null
  #isStarted = false

  constructor(clock: Clock, intervalMs: number, run: () => Promise<void>) {
    this.#clock = clock
    this.#intervalMs = intervalMs
    this.#run = run
  }

  start(): void {
    this.#isStarted = true
    this.#schedule()
  }

  stop(): void {
    this.#isStarted = false
    this.#timer?.cancel()
  }

  #schedule(): void {
    this.#timer = this.#clock.schedule(this.#intervalMs, () => {
      void this.#run().then(() => {
        if (this.#isStarted) this.#schedule()
      })
    })
  }
}
