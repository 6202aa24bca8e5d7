import type { Socket } from 'node:net'
import { type Client, DatabaseError } from 'pg'
import type { Clock } from '@millrace/connect-api'

/** Types of backend messages, the ones that we look at. */
export const Backend = {
  commandComplete: 0x43,
  copyBoth: 0x57,
  copyData: 0x64,
  copyDone: 0x63,
  dataRow: 0x44,
  error: 0x45,
  readyForQuery: 0x5a,
} as const

const HEADER_BYTES = 5
const NO_MESSAGE = 0
const QUERY = 0x51
const COPY_DATA = 0x64
const TERMINATE = Buffer.from([0x58, 0, 0, 0, 4])

export interface MessageReaderOptions {
  /** The socket is paused while this much waits unread; a single larger message is still read whole. */
  readonly maxBufferedBytes: number
  /**
   * Pause after each read. The server's walsender is woken for each row that an eager reader takes away; left alone for a few
   * milliseconds it fills the socket in one go and is twice as fast. 0 for none.
   */
  readonly paceMs: number
}

/**
 * Takes a logged-in, idle session over from the driver and hands out its messages one by one, in place, as the caller asks for
 * them: what is not asked for stays bytes, and then stays in the server. One reader, one caller.
 */
export class MessageReader {
  readonly #stream: Socket
  readonly #clock: Clock
  readonly #options: MessageReaderOptions
  /** Body of the message that `next` returned last, valid until the next call. */
  buffer: Buffer = Buffer.alloc(0)
  bodyStart = 0
  bodyStop = 0
  /** Where the next message begins in `buffer`. */
  #at = 0
  /** Chunks after `buffer`. */
  #chunks: Buffer[] = []
  #chunkBytes = 0
  /** What the message that is being received needs in all. */
  #wantedBytes = HEADER_BYTES
  #isFlowing = true
  #isPacing = false
  #failure: Error | null = null
  #wake: (() => void) | null = null

  constructor(client: Client, clock: Clock, options: MessageReaderOptions) {
    this.#stream = client.connection.stream as Socket
    this.#clock = clock
    this.#options = options
    this.#stream.removeAllListeners('data')
    this.#stream.on('data', (chunk: Buffer) => this.#onData(chunk))
    this.#stream.on('error', (error) => this.#fail(error))
    this.#stream.on('close', () => this.#fail(new Error('connection closed by the server')))
  }

  /** Bytes that were received and not yet handed out. */
  get bufferedBytes(): number {
    return this.buffer.length - this.#at + this.#chunkBytes
  }

  /**
   * Type of the next whole message, its body in `buffer` from `bodyStart` to `bodyStop`; 0 if there is none yet.
   * @throws the error that cut the connection, once everything before it was handed out
   */
  next(): number {
    for (;;) {
      const available = this.buffer.length - this.#at
      let needed = HEADER_BYTES
      if (available >= HEADER_BYTES) {
        needed = 1 + this.buffer.readUInt32BE(this.#at + 1)
        if (needed < HEADER_BYTES) throw new Error('connection closed: not a Postgres message')
        if (available >= needed) {
          const type = this.buffer[this.#at]
          this.bodyStart = this.#at + HEADER_BYTES
          this.#at += needed
          this.bodyStop = this.#at
          return type
        }
      }
      if (available + this.#chunkBytes < needed) return this.#nothing(needed)
      this.#gather(needed)
    }
  }

  /** Waits for more bytes, for `wake`, or until the time is over. */
  async wait(timeoutMs: number): Promise<void> {
    if (this.#failure !== null) return
    await new Promise<void>((resolve) => {
      const timer = this.#clock.schedule(timeoutMs, resolve)
      this.#wake = () => {
        timer.cancel()
        resolve()
      }
    })
    this.#wake = null
  }

  /** Ends a pending `wait`. */
  wake(): void {
    this.#wake?.()
  }

  /** Sends a simple query; its answer comes through `next`. */
  query(sql: string): void {
    const text = Buffer.from(sql)
    const message = Buffer.allocUnsafe(text.length + 6)
    message[0] = QUERY
    message.writeUInt32BE(text.length + 5, 1)
    text.copy(message, 5)
    message[text.length + 5] = 0
    this.#stream.write(message)
  }

  sendCopyData(body: Buffer): void {
    const header = Buffer.allocUnsafe(HEADER_BYTES)
    header[0] = COPY_DATA
    header.writeUInt32BE(body.length + 4, 1)
    if (this.#stream.writable) this.#stream.write(Buffer.concat([header, body]))
  }

  /** Waits for the next message. @throws the server's error, if that is the message, or the connection's */
  async receive(): Promise<number> {
    for (;;) {
      const type = this.next()
      if (type === Backend.error) throw this.readError()
      if (type !== NO_MESSAGE) return type
      await this.wait(1000)
    }
  }

  /** The error of an ErrorResponse that `next` just returned. */
  readError(): DatabaseError {
    const fields = new Map<string, string>()
    for (let at = this.bodyStart; at < this.bodyStop && this.buffer[at] !== 0; ) {
      const stop = this.buffer.indexOf(0, at + 1)
      fields.set(String.fromCharCode(this.buffer[at]), this.buffer.toString('utf8', at + 1, stop))
      at = stop + 1
    }
    const error = new DatabaseError(fields.get('M') ?? '', this.bodyStop - this.bodyStart, 'error')
    error.code = fields.get('C')
    error.severity = fields.get('S')
    error.detail = fields.get('D')
    return error
  }

  /** Says goodbye and closes; the server frees a slot at once. */
  close(): void {
    this.#fail(new Error('connection closed'))
    if (this.#stream.writable) this.#stream.end(TERMINATE)
    this.#stream.destroySoon()
  }

  #onData(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#chunkBytes += chunk.length
    this.#wake?.()
    if (this.#options.paceMs > 0) this.#pace()
    else this.#pauseIfFull()
  }

  /** Lets the running read finish (it may bring several chunks), then leaves the socket alone for a moment. */
  #pace(): void {
    if (this.#isPacing) return
    this.#isPacing = true
    setImmediate(() => {
      this.#pause()
      this.#clock.schedule(this.#options.paceMs, () => {
        this.#isPacing = false
        this.#resumeIfRoom()
      })
    })
  }

  #pauseIfFull(): void {
    if (!this.#hasRoom()) this.#pause()
  }

  #hasRoom(): boolean {
    return this.bufferedBytes < Math.max(this.#options.maxBufferedBytes, this.#wantedBytes)
  }

  #pause(): void {
    this.#isFlowing = false
    this.#stream.pause()
  }

  #resumeIfRoom(): void {
    if (this.#isFlowing || this.#isPacing || !this.#hasRoom()) return
    this.#isFlowing = true
    this.#stream.resume()
  }

  #nothing(neededBytes: number): number {
    this.#wantedBytes = neededBytes
    if (this.#failure !== null) throw this.#failure
    this.#resumeIfRoom()
    return NO_MESSAGE
  }

  /** Joins the rest of `buffer` with as few chunks as make `neededBytes`. */
  #gather(neededBytes: number): void {
    const parts = [this.buffer.subarray(this.#at)]
    let bytes = parts[0].length
    let count = 0
    for (; bytes < neededBytes; count++) {
      parts.push(this.#chunks[count])
      bytes += this.#chunks[count].length
    }
    this.#chunks.splice(0, count)
    this.#chunkBytes -= bytes - parts[0].length
    this.buffer =
      parts[0].length === 0 && parts.length === 2 ? parts[1] : Buffer.concat(parts, bytes)
    this.#at = 0
    this.#resumeIfRoom()
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#wake?.()
  }
}
