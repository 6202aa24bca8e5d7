import { hash } from 'node:crypto'
import { invariant } from '@millrace/base'

/** 128 bits of the key's hash, then the offset plus one in two words; a slot of zeros is free. */
const SLOT_WORDS = 6
const OFFSET_WORD = 4
export const KEY_SLOT_BYTES = SLOT_WORDS * 4
const TWO_POW_32 = 2 ** 32
const HASH_WORD_BYTES = 4

/**
 * The newest offset of each key, in a table of fixed size: whatever the keys are, it costs 24 bytes for one. Keys are told
 * apart by 128 bits of SHA-256, so that nobody can make two that are taken for one.
 */
export class KeyOffsets {
  /** Everything up to here is in the table: records behind it must be kept whatever their keys. */
  latestOffset: number
  readonly #words: Uint32Array
  readonly #slotCount: number
  readonly #maxCount: number
  #count = 0

  /** `loadFactor`: how full the table may become; searches get longer with it. */
  constructor(options: { slotCount: number; loadFactor: number; firstOffset: number }) {
    const { slotCount, loadFactor, firstOffset } = options
    this.#slotCount = slotCount
    // One slot stays free always, or a search for an unknown key would not end.
    this.#maxCount = Math.min(Math.floor(slotCount * loadFactor), slotCount - 1)
    invariant(this.#maxCount > 0, 'the table has room for a key')
    this.#words = new Uint32Array(slotCount * SLOT_WORDS)
    this.latestOffset = firstOffset - 1
  }

  get count(): number {
    return this.#count
  }

  /** How much of the table is in use, from 0 to 1. */
  get utilization(): number {
    return this.#count / this.#slotCount
  }

  /** Notes that `key` was written at `offset`, which grows from call to call. False if there is no room for a new key. */
  put(key: Buffer, offset: number): boolean {
    const digest = hash('sha256', key, 'buffer')
    const at = this.#find(digest)
    if (this.#offsetAt(at) < 0) {
      if (this.#count === this.#maxCount) return false
      this.#count++
      for (let word = 0; word < OFFSET_WORD; word++) {
        this.#words[at + word] = digest.readUInt32LE(word * HASH_WORD_BYTES)
      }
    }
    this.#words[at + OFFSET_WORD] = Math.floor((offset + 1) / TWO_POW_32)
    this.#words[at + OFFSET_WORD + 1] = (offset + 1) % TWO_POW_32
    return true
  }

  /** The newest offset of `key`, -1 if it was not seen. */
  get(key: Buffer): number {
    return this.#offsetAt(this.#find(hash('sha256', key, 'buffer')))
  }

  /** The first word of the slot that has the key, or of the free one where it would be. */
  #find(digest: Buffer): number {
    const words = this.#words
    const first = digest.readUInt32LE(0)
    let slot = first % this.#slotCount
    for (;;) {
      const at = slot * SLOT_WORDS
      if (this.#offsetAt(at) < 0) return at
      const isSame =
        words[at] === first &&
        words[at + 1] === digest.readUInt32LE(HASH_WORD_BYTES) &&
        words[at + 2] === digest.readUInt32LE(2 * HASH_WORD_BYTES) &&
        words[at + 3] === digest.readUInt32LE(3 * HASH_WORD_BYTES)
      if (isSame) return at
      slot = slot + 1 === this.#slotCount ? 0 : slot + 1
    }
  }

  #offsetAt(at: number): number {
    return this.#words[at + OFFSET_WORD] * TWO_POW_32 + this.#words[at + OFFSET_WORD + 1] - 1
  }
}
