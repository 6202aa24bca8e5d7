import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from 'node:tls'
import { errorCode, errorMessage, type Clock, type PlatformError, type Timer } from '@millrace/base'
import type { Quotas } from '@millrace/quota'
import { hostAddress, type Principal } from '@millrace/security'
import type { Logger } from '@millrace/telemetry'
import type { CustomTransportStrategy } from '@nestjs/microservices'
import { brokerErrors } from '../errors'
import type { ListenerSecurity } from '../security/listener-security'
import { Connection, type ConnectionHost } from './connection'
import { ConnectionLimits, type ConnectionLimitOptions } from './connection-limits'
import type { Dispatcher } from './dispatcher'
import type { Gate } from './gate'
import { Session } from './session'
import { tlsClient, tlsServerOptions } from './tls'

/** How long a shutdown waits for replies that are owed before it cuts the connections. */
const DRAIN_MAX_MS = 5000
/** Connections held until the broker is ready, or until their time has come: after a restart all its clients come back at once. */
const HELD_MAX_COUNT = 10_000
/** Idle connections and slow logins are looked for this often, or more often if the idle time is short. */
const SWEEP_MAX_MS = 5000
const SWEEPS_PER_IDLE_TIME = 8
const SWEEP_MIN_MS = 10

/** Connections over their quota that are held at the same time; further ones are closed at once. */
const REFUSED_MAX_COUNT = 1000

/** An address to listen on, as `listeners` gives it. */
export interface ListenerAddress {
  readonly name: string
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
}

/** A listener with what it asks of its clients. */
export interface ServedListener extends ListenerAddress {
  readonly security: ListenerSecurity
}

export interface ListenerOptions {
  readonly listeners: readonly ServedListener[]
  readonly backlog: number
  readonly limits: ConnectionLimitOptions
  readonly maxFrameBytes: number
  /** -1 for ever. */
  readonly maxIdleMs: number
}

export interface BrokerLifecycle {
  /** Called once all ports are bound, before the first request is read. */
  onBound(addresses: readonly ListenerAddress[]): Promise<void>
  /** Called when no new requests come: whatever waits for time or for others is answered now. */
  onDraining(): void
}

export interface ListenerDeps {
  readonly dispatcher: Dispatcher
  readonly lifecycle: BrokerLifecycle
  readonly logger: Logger
  readonly clock: Clock
  /** Makes what stands before the requests of a listener; null where nobody has to log in. */
  readonly gateOf: (listener: ServedListener) => Gate | null
  readonly quotas: Pick<Quotas, 'accept' | 'connection'>
}

/** One listener that is bound. */
interface Bound {
  readonly name: string
  readonly server: Server
  /** Never bound itself: it is handed the sockets that are admitted. Null without TLS. */
  readonly tlsServer: TlsServer | null
  security: ListenerSecurity
  readonly host: ConnectionHost
  /**
   * Sockets that wait for the broker to be ready or for a limit on the rate of connections (at most `HELD_MAX_COUNT`), or
   * for another connection to go (at most `backlog`). Each has its turn when those before it had theirs.
   */
  readonly waiting: Socket[]
  /** Of the next connection: it is counted once, and then comes `later` or may come `now`. */
  turn: 'not counted' | 'later' | 'now'
}

/**
 * The Kafka listeners as a Nest transport: Nest starts it, stops it before the shutdown hooks, and injects what it needs.
 * Connections that come in before the broker is ready are held, not refused.
 */
export class KafkaListener implements CustomTransportStrategy {
  readonly #deps: ListenerDeps
  readonly #options: ListenerOptions
  readonly #limits: ConnectionLimits
  readonly #bound: Bound[] = []
  readonly #connections = new Set<Connection>()
  /** Sockets in the middle of a TLS handshake. */
  readonly #handshaking = new Set<Socket>()
  /** Sockets of those who connect too often, until they are closed. */
  readonly #refused = new Set<Socket>()
  #addresses: ListenerAddress[] = []
  #isReady = false
  #isClosing = false
  #sweep: Timer | null = null

  constructor(deps: ListenerDeps, options: ListenerOptions) {
    this.#deps = deps
    this.#options = options
    this.#limits = new ConnectionLimits(options.limits)
  }

  /** Of the connections that there are. */
  *sessions(): Iterable<Session> {
    for (const { session } of this.#connections) yield session
  }

  /** The addresses with their real ports, once `listen` has called back. */
  get addresses(): readonly ListenerAddress[] {
    return this.#addresses
  }

  listen(callback: (error?: unknown) => void): void {
    void this.#listen(callback)
  }

  /** Puts other limits in force for those who connect from now on, and lets those in who have room now. */
  limit(limits: ConnectionLimitOptions): void {
    this.#limits.change(limits)
    for (const bound of this.#bound) this.#admitWaiting(bound)
  }

  /** Puts changed certificates and users in force for those who connect or log in from now on. */
  reconfigure(listeners: readonly ServedListener[]): void {
    for (const bound of this.#bound) {
      const listener = listeners.find(({ name }) => name === bound.name)
      if (listener === undefined || listener.security.protocol !== bound.security.protocol) continue
      bound.security = listener.security
      bound.host.gate = this.#deps.gateOf(listener)
      if (listener.security.tls !== null)
        bound.tlsServer?.setSecureContext(tlsServerOptions(listener.security.tls))
    }
  }

  /** Stops accepting, answers what is in flight (bounded), then closes every connection. */
  async close(): Promise<void> {
    const { clock, lifecycle } = this.#deps
    this.#isClosing = true
    this.#sweep?.cancel()
    for (const { server, waiting } of this.#bound) {
      server.close()
      for (const socket of waiting.splice(0)) socket.destroy()
    }
    for (const socket of this.#handshaking) socket.destroy()
    for (const socket of this.#refused) socket.destroy()
    for (const connection of this.#connections) connection.drain()
    lifecycle.onDraining()
    const deadline = clock.monotonicMs() + DRAIN_MAX_MS
    while (this.#connections.size > 0 && clock.monotonicMs() < deadline) await clock.sleep(5)
    for (const connection of this.#connections) connection.destroy()
  }

  on(): void {
    // Nest's interface: this transport has no events of its own.
  }

  unwrap<T>(): T {
    return this.#bound.map(({ server }) => server) as T
  }

  async #listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      await this.#open()
    } catch (error) {
      return callback(error)
    }
    callback()
  }

  async #open(): Promise<void> {
    for (const listener of this.#options.listeners) this.#addresses.push(await this.#bind(listener))
    await this.#deps.lifecycle.onBound(this.#addresses)
    this.#isReady = true
    for (const bound of this.#bound) this.#admitWaiting(bound)
    this.#scheduleSweep()
  }

  #bind(listener: ServedListener): Promise<ListenerAddress> {
    const { name, host, port, security } = listener
    const bound: Bound = {
      name,
      server: createServer({ pauseOnConnect: true }),
      tlsServer: security.tls && createTlsServer(tlsServerOptions(security.tls)),
      security,
      host: this.#hostOf(listener),
      waiting: [],
      turn: 'not counted',
    }
    this.#bound.push(bound)
    const { server, tlsServer } = bound
    server.on('connection', (socket) => this.#onConnection(bound, socket))
    tlsServer?.on('secureConnection', (socket) => this.#onSecureConnection(bound, socket))
    tlsServer?.on('tlsClientError', (error, socket) => this.#onTlsError(bound, socket, error))
    return new Promise((resolve, reject) => {
      server.once('error', (error) => reject(bindFailure(listener, error)))
      server.listen({ host, port, backlog: this.#options.backlog }, () => {
        server.removeAllListeners('error')
        server.on('error', (error) => this.#deps.logger.error('listener failed', { error }))
        resolve({ name, host, port: (server.address() as AddressInfo).port })
      })
    })
  }

  #hostOf(listener: ServedListener): ConnectionHost {
    const { maxFrameBytes, maxIdleMs } = this.#options
    const { dispatcher, logger, clock, gateOf } = this.#deps
    return {
      dispatcher,
      gate: gateOf(listener),
      logger,
      clock,
      maxFrameBytes,
      maxIdleMs,
      onClosed: (connection) => this.#onClosed(connection),
    }
  }

  #onConnection(bound: Bound, socket: Socket): void {
    const isFirst = this.#isReady && bound.waiting.length === 0
    if (isFirst && this.#takeTurn(bound)) this.#admit(bound, socket)
    else this.#wait(bound, socket)
  }

  /** Whether the next connection may come in now. If not, those that wait are asked for when it may. */
  #takeTurn(bound: Bound): boolean {
    const { clock, quotas } = this.#deps
    if (bound.turn === 'not counted') {
      const waitMs = quotas.accept.record(bound.name, clock.monotonicMs())
      bound.turn = waitMs > 0 ? 'later' : 'now'
      if (waitMs > 0)
        clock.schedule(waitMs, () => {
          bound.turn = 'now'
          this.#admitWaiting(bound)
        })
    }
    if (bound.turn === 'later' || !this.#limits.hasRoom(bound.name)) return false
    bound.turn = 'not counted'
    return true
  }

  #admit(bound: Bound, socket: Socket): void {
    const { clock, logger, quotas } = this.#deps
    const { name: listenerName } = bound
    const host = socket.remoteAddress ?? 'unknown'
    const nowMs = clock.monotonicMs()
    const delayMs = quotas.connection.record(hostAddress(host), nowMs)
    if (delayMs > 0) {
      quotas.accept.takeBack(listenerName, nowMs)
      this.#refuseLater(bound, socket, delayMs)
    } else if (this.#limits.admit(listenerName, host)) this.#onAdmitted(bound, socket, host)
    else {
      logger.warn('connection refused: too many from this address', { host, listenerName })
      socket.destroy()
    }
  }

  /** Over its quota of new connections: closed late, so that who tries again at once is slowed down. */
  #refuseLater({ name: listenerName }: Bound, socket: Socket, delayMs: number): void {
    const { clock, logger } = this.#deps
    const host = socket.remoteAddress
    logger.debug('connection refused: too many new ones from this address', { host, listenerName })
    if (this.#refused.size >= REFUSED_MAX_COUNT) {
      socket.destroy()
      return
    }
    this.#refused.add(socket)
    socket.on('error', () => undefined) // it may be reset while it waits
    socket.once('close', () => this.#refused.delete(socket))
    clock.schedule(delayMs, () => socket.destroy())
  }

  #wait(bound: Bound, socket: Socket): void {
    const isHeld = !this.#isReady || bound.turn === 'later'
    if (bound.waiting.length >= (isHeld ? HELD_MAX_COUNT : this.#options.backlog)) {
      const { logger } = this.#deps
      logger.warn('connection refused: too many connections', { listenerName: bound.name })
      socket.destroy()
      return
    }
    socket.on('error', () => undefined) // it may be reset while it waits
    bound.waiting.push(socket)
  }

  #admitWaiting(bound: Bound): void {
    const { waiting } = bound
    while (this.#isReady && !this.#isClosing && waiting.length > 0) {
      if (!waiting[0].destroyed && !this.#takeTurn(bound)) return
      const socket = waiting.shift()!
      if (!socket.destroyed) this.#admit(bound, socket)
    }
  }

  #onAdmitted(bound: Bound, socket: Socket, host: string): void {
    const { tlsServer } = bound
    if (tlsServer === null) return this.#serve(bound, socket, undefined)
    this.#handshaking.add(socket)
    socket.once('close', () => {
      this.#handshaking.delete(socket)
      this.#release(bound.name, host)
    })
    tlsServer.emit('connection', socket)
  }

  #onSecureConnection(bound: Bound, socket: TLSSocket): void {
    const { tls } = bound.security
    const { principal, refusal } = tlsClient(socket, tls!)
    if (refusal === null) return this.#serve(bound, socket, principal)
    this.#onTlsError(bound, socket, new Error(refusal))
    socket.destroy()
  }

  #onTlsError(bound: Bound, socket: TLSSocket, error: Error): void {
    const { remoteAddress, remotePort } = socket
    const { logger } = this.#deps
    logger.warn('TLS handshake failed', {
      host: remoteAddress,
      port: remotePort,
      listenerName: bound.name,
      code: errorCode(error),
      reason: errorMessage(error),
    })
  }

  #serve(bound: Bound, socket: Socket, principal: Principal | undefined): void {
    const session = new Session({
      host: socket.remoteAddress ?? 'unknown',
      port: socket.remotePort ?? 0,
      listenerName: bound.name,
      protocol: bound.security.protocol,
      principal: bound.security.sasl === null ? principal : undefined,
    })
    this.#connections.add(new Connection(bound.host, socket, session))
  }

  #onClosed(connection: Connection): void {
    this.#connections.delete(connection)
    const { listenerName, host, protocol } = connection.session
    // With TLS the socket below is the one that counts.
    if (!protocol.endsWith('SSL')) this.#release(listenerName, host)
  }

  #release(listenerName: string, host: string): void {
    this.#limits.release(listenerName, host)
    for (const bound of this.#bound) if (bound.waiting.length > 0) this.#admitWaiting(bound)
  }

  #scheduleSweep(): void {
    const { clock } = this.#deps
    const { maxIdleMs } = this.#options
    const fineMs = maxIdleMs < 0 ? SWEEP_MAX_MS : maxIdleMs / SWEEPS_PER_IDLE_TIME
    this.#sweep = clock.schedule(Math.max(SWEEP_MIN_MS, Math.min(fineMs, SWEEP_MAX_MS)), () => {
      const nowMs = clock.monotonicMs()
      for (const connection of this.#connections) connection.onSweep(nowMs)
      if (!this.#isClosing) this.#scheduleSweep()
    })
  }
}

function bindFailure(address: ListenerAddress, error: Error): PlatformError {
  const params = { listener: address.name, host: address.host || '0.0.0.0', port: address.port }
  return errorCode(error) === 'EADDRINUSE'
    ? brokerErrors.create('BROKER_ADDRESS_IN_USE', params, { cause: error })
    : brokerErrors.create(
        'BROKER_ADDRESS_UNAVAILABLE',
        { ...params, reason: errorMessage(error) },
        { cause: error },
      )
}
