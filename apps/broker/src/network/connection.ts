import type { Socket } from 'node:net'
import { errorCode, errorMessage, PlatformError } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import { FrameSplitter } from '@millrace/wire'
import type { Dispatcher, Reply } from './dispatcher'
import { Session } from './session'

/** Requests of one connection that may be at work at once; beyond it we stop reading from the socket. */
const MAX_REQUESTS_IN_FLIGHT = 256
/** Bytes of those requests. A single larger request is still taken, alone. */
const MAX_BYTES_IN_FLIGHT = 64 << 20
/** Replies the socket has not taken yet; beyond it we stop reading, so a client that does not read cannot fill our memory. */
const MAX_UNSENT_BYTES = 8 << 20
/** Replies up to this are joined into one buffer: copying is cheaper than a vector of tiny writes. */
const JOIN_REPLIES_UP_TO_BYTES = 16 << 10

/** The longest that Node's sockets can wait; they throw at Infinity. */
const SOCKET_TIMEOUT_MAX_MS = 2 ** 31 - 1

export interface ConnectionOptions {
  readonly maxFrameBytes: number
  /** -1 for ever. */
  readonly maxIdleMs: number
}

/** The place of one request's reply in the order of the requests. `buffers` is undefined until it is known. */
interface ReplySlot {
  readonly requestBytes: number
  buffers: readonly Buffer[] | null | undefined
}

/**
 * One client. Requests are begun in the order they arrive and may be at work at the same time; their replies leave in
 * that order (ACK-4), all that are ready in one write per turn of the event loop.
 */
export class Connection {
  readonly #socket: Socket
  readonly #dispatcher: Dispatcher
  readonly #logger: Logger
  readonly #session: Session
  readonly #splitter: FrameSplitter
  readonly #slots: ReplySlot[] = []
  #bytesInFlight = 0
  #isFlushScheduled = false
  #isDraining = false
  #isClosed = false

  constructor(
    deps: { socket: Socket; dispatcher: Dispatcher; logger: Logger; onClosed: () => void },
    options: ConnectionOptions & { listenerName: string },
  ) {
    const { socket } = deps
    this.#socket = socket
    this.#dispatcher = deps.dispatcher
    this.#logger = deps.logger
    this.#splitter = new FrameSplitter({ maxFrameBytes: options.maxFrameBytes })
    this.#session = new Session({
      host: socket.remoteAddress ?? 'unknown',
      port: socket.remotePort ?? 0,
      listenerName: options.listenerName,
    })
    socket.setNoDelay(true)
    socket.setTimeout(socketTimeoutMs(options.maxIdleMs), () => this.#onIdle())
    socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    socket.on('drain', () => this.#maybeResume())
    socket.on('error', (error) => this.#onSocketError(error))
    socket.on('close', () => {
      this.#isClosed = true
      deps.onClosed()
    })
    socket.resume()
  }

  /** Stops reading, lets the replies that are owed leave, then ends the connection. */
  drain(): void {
    this.#isDraining = true
    if (this.#slots.length === 0) this.#socket.destroySoon()
  }

  destroy(): void {
    this.#isClosed = true
    this.#socket.destroy()
  }

  #onData(chunk: Buffer): void {
    if (this.#isDraining) return
    try {
      this.#splitter.push(chunk)
    } catch (error) {
      return this.#refuse(error)
    }
    this.#takeRequests()
  }

  #takeRequests(): void {
    try {
      while (this.#hasRoom()) {
        const frame = this.#splitter.next()
        if (frame === null) return
        this.#begin(frame)
      }
      this.#socket.pause()
    } catch (error) {
      this.#refuse(error)
    }
  }

  #hasRoom(): boolean {
    return (
      !this.#isClosed &&
      !this.#isDraining &&
      this.#slots.length < MAX_REQUESTS_IN_FLIGHT &&
      this.#bytesInFlight < MAX_BYTES_IN_FLIGHT &&
      this.#socket.writableLength < MAX_UNSENT_BYTES
    )
  }

  #begin(frame: Buffer): void {
    const slot: ReplySlot = { requestBytes: frame.length, buffers: undefined }
    this.#slots.push(slot)
    this.#bytesInFlight += frame.length
    const reply = this.#dispatcher.dispatch(frame, this.#session)
    if (reply instanceof Promise) {
      reply.then(
        (buffers) => this.#onReply(slot, buffers),
        (error: unknown) => this.#refuse(error),
      )
    } else this.#onReply(slot, reply)
  }

  #onReply(slot: ReplySlot, buffers: Awaited<Reply>): void {
    slot.buffers = buffers
    if (this.#isFlushScheduled || this.#isClosed) return
    this.#isFlushScheduled = true
    setImmediate(() => this.#flush())
  }

  #flush(): void {
    this.#isFlushScheduled = false
    if (this.#isClosed) return
    const ready: Buffer[] = []
    let readyBytes = 0
    let count = 0
    while (count < this.#slots.length && this.#slots[count].buffers !== undefined) {
      const slot = this.#slots[count]
      this.#bytesInFlight -= slot.requestBytes
      for (const buffer of slot.buffers ?? []) {
        ready.push(buffer)
        readyBytes += buffer.length
      }
      count += 1
    }
    this.#slots.splice(0, count)
    this.#write(ready, readyBytes)
    if (this.#isDraining && this.#slots.length === 0) this.#socket.destroySoon()
    else this.#maybeResume()
  }

  #write(buffers: readonly Buffer[], sizeBytes: number): void {
    if (buffers.length === 0) return
    if (buffers.length > 1 && sizeBytes <= JOIN_REPLIES_UP_TO_BYTES) {
      this.#socket.write(Buffer.concat(buffers, sizeBytes))
      return
    }
    this.#socket.cork()
    for (const buffer of buffers) this.#socket.write(buffer)
    this.#socket.uncork()
  }

  /** What was read but not begun comes first; the socket only if there is room after that. */
  #maybeResume(): void {
    if (!this.#socket.isPaused() || !this.#hasRoom()) return
    this.#takeRequests()
    if (this.#hasRoom()) this.#socket.resume()
  }

  /** A request that cannot be understood or answered ends this connection, and this one only. */
  #refuse(error: unknown): void {
    if (this.#isClosed) return
    if (error instanceof PlatformError)
      this.#logger.warn('connection closed: bad request', { ...this.#peer, error })
    else {
      const { stack } = error as Partial<Error>
      this.#logger.error('connection closed: a handler failed', { ...this.#peer, error, stack })
    }
    this.destroy()
  }

  get #peer(): { host: string; port: number; listenerName: string } {
    const { host, port, listenerName } = this.#session
    return { host, port, listenerName }
  }

  #onIdle(): void {
    if (this.#slots.length > 0) return // a reply is owed: the write will start the time anew
    this.#logger.debug('connection closed: idle', { ...this.#peer })
    this.destroy()
  }

  #onSocketError(error: Error): void {
    this.#logger.debug('connection lost', {
      ...this.#peer,
      code: errorCode(error),
      reason: errorMessage(error),
    })
  }
}

/** For a socket 0 means never. */
function socketTimeoutMs(maxIdleMs: number): number {
  return maxIdleMs < 0 ? 0 : Math.min(Math.max(maxIdleMs, 1), SOCKET_TIMEOUT_MAX_MS)
}
