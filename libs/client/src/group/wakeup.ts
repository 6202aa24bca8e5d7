import type { Clock, Timer } from '@millrace/base'

/** One place to wait at until something has happened. What happens while nobody waits is not missed. */
export class Wakeup {
  readonly #clock: Clock
  #isPending = false
  #onWake: (() => void) | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  wake(): void {
    if (this.#onWake === null) this.#isPending = true
    else this.#onWake()
  }

  /** Resolves at the next `wake`, at once if there was one since the last wait, or when the time is over. One at a time. */
  wait(timeoutMs: number): Promise<void> {
    if (this.#isPending) {
      this.#isPending = false
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      let timer: Timer | null = null
      this.#onWake = () => {
        this.#onWake = null
        timer?.cancel()
        resolve()
      }
      if (timeoutMs < Infinity) timer = this.#clock.schedule(timeoutMs, this.#onWake)
    })
  }
}
