import type { Clock, Timer } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'

/** Work that comes again and again; the next time begins when the last one has ended. */
export class Chores {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #timers = new Set<Timer>()
  #isStopped = false

  constructor({ clock, logger }: { clock: Clock; logger: Logger }) {
    this.#clock = clock
    this.#logger = logger
  }

  every(intervalMs: number, chore: () => Promise<void>): void {
    if (this.#isStopped) return
    const timer = this.#clock.schedule(intervalMs, () => {
      this.#timers.delete(timer)
      chore()
        .catch((error: unknown) =>
          this.#logger.error('a chore of the log manager failed', { error }),
        )
        .finally(() => this.every(intervalMs, chore))
    })
    this.#timers.add(timer)
  }

  stop(): void {
    this.#isStopped = true
    for (const timer of this.#timers) timer.cancel()
  }
}
