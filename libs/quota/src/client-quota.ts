import { Limits, type QuotaClient } from './limits'
import { Rate, throttleMs, type RateWindow } from './rate'
import { UsageTable } from './usage'

/**
 * One quota on what clients use per second: bytes written or read, or a share of the time for requests. What goes beyond it
 * is not refused: the client has to wait until its rate is back at the limit.
 */
export class ClientQuota {
  readonly #window: RateWindow
  readonly #throttleMaxMs: number
  readonly #rates: UsageTable<Rate>
  #limits = Limits.none

  /** `throttleMaxMs` bounds a single wait. */
  constructor(window: RateWindow, options: { readonly throttleMaxMs?: number } = {}) {
    this.#window = window
    this.#throttleMaxMs = options.throttleMaxMs ?? Infinity
    const { sampleCount, windowMs } = window
    this.#rates = new UsageTable(() => new Rate(window), (sampleCount + 1) * windowMs)
  }

  /** Whether any limit is set: without one there is nothing to record. */
  get isEnabled(): boolean {
    return !this.#limits.isEmpty
  }

  /** What was used stays: a client that is over a new limit waits at once. */
  setLimits(limits: Limits): void {
    this.#limits = limits
    if (limits.isEmpty) this.#rates.clear()
  }

  /** Adds to what the client used; returns how long it has to wait, 0 within the limit. */
  record(client: QuotaClient, amount: number, nowMs: number): number {
    const limit = this.#limits.find(client)
    if (limit === null) return 0
    const rate = this.#rates.of(limit.owner, nowMs)
    rate.record(amount, nowMs)
    return Math.min(this.#throttleMaxMs, throttleMs(rate, limit.perSecond, nowMs))
  }

  /** Adds without asking to wait, or takes back (a negative amount): it counts when the client comes next. */
  recordQuietly(client: QuotaClient, amount: number, nowMs: number): void {
    const limit = this.#limits.find(client)
    if (limit !== null) this.#rates.of(limit.owner, nowMs).record(amount, nowMs)
  }

  /** More than this at once goes beyond the limit even of a client that used nothing; Infinity without a limit. */
  maxAtOnce(client: QuotaClient): number {
    const limit = this.#limits.find(client)
    const { sampleCount, windowMs } = this.#window
    return limit === null ? Infinity : (limit.perSecond * (sampleCount - 1) * windowMs) / 1000
  }
}
