import { wireErrors } from './errors'

const SIZE_BYTES = 4

/**
 * Cuts the bytes of a connection into frames: a size of four bytes, then that many bytes.
 *
 * A frame that lies wholly inside a chunk is a view of it; any other is gathered in one buffer of
 * exactly its size, so each byte is copied once at most. Nothing is allocated before the size is
 * known to be within `maxFrameBytes`.
 *
 * `push` takes a chunk over; then call `next` until it answers null. What was pushed and not asked
 * for is kept, so a caller that stops asking must stop reading its socket too.
 */
export class FrameSplitter {
  /** Larger frames are refused. May change between frames: a client that logs in may send larger ones. */
  maxFrameBytes: number
  /** Chunks not yet used up; the first one from `#at` on. */
  readonly #chunks: Buffer[] = []
  #at = 0
  /** What there is of a size field. */
  #sizeSoFar = 0
  #sizeFilled = 0
  /** Size of the frame under way, -1 while the size field is not complete. */
  #frameBytes = -1
  /** The frame under way, once it is known to be spread over chunks. */
  #frame: Buffer | null = null
  #frameFilled = 0

  constructor(options: { readonly maxFrameBytes: number }) {
    this.maxFrameBytes = options.maxFrameBytes
  }

  /** The splitter owns the chunk from here on: its bytes must not change. */
  push(chunk: Buffer): void {
    if (chunk.length > 0) this.#chunks.push(chunk)
  }

  /**
   * The next whole frame without its size field, or null until more is pushed.
   * @throws WireError WIRE_FRAME_SIZE; the connection cannot be used any further
   */
  next(): Buffer | null {
    if (this.#frameBytes < 0 && !this.#readSize()) return null
    if (this.#frame === null) {
      const whole = this.#viewOfFrame()
      if (whole !== null) return this.#finish(whole)
      if (this.#chunks.length === 0) return null
      this.#frame = Buffer.allocUnsafeSlow(this.#frameBytes)
      this.#frameFilled = 0
    }
    this.#frameFilled += this.#drainInto(this.#frame, this.#frameFilled)
    return this.#frameFilled === this.#frameBytes ? this.#finish(this.#frame) : null
  }

  #readSize(): boolean {
    while (this.#sizeFilled < SIZE_BYTES) {
      if (this.#chunks.length === 0) return false
      this.#sizeSoFar = (this.#sizeSoFar << 8) | this.#chunks[0][this.#at]
      this.#sizeFilled += 1
      this.#advance(1)
    }
    const size = this.#sizeSoFar
    if (size < 0 || size > this.maxFrameBytes) {
      throw wireErrors.create('WIRE_FRAME_SIZE', { size, max: this.maxFrameBytes })
    }
    this.#frameBytes = size
    this.#sizeSoFar = 0
    this.#sizeFilled = 0
    return true
  }

  /** The frame as a view, if the first chunk has all of it. */
  #viewOfFrame(): Buffer | null {
    if (this.#frameBytes === 0) return Buffer.alloc(0)
    const chunk = this.#chunks[0]
    if (chunk === undefined || chunk.length - this.#at < this.#frameBytes) return null
    const start = this.#at
    this.#advance(this.#frameBytes)
    return chunk.subarray(start, start + this.#frameBytes)
  }

  /** Copies what there is into `target` until that is full; answers how many bytes. */
  #drainInto(target: Buffer, start: number): number {
    let filled = start
    while (filled < target.length && this.#chunks.length > 0) {
      const count = this.#chunks[0].copy(target, filled, this.#at)
      filled += count
      this.#advance(count)
    }
    return filled - start
  }

  #advance(count: number): void {
    this.#at += count
    if (this.#at < this.#chunks[0].length) return
    this.#chunks.shift()
    this.#at = 0
  }

  #finish(frame: Buffer): Buffer {
    this.#frame = null
    this.#frameBytes = -1
    return frame
  }
}
