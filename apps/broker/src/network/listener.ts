import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { errorCode, errorMessage, type Clock, type Timer } from '@millrace/base'
import type { Quotas } from '@millrace/quota'
import { hostAddress, type Principal } from '@millrace/security'
import type { Logger } from '@millrace/telemetry'
import type { CustomTransportStrategy } from '@nestjs/microservices'
import {
  bind,
  createBoundListener,
  unbind,
  type BoundListener,
  type ListenerAddress,
  type ServedListener,
} from './bound-listener'
import { Connection, type ConnectionHost } from './connection'
import { ConnectionCounters } from './connection-counters'
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

export interface ListenerOptions {
  /** Without them there is no start. */
  readonly listeners: readonly ServedListener[]
  /** Opened once the broker serves: clients have added them, and a port that is taken by now must not keep it from starting. */
  readonly addedListeners: readonly ServedListener[]
  readonly backlog: number
  readonly limits: ConnectionLimitOptions
  readonly maxFrameBytes: number
  /** -1 for ever. */
  readonly maxIdleMs: number
}

export interface BrokerLifecycle {
  /** Called once all ports are bound, before the first request is read. */
  onBound(addresses: readonly ListenerAddress[]): Promise<void>
  /** Called after each listener that was opened since, and once after those that were closed. */
  onRebound(addresses: readonly ListenerAddress[]): void
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

/**
 * The Kafka listeners as a Nest transport: Nest starts it, stops it before the shutdown hooks, and injects what it needs.
 * Connections that come in before the broker is ready are held, not refused.
 */
export class KafkaListener implements CustomTransportStrategy {
  readonly #deps: ListenerDeps
  readonly #options: ListenerOptions
  readonly #limits: ConnectionLimits
  readonly #bound: BoundListener[] = []
  readonly #connections = new Set<Connection>()
  /** Sockets of those who connect too often, until they are closed. */
  readonly #refused = new Set<Socket>()
  /** By listener name, also of those that are closed: counters do not go away. */
  readonly #counters = new Map<string, ConnectionCounters>()
  /** The listeners that there should be, of which some may still have to be opened or closed... */
  #wanted: readonly ServedListener[]
  /** ...by this, one change after the other. */
  #rebinding: Promise<void> = Promise.resolve()
  #isReady = false
  #isClosing = false
  #sweep: Timer | null = null

  constructor(deps: ListenerDeps, options: ListenerOptions) {
    this.#deps = deps
    this.#options = options
    this.#limits = new ConnectionLimits(options.limits)
    this.#wanted = [...options.listeners, ...options.addedListeners]
  }

  /** Of the connections that there are. */
  *sessions(): Iterable<Session> {
    for (const { session } of this.#connections) yield session
  }

  get counters(): ReadonlyMap<string, ConnectionCounters> {
    return this.#counters
  }

  /** The addresses with their real ports, once `listen` has called back. */
  get addresses(): readonly ListenerAddress[] {
    return this.#bound.flatMap(({ address }) => address ?? [])
  }

  listen(callback: (error?: unknown) => void): void {
    void this.#listen(callback)
  }

  /** Puts other limits in force for those who connect from now on, and lets those in who have room now. */
  limit(limits: ConnectionLimitOptions): void {
    this.#limits.change(limits)
    for (const bound of this.#bound) this.#admitWaiting(bound)
  }

  /**
   * Puts changed certificates and users in force for those who connect or log in from now on. Opens the listeners that
   * are new and closes those that are gone, with their connections; one of the same name stays as it was bound.
   */
  reconfigure(listeners: readonly ServedListener[]): void {
    this.#wanted = listeners
    for (const bound of this.#bound) {
      const listener = listeners.find(({ name }) => name === bound.name)
      if (listener === undefined || listener.security.protocol !== bound.security.protocol) continue
      bound.security = listener.security
      bound.host.gate = this.#deps.gateOf(listener)
      if (listener.security.tls !== null)
        bound.tlsServer?.setSecureContext(tlsServerOptions(listener.security.tls))
    }
    if (this.#isReady) this.#rebindLater()
  }

  /** Stops accepting, answers what is in flight (bounded), then closes every connection. */
  async close(): Promise<void> {
    const { clock, lifecycle } = this.#deps
    this.#isClosing = true
    this.#sweep?.cancel()
    for (const bound of this.#bound) unbind(bound)
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
    for (const listener of this.#options.listeners) await this.#bind(listener)
    await this.#deps.lifecycle.onBound(this.addresses)
    this.#isReady = true
    for (const bound of this.#bound) this.#admitWaiting(bound)
    this.#rebindLater()
    await this.#rebinding
    this.#scheduleSweep()
  }

  #rebindLater(): void {
    this.#rebinding = this.#rebinding.then(() => this.#rebind())
  }

  /** Never rejects. A listener that cannot be opened is tried again with the next change. */
  async #rebind(): Promise<void> {
    const { lifecycle, logger } = this.#deps
    // One of another protocol is another listener: it was removed and added again while a change was at work.
    const isWanted = ({ name, security }: BoundListener): boolean =>
      this.#wanted.some((one) => one.name === name && one.security.protocol === security.protocol)
    const gone = this.#bound.filter((bound) => !isWanted(bound))
    for (const bound of gone) this.#remove(bound)
    if (gone.length > 0) lifecycle.onRebound(this.addresses)
    const added = this.#wanted.filter(({ name }) => this.#bound.every((one) => one.name !== name))
    for (const { name } of added) {
      if (this.#isClosing) return
      // As it is wanted now: while the one before was opened, it may have been changed or taken away again.
      const listener = this.#wanted.find((one) => one.name === name)
      if (listener === undefined) continue
      // Each is told at once: its clients come while the next one is still being opened.
      await this.#bind(listener).then(
        () => lifecycle.onRebound(this.addresses),
        (error: unknown) =>
          logger.error('listener not opened', { listenerName: listener.name, error }),
      )
    }
  }

  #remove(bound: BoundListener): void {
    this.#bound.splice(this.#bound.indexOf(bound), 1)
    unbind(bound)
    for (const connection of this.#connections)
      if (connection.session.listenerName === bound.name) connection.destroy()
  }

  async #bind(listener: ServedListener): Promise<void> {
    const bound = createBoundListener(listener, this.#hostOf(listener))
    const { server, tlsServer } = bound
    this.#bound.push(bound)
    server.on('connection', (socket) => this.#onConnection(bound, socket))
    tlsServer?.on('secureConnection', (socket) => this.#onSecureConnection(bound, socket))
    tlsServer?.on('tlsClientError', (error, socket) => this.#onTlsError(bound, socket, error))
    try {
      await bind(bound, listener, this.#options.backlog)
    } catch (error) {
      this.#bound.splice(this.#bound.indexOf(bound), 1)
      throw error
    }
    server.on('error', (error) => this.#deps.logger.error('listener failed', { error }))
    if (this.#isClosing) unbind(bound) // it was not bound yet when the others were closed
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
      counters: this.#countersOf(listener.name),
      onClosed: (connection) => this.#onClosed(connection),
    }
  }

  #countersOf(listenerName: string): ConnectionCounters {
    const counters = this.#counters.get(listenerName) ?? new ConnectionCounters()
    this.#counters.set(listenerName, counters)
    return counters
  }

  #onConnection(bound: BoundListener, socket: Socket): void {
    const isFirst = this.#isReady && bound.waiting.length === 0
    if (isFirst && this.#takeTurn(bound)) this.#admit(bound, socket)
    else this.#wait(bound, socket)
  }

  /** Whether the next connection may come in now. If not, those that wait are asked for when it may. */
  #takeTurn(bound: BoundListener): boolean {
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

  #admit(bound: BoundListener, socket: Socket): void {
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
  #refuseLater({ name: listenerName }: BoundListener, socket: Socket, delayMs: number): void {
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

  #wait(bound: BoundListener, socket: Socket): void {
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

  #admitWaiting(bound: BoundListener): void {
    const { waiting } = bound
    while (this.#isReady && !this.#isClosing && waiting.length > 0) {
      if (!waiting[0].destroyed && !this.#takeTurn(bound)) return
      const socket = waiting.shift()!
      if (!socket.destroyed) this.#admit(bound, socket)
    }
  }

  #onAdmitted(bound: BoundListener, socket: Socket, host: string): void {
    const { tlsServer, handshaking } = bound
    if (tlsServer === null) return this.#serve(bound, socket, undefined)
    const peer = peerOf(socket)
    handshaking.set(peer, socket)
    socket.once('close', () => {
      if (handshaking.get(peer) === socket) handshaking.delete(peer)
      this.#release(bound.name, host)
    })
    tlsServer.emit('connection', socket)
  }

  #onSecureConnection(bound: BoundListener, socket: TLSSocket): void {
    bound.handshaking.delete(peerOf(socket)) // from now on it is cut or drained as a connection
    const { tls } = bound.security
    const { principal, refusal } = tlsClient(socket, tls!)
    if (refusal === null) {
      if (bound.security.sasl === null) bound.host.counters.authenticated += 1
      return this.#serve(bound, socket, principal)
    }
    this.#onTlsError(bound, socket, new Error(refusal))
    socket.destroy()
  }

  #onTlsError(bound: BoundListener, socket: TLSSocket, error: Error): void {
    const { remoteAddress, remotePort } = socket
    const { logger } = this.#deps
    bound.host.counters.failedAuthentications += 1
    logger.warn('TLS handshake failed', {
      host: remoteAddress,
      port: remotePort,
      listenerName: bound.name,
      code: errorCode(error),
      reason: errorMessage(error),
    })
  }

  #serve(bound: BoundListener, socket: Socket, principal: Principal | undefined): void {
    const session = new Session({
      host: socket.remoteAddress ?? 'unknown',
      port: socket.remotePort ?? 0,
      listenerName: bound.name,
      protocol: bound.security.protocol,
      principal: bound.security.sasl === null ? principal : undefined,
    })
    bound.host.counters.created += 1
    this.#connections.add(new Connection(bound.host, socket, session))
  }

  #onClosed(connection: Connection): void {
    this.#connections.delete(connection)
    this.#countersOf(connection.session.listenerName).closed += 1
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

/** The same for a TLS socket and the socket below it. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}:${remotePort}`
}
