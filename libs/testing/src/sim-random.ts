import type { Random } from '@millrace/base'

/** Numbers that follow from a seed (mulberry32), so that a failing run can be replayed. */
export class SimRandom implements Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  int(maxExclusive: number): number {
    return Math.floor(this.#next() * maxExclusive)
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.int(256)))
  }

  /** True in `percent` of a hundred calls. */
  chance(percent: number): boolean {
    return this.#next() * 100 < percent
  }

  /** A number from 0 up to, not including, 1. */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
