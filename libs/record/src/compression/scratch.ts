const INITIAL_BYTES = 64 * 1024
/** A larger scratch is used once and left to the garbage collector. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024

let kept: Buffer | null = null

/**
 * Room for output whose size is not known ahead, grown as blocks arrive and copied out exactly
 * once. The memory is shared by all calls on the thread, so one use must run from `take` to
 * `release` without an await.
 */
export class Scratch {
  buffer: Buffer

  private constructor(buffer: Buffer) {
    this.buffer = buffer
  }

  static take(): Scratch {
    const scratch = new Scratch(kept ?? Buffer.allocUnsafeSlow(INITIAL_BYTES))
    kept = null // a second use before the release gets its own
    return scratch
  }

  /** Makes `bytes` fit, keeping the first `usedBytes`. */
  reserve(bytes: number, usedBytes: number): void {
    if (bytes <= this.buffer.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(bytes, this.buffer.length * 2))
    this.buffer.copy(grown, 0, 0, usedBytes)
    this.buffer = grown
  }

  copyOut(usedBytes: number): Buffer {
    const exact = Buffer.allocUnsafe(usedBytes)
    this.buffer.copy(exact, 0, 0, usedBytes)
    return exact
  }

  release(): void {
    if (this.buffer.length <= MAX_KEPT_BYTES) kept = this.buffer
  }
}
