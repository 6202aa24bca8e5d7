import { isUint8Array } from 'node:util/types'
import { INT64_MAX } from './schema'

const INITIAL_BYTES = 64 * 1024
/** A scratch that grew past this for one large message is given back to the collector. */
const KEPT_MAX_BYTES = 1024 * 1024
const STRING_MAX_BYTES = 0x7fff
const UTF8_MAX_BYTES_PER_UNIT = 3
/** Up to here a loop in JavaScript beats the call into the runtime's encoder. */
const SHORT_STRING_UNITS = 32
const UUID_BYTES = 16
const UUID_CHARACTERS = 22

/**
 * Writes the protocol's primitives into one growing scratch buffer that is reused from message to
 * message. Record batches are not copied in: only their place is noted, and `take` hands them out
 * between the pieces of the scratch.
 *
 * Each method names the field it writes, so that a wrong value ends in a TypeError that says where.
 */
export class Writer {
  #scratch = Buffer.allocUnsafeSlow(INITIAL_BYTES)
  #view = viewOf(this.#scratch)
  #position = 0
  /** Position in the scratch before which each referenced buffer belongs; ascending. */
  #referencePositions: number[] = []
  #references: Buffer[] = []
  #referencedBytes = 0

  /** Bytes written so far, those of referenced buffers included. */
  get sizeBytes(): number {
    return this.#position + this.#referencedBytes
  }

  bool(value: boolean, field: string): void {
    if (typeof value !== 'boolean') mismatch(field, 'a boolean', value)
    const at = this.#room(1)
    this.#scratch[at] = value ? 1 : 0
  }

  int8(value: number, field: string): void {
    if (!isWithin(value, -0x80, 0x7f)) mismatch(field, 'an int8', value)
    const at = this.#room(1)
    this.#scratch[at] = value
  }

  int16(value: number, field: string): void {
    if (!isWithin(value, -0x8000, 0x7fff)) mismatch(field, 'an int16', value)
    const at = this.#room(2)
    this.#view.setInt16(at, value)
  }

  uint16(value: number, field: string): void {
    if (!isWithin(value, 0, 0xffff)) mismatch(field, 'a uint16', value)
    const at = this.#room(2)
    this.#view.setUint16(at, value)
  }

  int32(value: number, field: string): void {
    if (!isWithin(value, -0x8000_0000, 0x7fff_ffff)) mismatch(field, 'an int32', value)
    const at = this.#room(4)
    this.#view.setInt32(at, value)
  }

  uint32(value: number, field: string): void {
    if (!isWithin(value, 0, 0xffff_ffff)) mismatch(field, 'a uint32', value)
    const at = this.#room(4)
    this.#view.setUint32(at, value)
  }

  /** Any integer from -2^63 to INT64_MAX. */
  int64(value: number, field: string): void {
    if (!isWithin(value, -INT64_MAX, INT64_MAX)) mismatch(field, 'an int64 number', value)
    const at = this.#room(8)
    if (value === INT64_MAX) {
      this.#view.setInt32(at, 0x7fffffff)
      this.#view.setUint32(at + 4, 0xffffffff)
      return
    }
    const high = Math.floor(value / 0x1_0000_0000)
    this.#view.setInt32(at, high)
    this.#view.setUint32(at + 4, value - high * 0x1_0000_0000)
  }

  float64(value: number, field: string): void {
    if (typeof value !== 'number') mismatch(field, 'a number', value)
    const at = this.#room(8)
    this.#view.setFloat64(at, value)
  }

  uvarint(value: number): void {
    let at = this.#room(5)
    let rest = value
    while (rest > 0x7f) {
      this.#scratch[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#scratch[at++] = rest
    this.#position = at
  }

  uuid(value: string, field: string): void {
    const at = this.#room(UUID_BYTES)
    const isWhole =
      typeof value === 'string' &&
      value.length === UUID_CHARACTERS &&
      this.#scratch.write(value, at, UUID_BYTES, 'base64url') === UUID_BYTES
    if (!isWhole) mismatch(field, 'a uuid of 22 base64url characters', value)
  }

  string(value: string, field: string): void {
    if (typeof value !== 'string') mismatch(field, 'a string', value)
    const at = this.#room(2)
    const count = this.#text(value, field)
    this.#view.setInt16(at, count)
  }

  compactString(value: string, field: string): void {
    if (typeof value !== 'string') mismatch(field, 'a string', value)
    if (value.length * UTF8_MAX_BYTES_PER_UNIT < 0x7f) {
      const at = this.#room(1)
      const count = this.#text(value, field)
      this.#scratch[at] = count + 1
      return
    }
    this.uvarint(Buffer.byteLength(value) + 1)
    this.#text(value, field)
  }

  bytes(value: Buffer, field: string): void {
    if (!isUint8Array(value)) mismatch(field, 'a Buffer', value)
    this.int32(value.length, field)
    this.#copy(value)
  }

  compactBytes(value: Buffer, field: string): void {
    if (!isUint8Array(value)) mismatch(field, 'a Buffer', value)
    this.uvarint(value.length + 1)
    this.#copy(value)
  }

  /** The buffers are passed on by reference: they must not change until the message is sent. */
  records(value: Buffer | readonly Buffer[], field: string): void {
    this.int32(recordsBytes(value, field), field)
    this.#refer(value)
  }

  compactRecords(value: Buffer | readonly Buffer[], field: string): void {
    this.uvarint(recordsBytes(value, field) + 1)
    this.#refer(value)
  }

  arrayLength(value: readonly unknown[], field: string): void {
    if (!Array.isArray(value)) mismatch(field, 'an array', value)
    this.int32(value.length, field)
  }

  compactArrayLength(value: readonly unknown[], field: string): void {
    if (!Array.isArray(value)) mismatch(field, 'an array', value)
    this.uvarint(value.length + 1)
  }

  /** Starts a tagged field; `endTag` of the answer puts its size in front. It must hold no records. */
  beginTag(tag: number): number {
    this.uvarint(tag)
    return this.#room(1)
  }

  endTag(start: number): void {
    const contentStart = start + 1
    const contentBytes = this.#position - contentStart
    if (contentBytes > 0x7f) {
      const shift = uvarintBytes(contentBytes) - 1
      this.#room(shift)
      this.#scratch.copyWithin(contentStart + shift, contentStart, contentStart + contentBytes)
    }
    const next = this.#position
    this.#position = start
    this.uvarint(contentBytes)
    this.#position = next
  }

  /** Writes an int32 over one that was written before. */
  patchInt32(at: number, value: number): void {
    this.#view.setInt32(at, value)
  }

  /** The message, in buffers that the caller owns (but for referenced records). Resets the writer. */
  take(): Buffer[] {
    const owned = Buffer.allocUnsafe(this.#position)
    this.#scratch.copy(owned, 0, 0, this.#position)
    if (this.#references.length === 0) {
      this.reset()
      return [owned]
    }
    const parts: Buffer[] = []
    let from = 0
    for (const [index, reference] of this.#references.entries()) {
      const until = this.#referencePositions[index]
      if (until > from) parts.push(owned.subarray(from, until))
      parts.push(reference)
      from = until
    }
    if (owned.length > from) parts.push(owned.subarray(from))
    this.reset()
    return parts
  }

  reset(): void {
    this.#position = 0
    if (this.#references.length > 0) {
      this.#references = []
      this.#referencePositions = []
      this.#referencedBytes = 0
    }
    if (this.#scratch.length > KEPT_MAX_BYTES) this.#replace(INITIAL_BYTES)
  }

  #refer(value: Buffer | readonly Buffer[]): void {
    if (!isUint8Array(value)) {
      for (const part of value) this.#refer(part)
      return
    }
    if (value.length === 0) return
    this.#references.push(value)
    this.#referencePositions.push(this.#position)
    this.#referencedBytes += value.length
  }

  #copy(value: Buffer): void {
    const at = this.#room(value.length)
    this.#scratch.set(value, at)
  }

  /** Writes the characters and answers how many bytes they took. */
  #text(value: string, field: string): number {
    const units = value.length
    const start = this.#room(units * UTF8_MAX_BYTES_PER_UNIT)
    let count = units <= SHORT_STRING_UNITS ? this.#ascii(value, start) : -1
    if (count < 0) count = this.#scratch.write(value, start)
    if (count > STRING_MAX_BYTES) {
      throw new TypeError(
        `${field}: expected at most ${STRING_MAX_BYTES} bytes of text, got ${count}`,
      )
    }
    this.#position = start + count
    return count
  }

  /** The byte count, or -1 if there is anything but ASCII in it. */
  #ascii(value: string, start: number): number {
    const units = value.length
    for (let index = 0; index < units; index++) {
      const unit = value.charCodeAt(index)
      if (unit > 0x7f) return -1
      this.#scratch[start + index] = unit
    }
    return units
  }

  /**
   * Makes room for `count` bytes and moves past them; answers where they start. It may replace the
   * scratch and its view, so callers look those up afterwards.
   */
  #room(count: number): number {
    const at = this.#position
    const next = at + count
    if (next > this.#scratch.length) this.#replace(Math.max(next, this.#scratch.length * 2))
    this.#position = next
    return at
  }

  #replace(sizeBytes: number): void {
    const larger = Buffer.allocUnsafeSlow(sizeBytes)
    this.#scratch.copy(larger, 0, 0, this.#position)
    this.#scratch = larger
    this.#view = viewOf(larger)
  }
}

/** @throws TypeError that names the field; of text and bytes only the kind is told, never the content */
export function mismatch(field: string, expected: string, value: unknown): never {
  throw new TypeError(`${field}: expected ${expected}, got ${describe(value)}`)
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`
}

function recordsBytes(value: Buffer | readonly Buffer[], field: string): number {
  if (isUint8Array(value)) return value.length
  if (!Array.isArray(value)) mismatch(field, 'a Buffer or Buffers', value)
  let total = 0
  for (const part of value) {
    if (!isUint8Array(part)) mismatch(field, 'Buffers', part)
    total += part.length
  }
  return total
}

function isWithin(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max
}

function uvarintBytes(value: number): number {
  let count = 1
  for (let rest = value; rest > 0x7f; rest >>>= 7) count++
  return count
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
}
