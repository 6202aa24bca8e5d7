/** A smaller read is not worth a buffer of the pool. */
const MIN_POOLED_BYTES = 32 << 10
/** What the pool has, smallest first. The largest takes a fetch of the clients' default of 1 MiB and the read-ahead. */
const SIZES_BYTES = [64 << 10, 256 << 10, (1 << 20) + (64 << 10)]
/** Given back beyond this, a buffer is left to the garbage collector. */
const MAX_FREE_BYTES = 16 << 20

/**
 * Buffers for what is read, used again and again: fresh memory for each read costs more than the read itself, in page
 * faults and in garbage collections that only its size brings about.
 *
 * Who takes a buffer owns it, and gives it back when nobody looks at it any more, or never: then it is collected like any
 * other. Only the last reader of an answer may give it back, which is the socket.
 */
export class ReadBuffers {
  readonly #free: Buffer[][] = SIZES_BYTES.map(() => [])
  /** Those that were taken, by their memory, for as long as somebody holds them. */
  readonly #taken = new WeakMap<ArrayBufferLike, Buffer>()
  #freeBytes = 0

  get freeBytes(): number {
    return this.#freeBytes
  }

  /** Exactly so many bytes, with anything in them. */
  take(bytes: number): Buffer {
    const size = SIZES_BYTES.findIndex((sizeBytes) => bytes <= sizeBytes)
    if (bytes < MIN_POOLED_BYTES || size < 0) return Buffer.allocUnsafeSlow(bytes)
    let whole = this.#free[size].pop()
    if (whole === undefined) whole = Buffer.allocUnsafeSlow(SIZES_BYTES[size])
    else this.#freeBytes -= whole.length
    this.#taken.set(whole.buffer, whole)
    return whole.subarray(0, bytes)
  }

  /** `view` is any part of a buffer of `take`; one from elsewhere, or given back before, is left alone. */
  giveBack(view: Buffer): void {
    const whole = this.#taken.get(view.buffer)
    if (whole === undefined) return
    this.#taken.delete(view.buffer)
    if (this.#freeBytes + whole.length > MAX_FREE_BYTES) return
    this.#freeBytes += whole.length
    this.#free[SIZES_BYTES.indexOf(whole.length)].push(whole)
  }
}

/** Of the whole process, as Node's own pool of small buffers is. */
export const readBuffers = new ReadBuffers()
