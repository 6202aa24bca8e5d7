import type { Clock } from '@millrace/base'

/**
 * How long a rebalance waits for members to join. An empty group waits a fixed delay instead, again and again while new
 * members come, so that those who start together are in the first generation together.
 */
export class JoinDeadline {
  readonly #clock: Clock
  readonly #initialDelayMs: number
  #dueMs = Infinity
  /** Of the first rebalance: the running delay, and how much longer it may still be prolonged. */
  #initial: { delayMs: number; remainingMs: number; isProlonged: boolean } | null = null

  constructor(clock: Clock, options: { readonly initialRebalanceDelayMs: number }) {
    this.#clock = clock
    this.#initialDelayMs = options.initialRebalanceDelayMs
  }

  /** On the monotonic clock; Infinity if there is none. */
  get dueMs(): number {
    return this.#dueMs
  }

  /** Whether the delay of an empty group runs: then the rebalance goes on only when it is over. */
  get isInitialDelay(): boolean {
    return this.#initial !== null
  }

  startInitialDelay(rebalanceTimeoutMs: number): void {
    const delayMs = this.#initialDelayMs
    const remainingMs = Math.max(rebalanceTimeoutMs - delayMs, 0)
    this.#initial = { delayMs, remainingMs, isProlonged: false }
    this.start(delayMs)
  }

  start(afterMs: number): void {
    this.#dueMs = this.#clock.monotonicMs() + afterMs
  }

  /** A member came during the initial delay. */
  prolong(): void {
    if (this.#initial) this.#initial.isProlonged = true
  }

  clear(): void {
    this.#dueMs = Infinity
    this.#initial = null
  }

  /** Called when it is due. True if it started again, because members came meanwhile. */
  maybeRestart(): boolean {
    const initial = this.#initial
    if (!initial?.isProlonged || initial.remainingMs === 0) return false
    const delayMs = Math.min(this.#initialDelayMs, initial.remainingMs)
    const remainingMs = Math.max(initial.remainingMs - initial.delayMs, 0)
    this.#initial = { delayMs, remainingMs, isProlonged: false }
    this.start(delayMs)
    return true
  }
}
