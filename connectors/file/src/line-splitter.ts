const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

/**
 * Cuts a stream of bytes into lines ended by \n, \r\n or \r, and knows where in the file each line ends. A line is given
 * out only when its end was seen, so that half a line is never a record.
 */
export class LineSplitter {
  #pending: Buffer = Buffer.alloc(0)
  #scanFrom = 0
  #position: number

  /** `position` is the file offset of the first byte that will be pushed. */
  constructor(position: number) {
    this.#position = position
  }

  /** File offset after the last line that `next` gave. */
  get position(): number {
    return this.#position
  }

  /** Takes over a copy of the bytes. Call it when `next` gave null. */
  push(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk])
  }

  /** The next whole line without its ending, or null if there is none yet. */
  next(): string | null {
    for (let index = this.#scanFrom; index < this.#pending.length; index += 1) {
      const byte = this.#pending[index]
      if (byte === LINE_FEED) return this.#take(index, index + 1)
      if (byte !== CARRIAGE_RETURN) continue
      // The byte after a \r decides whether it belongs to the ending: wait for it.
      if (index + 1 === this.#pending.length) {
        this.#scanFrom = index
        return null
      }
      return this.#take(index, this.#pending[index + 1] === LINE_FEED ? index + 2 : index + 1)
    }
    this.#scanFrom = this.#pending.length
    return null
  }

  #take(lineLength: number, consumed: number): string {
    const line = this.#pending.toString('utf8', 0, lineLength)
    this.#pending = this.#pending.subarray(consumed)
    this.#scanFrom = 0
    this.#position += consumed
    return line
  }
}
