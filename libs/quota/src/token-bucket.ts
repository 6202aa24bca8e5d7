import type { RateWindow } from './rate'

/**
 * Tokens that come in at a rate and are taken by what happens. At most a whole window's worth gathers, and a debt is paid off
 * before anything else: a single burst blocks for as long as it was too large, not for as long as a sample is remembered.
 */
export class TokenBucket {
  readonly #windowSeconds: number
  #tokens = Infinity
  #updatedMs = 0

  constructor({ sampleCount, windowMs }: RateWindow) {
    this.#windowSeconds = (sampleCount * windowMs) / 1000
  }

  /** What is there; below zero after a burst. `perSecond` is the limit of now. */
  tokens(perSecond: number, nowMs: number): number {
    const refilled = this.#tokens + (perSecond * (nowMs - this.#updatedMs)) / 1000
    this.#tokens = Math.min(perSecond * this.#windowSeconds, refilled)
    this.#updatedMs = nowMs
    return this.#tokens
  }

  take(count: number, perSecond: number, nowMs: number): void {
    this.#tokens = this.tokens(perSecond, nowMs) - count
  }
}
