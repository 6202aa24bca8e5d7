/** Buckets to each doubling of the time: a quantile is off by at most a ninth. */
const BUCKETS_PER_DOUBLING = 8
const DOUBLINGS = 32
const BUCKET_COUNT = BUCKETS_PER_DOUBLING * DOUBLINGS
/** Quantiles are those of this window and the one before it. */
const WINDOW_MS = 60_000
const MICROS_PER_MS = 1000

/** Times that something took: how often, and the quantiles of the last minutes. Recording one is a few instructions. */
export class Latencies {
  #count = 0
  #windowStartMs = -Infinity
  #current = new Uint32Array(BUCKET_COUNT)
  #previous = new Uint32Array(BUCKET_COUNT)

  /** Since the start. */
  get count(): number {
    return this.#count
  }

  record(tookMs: number, nowMs: number): void {
    this.#rotate(nowMs)
    this.#count += 1
    this.#current[bucketOf(tookMs)] += 1
  }

  /** The time that the given share of the recorded ones did not exceed, in ms; 0 if there are none. */
  quantile(share: number, nowMs: number): number {
    this.#rotate(nowMs)
    let total = 0
    for (let at = 0; at < BUCKET_COUNT; at++) total += this.#current[at] + this.#previous[at]
    const wanted = Math.ceil(total * share)
    let seen = 0
    for (let at = 0; at < BUCKET_COUNT; at++) {
      seen += this.#current[at] + this.#previous[at]
      if (seen >= wanted && seen > 0) return upperMsOf(at)
    }
    return 0
  }

  #rotate(nowMs: number): void {
    const windows = Math.floor((nowMs - this.#windowStartMs) / WINDOW_MS)
    if (windows < 1) return
    const emptied = windows === 1 ? this.#current : this.#current.fill(0)
    this.#current = this.#previous.fill(0)
    this.#previous = emptied
    this.#windowStartMs = nowMs
  }
}

function bucketOf(tookMs: number): number {
  const micros = tookMs * MICROS_PER_MS
  if (micros < 1) return 0
  return Math.min(BUCKET_COUNT - 1, Math.floor(Math.log2(micros) * BUCKETS_PER_DOUBLING))
}

function upperMsOf(bucket: number): number {
  return 2 ** ((bucket + 1) / BUCKETS_PER_DOUBLING) / MICROS_PER_MS
}
