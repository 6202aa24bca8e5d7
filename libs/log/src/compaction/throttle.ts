import type { Clock } from '@millrace/base'

/** Debts below this are carried on: a timer is not more exact. */
const SHORTEST_SLEEP_MS = 10
const SECOND_MS = 1000

/** Keeps what work of one kind reads and writes, all together, below a rate. */
export class Throttle {
  bytesPerSecond: number
  readonly #clock: Clock
  /** When everything that was taken so far is paid for. */
  #paidAtMs = 0

  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock
    this.bytesPerSecond = bytesPerSecond
  }

  /** Resolves when `bytes` more are within the rate. Rejects with the signal's reason if it is aborted first. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    if (this.bytesPerSecond === Infinity) return
    const nowMs = this.#clock.monotonicMs()
    this.#paidAtMs = Math.max(this.#paidAtMs, nowMs) + (bytes * SECOND_MS) / this.bytesPerSecond
    const debtMs = this.#paidAtMs - nowMs
    if (debtMs >= SHORTEST_SLEEP_MS) await this.#clock.sleep(debtMs, signal)
  }
}
