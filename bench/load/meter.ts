import type { LoadResult } from './options.ts'

const LATENCIES_MAX = 1_000_000

/** Counts between two moments: what the warm-up did is left out. */
export class Meter {
  #records = 0
  #valueBytes = 0
  #requests = 0
  #startedMs = 0
  #isMeasuring = false
  readonly #latenciesMs: number[] = []

  begin(): void {
    this.#startedMs = performance.now()
    this.#isMeasuring = true
  }

  count(records: number, valueBytes: number, latencyMs: number): void {
    if (!this.#isMeasuring) return
    this.#records += records
    this.#valueBytes += valueBytes
    this.#requests += 1
    if (this.#latenciesMs.length < LATENCIES_MAX) this.#latenciesMs.push(latencyMs)
  }

  finish(): LoadResult {
    const seconds = (performance.now() - this.#startedMs) / 1000
    this.#isMeasuring = false
    const sorted = Float64Array.from(this.#latenciesMs).sort()
    const at = (share: number) =>
      Math.round((sorted[Math.floor((sorted.length - 1) * share)] ?? 0) * 100) / 100
    return {
      seconds,
      records: this.#records,
      valueBytes: this.#valueBytes,
      requests: this.#requests,
      latencyMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
    }
  }
}
