/** How a rate is measured: over `sampleCount` samples of `windowMs` each. */
export interface RateWindow {
  readonly sampleCount: number
  readonly windowMs: number
}

/**
 * How much per second, over a row of samples, as Kafka measures it: a sample is begun by the first event after the last one
 * was full, and a rate that is younger than the whole window counts as if the window had been there, so that a client's first
 * request does not look like a flood.
 */
export class Rate {
  readonly #window: RateWindow
  /** One more than samples: the oldest may lie partly before the window. */
  readonly #values: Float64Array
  readonly #startsMs: Float64Array
  readonly #lastEventsMs: Float64Array
  #used = 0
  #current = 0

  constructor(window: RateWindow) {
    this.#window = window
    this.#values = new Float64Array(window.sampleCount + 1)
    this.#startsMs = new Float64Array(window.sampleCount + 1)
    this.#lastEventsMs = new Float64Array(window.sampleCount + 1)
  }

  /** Times must not go backwards. A negative amount takes back what was recorded. */
  record(amount: number, nowMs: number): void {
    if (this.#used === 0) this.#begin(0, nowMs)
    else if (nowMs - this.#startsMs[this.#current] >= this.#window.windowMs)
      this.#begin((this.#current + 1) % this.#values.length, nowMs)
    this.#values[this.#current] += amount
    this.#lastEventsMs[this.#current] = nowMs
  }

  perSecond(nowMs: number): number {
    const spanMs = this.spanMs(nowMs)
    let sum = 0
    for (let index = 0; index < this.#used; index++) sum += this.#values[index]
    return (sum * 1000) / spanMs
  }

  /** The time that `perSecond` divides by; at least 1 ms. */
  spanMs(nowMs: number): number {
    this.#forget(nowMs)
    const { sampleCount, windowMs } = this.#window
    let oldestMs = nowMs
    for (let index = 0; index < this.#used; index++)
      oldestMs = Math.min(oldestMs, this.#startsMs[index])
    const elapsedMs = nowMs - oldestMs
    const missing = sampleCount - 1 - Math.floor(elapsedMs / windowMs)
    return Math.max(1, elapsedMs + Math.max(0, missing) * windowMs)
  }

  #begin(index: number, nowMs: number): void {
    this.#current = index
    this.#used = Math.max(this.#used, index + 1)
    this.#reset(index, nowMs)
  }

  /** Samples without an event in the window say nothing any more. */
  #forget(nowMs: number): void {
    const { sampleCount, windowMs } = this.#window
    for (let index = 0; index < this.#used; index++)
      if (nowMs - this.#lastEventsMs[index] >= sampleCount * windowMs) this.#reset(index, nowMs)
  }

  #reset(index: number, nowMs: number): void {
    this.#values[index] = 0
    this.#startsMs[index] = nowMs
    this.#lastEventsMs[index] = nowMs
  }
}

/** How long nothing may happen until a rate is back at its limit. */
export function throttleMs(rate: Rate, limit: number, nowMs: number): number {
  const excess = rate.perSecond(nowMs) - limit
  return excess <= 0 ? 0 : Math.round((excess / limit) * rate.spanMs(nowMs))
}
