import type { Socket } from 'node:net'
import { errorCode, errorMessage, PlatformError, type Clock } from '@millrace/base'
import { readBuffers } from '@millrace/log'
import type { Logger } from '@millrace/telemetry'
import { FrameSplitter } from '@millrace/wire'
import { brokerErrors } from '../errors'
import type { RequestOrder } from '../handlers/handler'
import type { ConnectionCounters } from './connection-counters'
import type { Dispatcher, Reply } from './dispatcher'
import type { Gate } from './gate'
import type { Login } from './login'
import type { Session } from './session'

/** Requests of one connection that may be at work at once; beyond it we stop reading from the socket. */
const MAX_REQUESTS_IN_FLIGHT = 256
/** Bytes of those requests. A single larger request is still taken, alone. */
const MAX_BYTES_IN_FLIGHT = 64 << 20
/** Replies that are ready or that the socket has not taken yet; beyond it nothing is begun, so a client cannot fill our memory. */
const MAX_UNSENT_BYTES = 8 << 20
/** Replies up to this are joined into one buffer: copying is cheaper than a vector of tiny writes. */
const JOIN_REPLIES_UP_TO_BYTES = 16 << 10
/** Replies hold records that were read into buffers of a pool; what is smaller than this can be none worth a callback. */
const GIVE_BACK_FROM_BYTES = 8 << 10
/** From the begin of a login to its end. */
const LOGIN_MAX_MS = 60_000

/** How the first record of TLS begins. */
const TLS_HANDSHAKE = [0x16, 0x03] as const
const SPEAKS_TLS = 'the client speaks TLS, and this listener does not'

/** What the connections of a listener share: one object, so that an idle connection costs little more than its socket. */
export interface ConnectionHost {
  readonly dispatcher: Dispatcher
  /** Null where nobody has to log in. Another one takes its place when users change: it counts from the next login on. */
  gate: Gate | null
  readonly logger: Logger
  readonly clock: Clock
  readonly maxFrameBytes: number
  /** -1 for ever. */
  readonly maxIdleMs: number
  readonly counters: ConnectionCounters
  onClosed(connection: Connection): void
}

/** The place of one request's reply in the order of the requests. `buffers` is undefined until it is known. */
interface ReplySlot {
  readonly requestBytes: number
  readonly order: RequestOrder
  buffers: readonly Buffer[] | null | undefined
}

/** The connection of a socket, so that all sockets can share their listeners. */
const CONNECTION = Symbol('connection')
type ServedSocket = Socket & { [CONNECTION]: Connection }

/**
 * One client. Requests are begun in the order they arrive and may be at work at the same time; their replies leave in
 * that order (ACK-4), all that are ready in one write per turn of the event loop.
 */
export class Connection {
  readonly session: Session
  readonly #socket: Socket
  readonly #host: ConnectionHost
  readonly #splitter: FrameSplitter
  readonly #slots: ReplySlot[] = []
  #bytesInFlight = 0
  /** Of replies that wait for their turn. */
  #readyBytes = 0
  /** A request of those that go one at a time is at work (FETCH-4)... */
  #isSerialBusy = false
  /** ...and this is the next one, which waits for it. */
  #heldFrame: Buffer | null = null
  /** Nothing is begun before a change is answered, so that it is found by what was sent after it (ACK-5). */
  #isChanging = false
  #isFlushScheduled = false
  #isDraining = false
  #isClosed = false
  /** Until the first bytes. */
  #isNew = true
  /** The login under way; null once it is done, and where there is none. */
  #login: Login | null = null
  /** Monotonic time until which a quota holds this client up; 0 if none does. */
  #mutedUntilMs = 0
  /** Whether anything moved since the last sweep. */
  #isActive = true
  /** Monotonic time of the sweep that last found it active. */
  #quietSinceMs: number

  constructor(host: ConnectionHost, socket: Socket, session: Session) {
    const { gate } = host
    this.session = session
    this.#socket = socket
    this.#host = host
    const maxFrameBytes = gate?.maxReceiveBytes ?? host.maxFrameBytes
    this.#splitter = new FrameSplitter({ maxFrameBytes })
    if (gate !== null) this.#login = gate.begin(session)
    this.#quietSinceMs = host.clock.monotonicMs()
    const served = socket as ServedSocket
    served[CONNECTION] = this
    socket.setNoDelay(true)
    socket.on('data', onData)
    socket.on('drain', onDrain)
    socket.on('error', onError)
    socket.on('close', onClose)
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

  /** Answers that are under way leave all the same; requests that were read already wait, too. */
  mute(delayMs: number): void {
    const { clock } = this.#host
    const untilMs = clock.monotonicMs() + delayMs
    if (untilMs <= this.#mutedUntilMs) return
    this.#mutedUntilMs = untilMs
    clock.schedule(delayMs, () => {
      if (this.#mutedUntilMs !== untilMs || this.#isClosed) return
      this.#mutedUntilMs = 0
      this.#maybeResume()
    })
  }

  /** Called for all connections now and then, in place of a timer for each: closes those that are idle for too long. */
  onSweep(nowMs: number): void {
    const { logger, maxIdleMs } = this.#host
    if (this.#login !== null && nowMs - this.#login.startedAtMs >= LOGIN_MAX_MS) {
      logger.warn('connection closed: the login was not completed in time', this.#peer)
      return this.destroy()
    }
    if (this.#isActive) {
      this.#isActive = false
      this.#quietSinceMs = nowMs
      return
    }
    const quietMs = nowMs - this.#quietSinceMs
    // A reply that is owed will start the time anew.
    if (maxIdleMs < 0 || quietMs < maxIdleMs || this.#slots.length > 0) return
    logger.debug('connection closed: idle', this.#peer)
    this.destroy()
  }

  onData(chunk: Buffer): void {
    if (this.#isDraining) return
    if (this.#isNew && !this.#isPlain(chunk)) return this.#refuse(refused(SPEAKS_TLS))
    this.#isNew = false
    this.#isActive = true
    this.#splitter.push(chunk)
    this.#takeRequests()
  }

  /** The first bytes of TLS would pass for a size that is far too large, which helps nobody to see what is wrong. */
  #isPlain(chunk: Buffer): boolean {
    const isTls = chunk[0] === TLS_HANDSHAKE[0] && chunk[1] === TLS_HANDSHAKE[1]
    return !isTls || this.session.protocol.endsWith('SSL')
  }

  onDrain(): void {
    this.#isActive = true
    this.#maybeResume()
  }

  onError(error: Error): void {
    this.#host.logger.debug('connection lost', {
      ...this.#peer,
      code: errorCode(error),
      reason: errorMessage(error),
    })
  }

  onClose(): void {
    this.#isClosed = true
    this.#host.onClosed(this)
  }

  #takeRequests(): void {
    try {
      while (this.#hasRoom()) {
        const frame = this.#heldFrame ?? this.#splitter.next()
        if (frame === null) return
        const order = this.#host.dispatcher.orderOf(frame)
        this.#heldFrame = order === 'serial' && this.#isSerialBusy ? frame : null
        if (this.#heldFrame === null) this.#begin(frame, order)
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
      this.#mayGoOn() &&
      !this.#isChanging &&
      !(this.#heldFrame !== null && this.#isSerialBusy) &&
      this.#mutedUntilMs === 0 &&
      this.#slots.length < MAX_REQUESTS_IN_FLIGHT &&
      this.#bytesInFlight < MAX_BYTES_IN_FLIGHT &&
      this.#readyBytes + this.#socket.writableLength < MAX_UNSENT_BYTES
    )
  }

  /** The messages of a login one at a time, each when the answer to the last one has left: a stranger can fill no queue. */
  #mayGoOn(): boolean {
    return this.#login === null || (this.#slots.length === 0 && !this.#socket.writableNeedDrain)
  }

  #begin(frame: Buffer, order: RequestOrder): void {
    const slot: ReplySlot = { requestBytes: frame.length, order, buffers: undefined }
    if (order === 'serial') this.#isSerialBusy = true
    if (order === 'change') this.#isChanging = true
    this.#slots.push(slot)
    this.#bytesInFlight += frame.length
    const reply = this.#login === null ? this.#request(frame) : this.#logIn(frame, this.#login)
    if (reply instanceof Promise) {
      reply.then(
        (buffers) => this.#onReply(slot, buffers),
        (error: unknown) => this.#refuse(error),
      )
    } else this.#onReply(slot, reply)
  }

  #request(frame: Buffer): Reply {
    const { dispatcher, gate } = this.#host
    if (gate !== null) {
      const login = gate.maybeBeginAgain(frame, this.session)
      if (login !== null) {
        this.#login = login
        return this.#logIn(frame, login)
      }
      if (gate.hasExpired(this.session)) throw refused('the session of the login has expired')
    }
    return dispatcher.dispatch(frame, this.session, this)
  }

  async #logIn(frame: Buffer, login: Login): Promise<readonly Buffer[] | null> {
    const { reply, outcome, reason } = await login.onFrame(frame)
    if (outcome === 'failed') return this.#failLogin(reply, reason)
    if (outcome === 'done') {
      if (!this.session.isReauthenticating) this.#host.counters.authenticated += 1
      this.#login = null
      this.#splitter.maxFrameBytes = this.#host.maxFrameBytes
    }
    return reply
  }

  /** Answers late, so that guessing takes time, and then closes. */
  async #failLogin(
    reply: readonly Buffer[] | null,
    reason: string | null,
  ): Promise<readonly Buffer[] | null> {
    const { clock, counters, gate, logger } = this.#host
    counters.failedAuthentications += 1
    logger.warn('login failed', { ...this.#peer, reason })
    await clock.sleep(gate!.failureDelayMs)
    this.#isDraining = true
    return reply
  }

  #onReply(slot: ReplySlot, buffers: Awaited<Reply>): void {
    slot.buffers = buffers
    if (slot.order === 'serial') this.#isSerialBusy = false
    if (slot.order === 'change') this.#isChanging = false
    this.#readyBytes += bytesOf(buffers)
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
    this.#readyBytes -= readyBytes
    this.#write(ready, readyBytes)
    if (this.#isDraining && this.#slots.length === 0) this.#socket.destroySoon()
    else this.#maybeResume()
  }

  #write(buffers: readonly Buffer[], sizeBytes: number): void {
    if (buffers.length === 0) return
    this.#isActive = true
    if (buffers.length > 1 && sizeBytes <= JOIN_REPLIES_UP_TO_BYTES) {
      this.#socket.write(Buffer.concat(buffers, sizeBytes))
      for (const buffer of buffers) readBuffers.giveBack(buffer)
      return
    }
    this.#socket.cork()
    for (const buffer of buffers) {
      if (buffer.length < GIVE_BACK_FROM_BYTES) this.#socket.write(buffer)
      else this.#socket.write(buffer, () => readBuffers.giveBack(buffer))
    }
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
    const { logger } = this.#host
    if (error instanceof PlatformError)
      logger.warn('connection closed: bad request', { ...this.#peer, error })
    else {
      const { stack } = error as Partial<Error>
      logger.error('connection closed: a handler failed', { ...this.#peer, error, stack })
    }
    this.destroy()
  }

  get #peer(): { host: string; port: number; listenerName: string } {
    const { host, port, listenerName } = this.session
    return { host, port, listenerName }
  }
}

function onData(this: Socket, chunk: Buffer): void {
  ;(this as ServedSocket)[CONNECTION].onData(chunk)
}

function onDrain(this: Socket): void {
  ;(this as ServedSocket)[CONNECTION].onDrain()
}

function onError(this: Socket, error: Error): void {
  ;(this as ServedSocket)[CONNECTION].onError(error)
}

function onClose(this: Socket): void {
  ;(this as ServedSocket)[CONNECTION].onClose()
}

function bytesOf(buffers: readonly Buffer[] | null): number {
  let bytes = 0
  for (const buffer of buffers ?? []) bytes += buffer.length
  return bytes
}

function refused(reason: string): PlatformError {
  return brokerErrors.create('BROKER_REQUEST_REFUSED', { reason })
}
