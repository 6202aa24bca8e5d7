import { randomBytes, randomInt } from 'node:crypto'

/** The only door to randomness: a simulation passes a seeded one. */
export interface Random {
  /** A whole number from 0 to `maxExclusive - 1`. */
  int(maxExclusive: number): number
  bytes(count: number): Buffer
}

export const systemRandom: Random = {
  int: (maxExclusive) => randomInt(maxExclusive),
  bytes: (count) => randomBytes(count),
}
