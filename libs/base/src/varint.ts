/**
 * Variable-length integers as Kafka writes them: seven bits a byte, least significant first.
 * Lengths in records are zigzag-coded (`varint`, `varlong`); lengths of flexible messages are not
 * (`unsignedVarint`).
 */

const TWO_POW_7 = 128
const TWO_POW_27 = 2 ** 27
const TWO_POW_31 = 2 ** 31
const TWO_POW_55 = 2 ** 55

/**
 * Reads varints from a buffer and moves along. A varint that is cut short at `limit` or too long
 * yields 0 and puts `position` past `limit`, where every further read stays: read a group of
 * fields, then test `isOverrun` once and throw the error of your own layer.
 */
export class VarintReader {
  buffer: Uint8Array = new Uint8Array(0)
  position = 0
  /** Exclusive. Never above `buffer.length`. */
  limit = 0

  open(buffer: Uint8Array, position: number, limit: number): void {
    this.buffer = buffer
    this.position = position
    this.limit = limit
  }

  get isOverrun(): boolean {
    return this.position > this.limit
  }

  /** A signed 32-bit value, zigzag-coded: -1 is one byte. */
  varint(): number {
    const at = this.position
    if (at < this.limit) {
      const byte = this.buffer[at]
      if (byte < 0x80) {
        this.position = at + 1
        return (byte >>> 1) ^ -(byte & 1)
      }
    }
    const raw = this.#long32()
    return (raw >>> 1) ^ -(raw & 1)
  }

  /** An unsigned 32-bit value. */
  unsignedVarint(): number {
    const at = this.position
    if (at < this.limit) {
      const byte = this.buffer[at]
      if (byte < 0x80) {
        this.position = at + 1
        return byte
      }
    }
    return this.#long32()
  }

  /** A signed 64-bit value, zigzag-coded, as a number: exact up to 2^53, rounded beyond. */
  varlong(): number {
    const at = this.position
    if (at < this.limit) {
      const byte = this.buffer[at]
      if (byte < 0x80) {
        this.position = at + 1
        return (byte >>> 1) ^ -(byte & 1)
      }
    }
    return this.#long64()
  }

  #long32(): number {
    const { buffer, limit } = this
    let at = this.position
    let value = 0
    for (let shift = 0; shift < 35 && at < limit; shift += 7) {
      const byte = buffer[at++]
      if (shift === 28 && byte > 0x0f) break
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.position = at
        return value >>> 0
      }
    }
    return this.#overrun()
  }

  /** Kept in three parts of 28, 28 and 8 bits, each exact in 32-bit arithmetic. */
  #long64(): number {
    const { buffer, limit } = this
    let at = this.position
    let low = 0
    let middle = 0
    let high = 0
    for (let shift = 0; shift < 70 && at < limit; shift += 7) {
      const byte = buffer[at++]
      if (shift === 63 && byte > 1) break
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift < 56) middle |= bits << (shift - 28)
      else high |= bits << (shift - 56)
      if (byte < 0x80) {
        this.position = at
        const magnitude = (low >>> 1) + middle * TWO_POW_27 + high * TWO_POW_55
        return low & 1 ? -magnitude - 1 : magnitude
      }
    }
    return this.#overrun()
  }

  #overrun(): 0 {
    this.position = this.limit + 1
    return 0
  }
}

/** Writes a signed 32-bit value at `at`; returns the position after it. The caller made room. */
export function writeVarint(buffer: Uint8Array, at: number, value: number): number {
  return writeUnsignedVarint(buffer, at, ((value << 1) ^ (value >> 31)) >>> 0)
}

/** Writes an unsigned 32-bit value at `at`; returns the position after it. The caller made room. */
export function writeUnsignedVarint(buffer: Uint8Array, at: number, value: number): number {
  let rest = value
  while (rest > 0x7f) {
    buffer[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  buffer[at++] = rest
  return at
}

/** Writes a safe integer as a zigzag-coded 64-bit value at `at`; returns the position after it. */
export function writeVarlong(buffer: Uint8Array, at: number, value: number): number {
  if (value === (value | 0)) return writeVarint(buffer, at, value)
  // Doubling may leave the safe range, so the lowest bits (sign, then six of the magnitude) go
  // first.
  const magnitude = value < 0 ? -value - 1 : value
  buffer[at++] = ((magnitude % 64) << 1) | (value < 0 ? 1 : 0) | 0x80
  let rest = Math.floor(magnitude / 64)
  while (rest > 0x7f) {
    buffer[at++] = (rest % TWO_POW_7) | 0x80
    rest = Math.floor(rest / TWO_POW_7)
  }
  buffer[at++] = rest
  return at
}

/** How many bytes `writeVarint` takes for the value: 1 to 5. */
export function varintBytes(value: number): number {
  return unsignedVarintBytes(((value << 1) ^ (value >> 31)) >>> 0)
}

/** How many bytes `writeUnsignedVarint` takes for the value: 1 to 5. */
export function unsignedVarintBytes(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x200000) return 3
  return value < 0x10000000 ? 4 : 5
}

/** How many bytes `writeVarlong` takes for the value: 1 to 8 for a safe integer. */
export function varlongBytes(value: number): number {
  if (value === (value | 0)) return varintBytes(value)
  const magnitude = value < 0 ? -value - 1 : value
  if (magnitude < TWO_POW_31 * 8) return 5
  let bytes = 6
  for (let limit = 2 ** 41; magnitude >= limit; limit *= TWO_POW_7) bytes++
  return bytes
}
