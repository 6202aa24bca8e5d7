import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { errorCode, errorMessage, type Clock, type PlatformError } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import type { CustomTransportStrategy } from '@nestjs/microservices'
import { brokerErrors } from '../errors'
import { Connection, type ConnectionOptions } from './connection'
import type { Dispatcher } from './dispatcher'

/** How long a shutdown waits for replies that are owed before it cuts the connections. */
const DRAIN_MAX_MS = 5000

/** An address to listen on, as `listeners` gives it. */
export interface ListenerAddress {
  readonly name: string
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
}

export interface BrokerLifecycle {
  /** Called once all ports are bound, before the first request is read. */
  onBound(addresses: readonly ListenerAddress[]): Promise<void>
  /** Called when no new requests come: whatever waits for time or for others is answered now. */
  onDraining(): void
}

/**
 * The Kafka listeners as a Nest transport: Nest starts it, stops it before the shutdown hooks, and injects what it needs.
 * Connections that come in before the broker is ready are held, not refused.
 */
export class KafkaListener implements CustomTransportStrategy {
  readonly #dispatcher: Dispatcher
  readonly #lifecycle: BrokerLifecycle
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #options: ConnectionOptions & {
    readonly addresses: readonly ListenerAddress[]
    readonly backlog: number
    readonly maxConnections: number
  }
  readonly #servers: Server[] = []
  readonly #connections = new Set<Connection>()
  /** Those that came before the broker was ready. */
  readonly #early: { readonly socket: Socket; readonly listenerName: string }[] = []
  #isReady = false
  #bound: ListenerAddress[] = []

  constructor(
    deps: { dispatcher: Dispatcher; lifecycle: BrokerLifecycle; logger: Logger; clock: Clock },
    options: ConnectionOptions & {
      addresses: readonly ListenerAddress[]
      backlog: number
      maxConnections: number
    },
  ) {
    this.#dispatcher = deps.dispatcher
    this.#lifecycle = deps.lifecycle
    this.#logger = deps.logger
    this.#clock = deps.clock
    this.#options = options
  }

  /** The addresses with their real ports, once `listen` has called back. */
  get addresses(): readonly ListenerAddress[] {
    return this.#bound
  }

  listen(callback: (error?: unknown) => void): void {
    void this.#listen(callback)
  }

  /** Stops accepting, answers what is in flight (bounded), then closes every connection. */
  async close(): Promise<void> {
    for (const server of this.#servers) server.close()
    for (const { socket } of this.#early.splice(0)) socket.destroy()
    for (const connection of this.#connections) connection.drain()
    this.#lifecycle.onDraining()
    const deadline = this.#clock.monotonicMs() + DRAIN_MAX_MS
    while (this.#connections.size > 0 && this.#clock.monotonicMs() < deadline)
      await this.#clock.sleep(5)
    for (const connection of this.#connections) connection.destroy()
  }

  on(): void {
    // Nest's interface: this transport has no events of its own.
  }

  unwrap<T>(): T {
    return this.#servers as T
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
    for (const address of this.#options.addresses) this.#bound.push(await this.#bind(address))
    await this.#lifecycle.onBound(this.#bound)
    this.#isReady = true
    for (const { socket, listenerName } of this.#early.splice(0)) this.#serve(socket, listenerName)
  }

  #bind(address: ListenerAddress): Promise<ListenerAddress> {
    const server = createServer({ pauseOnConnect: true })
    server.maxConnections = this.#options.maxConnections
    server.on('connection', (socket) => this.#onConnection(socket, address.name))
    this.#servers.push(server)
    return new Promise((resolve, reject) => {
      server.once('error', (error) => reject(bindFailure(address, error)))
      server.listen(
        { host: address.host, port: address.port, backlog: this.#options.backlog },
        () => {
          server.removeAllListeners('error')
          server.on('error', (error) => this.#logger.error('listener failed', { error }))
          resolve({ ...address, port: (server.address() as AddressInfo).port })
        },
      )
    })
  }

  #onConnection(socket: Socket, listenerName: string): void {
    if (!this.#isReady) {
      socket.on('error', () => undefined) // it may be reset while it waits
      this.#early.push({ socket, listenerName })
    } else this.#serve(socket, listenerName)
  }

  #serve(socket: Socket, listenerName: string): void {
    if (socket.destroyed) return
    const { maxFrameBytes, maxIdleMs } = this.#options
    const connection = new Connection(
      {
        socket,
        dispatcher: this.#dispatcher,
        logger: this.#logger,
        onClosed: () => this.#connections.delete(connection),
      },
      { maxFrameBytes, maxIdleMs, listenerName },
    )
    this.#connections.add(connection)
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
