import { wireErrors } from './errors'

const STRING_MAX_BYTES = 0x7fff
const UUID_BYTES = 16

/**
 * Reads the protocol's primitives from one buffer, front to back. Every read is checked against
 * the end first, so malformed input ends in a WireError and never in bytes of a neighbour.
 * Any length below 0 stands for null, as Kafka takes it. Strings are copied out; `bytes` are views of the buffer.
 */
export class Reader {
  readonly #buffer: Buffer
  readonly #message: string
  readonly #version: number
  #position: number

  constructor(buffer: Buffer, start: number, about: { message: string; version: number }) {
    this.#buffer = buffer
    this.#position = start
    this.#message = about.message
    this.#version = about.version
    if (start > buffer.length) this.#truncated()
  }

  get position(): number {
    return this.#position
  }

  bool(): boolean {
    return this.#buffer[this.#take(1)] !== 0
  }

  int8(): number {
    return (this.#buffer[this.#take(1)] << 24) >> 24
  }

  int16(): number {
    return (this.uint16() << 16) >> 16
  }

  uint16(): number {
    const at = this.#take(2)
    return (this.#buffer[at] << 8) | this.#buffer[at + 1]
  }

  int32(): number {
    const at = this.#take(4)
    const bytes = this.#buffer
    return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]
  }

  uint32(): number {
    return this.int32() >>> 0
  }

  /** As a number: exact up to 2^53, rounded to the nearest double beyond. */
  int64(): number {
    const high = this.int32()
    return high * 0x1_0000_0000 + this.uint32()
  }

  float64(): number {
    return this.#buffer.readDoubleBE(this.#take(8))
  }

  uvarint(): number {
    const start = this.#position
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#buffer[this.#take(1)]
      // The fifth byte has room for four bits only.
      if (shift === 28 && byte > 0x0f) break
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw wireErrors.create('WIRE_BAD_VARINT', this.#about({ position: start }))
  }

  /** 22 characters of base64url. */
  uuid(): string {
    const at = this.#take(UUID_BYTES)
    return this.#buffer.toString('base64url', at, at + UUID_BYTES)
  }

  string(): string | null {
    return this.#stringOf(this.int16())
  }

  compactString(): string | null {
    return this.#stringOf(this.uvarint() - 1)
  }

  bytes(): Buffer | null {
    return this.#bytesOf(this.int32())
  }

  compactBytes(): Buffer | null {
    return this.#bytesOf(this.uvarint() - 1)
  }

  records(): Buffer | null {
    return this.bytes()
  }

  compactRecords(): Buffer | null {
    return this.compactBytes()
  }

  /** Number of elements, -1 for null; never more than the bytes left could hold. */
  arrayLength(elementMinBytes: number): number {
    return this.#lengthOf(this.int32(), elementMinBytes)
  }

  compactArrayLength(elementMinBytes: number): number {
    return this.#lengthOf(this.uvarint() - 1, elementMinBytes)
  }

  /** Reads the size of a tagged field and answers the position where the field stops. */
  tagLimit(): number {
    const size = this.uvarint()
    if (size > this.#buffer.length - this.#position) this.#truncated()
    return this.#position + size
  }

  /** Steps over a tagged field that this version of ours does not know. */
  skipTo(position: number): void {
    this.#position = position
  }

  /** @throws WireError WIRE_BAD_TAG if a known tagged field was shorter or longer than its size said */
  finishTag(limit: number): void {
    if (this.#position === limit) return
    throw wireErrors.create('WIRE_BAD_TAG', this.#about({ position: this.#position }))
  }

  skipTags(): void {
    for (let count = this.uvarint(); count > 0; count--) {
      this.uvarint()
      this.skipTo(this.tagLimit())
    }
  }

  /** Passes a value on, unless it is null where the version does not allow that. */
  present<T>(value: T | null, field: string): T {
    return value === null ? this.unexpectedNull(field) : value
  }

  unexpectedNull(field: string): never {
    throw wireErrors.create('WIRE_UNEXPECTED_NULL', { field, version: this.#version })
  }

  /** @throws WireError WIRE_BYTES_LEFT_OVER */
  finish(): void {
    const count = this.#buffer.length - this.#position
    if (count !== 0) throw wireErrors.create('WIRE_BYTES_LEFT_OVER', this.#about({ count }))
  }

  #take(count: number): number {
    const at = this.#position
    const next = at + count
    if (next > this.#buffer.length) this.#truncated()
    this.#position = next
    return at
  }

  #stringOf(length: number): string | null {
    if (length < 0) return null
    if (length > STRING_MAX_BYTES) this.#badLength(length)
    const at = this.#take(length)
    return this.#buffer.toString('utf8', at, at + length)
  }

  #bytesOf(length: number): Buffer | null {
    if (length < 0) return null
    const at = this.#take(length)
    return this.#buffer.subarray(at, at + length)
  }

  #lengthOf(length: number, elementMinBytes: number): number {
    const left = this.#buffer.length - this.#position
    if (length * elementMinBytes > left) this.#badLength(length)
    return Math.max(length, -1)
  }

  #truncated(): never {
    throw wireErrors.create('WIRE_TRUNCATED', this.#about({ position: this.#position }))
  }

  #badLength(length: number): never {
    throw wireErrors.create('WIRE_BAD_LENGTH', this.#about({ length, position: this.#position }))
  }

  #about(params: Record<string, number>): Record<string, string | number> {
    const { length: size } = this.#buffer
    return { message: this.#message, version: this.#version, size, ...params }
  }
}
