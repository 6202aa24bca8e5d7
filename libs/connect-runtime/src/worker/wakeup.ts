/** Lets one loop sleep until somebody else has something for it. A call of `notify` before `wait` is not lost. */
export class Wakeup {
  #isNotified = false
  #resolve: (() => void) | null = null

  notify(): void {
    this.#isNotified = true
    this.#resolve?.()
  }

  /** Resolves at the next `notify`, or at once if there was one since the last `wait`. */
  async wait(): Promise<void> {
    if (!this.#isNotified) {
      await new Promise<void>((resolve) => {
        this.#resolve = resolve
      })
    }
    this.#resolve = null
    this.#isNotified = false
  }
}
