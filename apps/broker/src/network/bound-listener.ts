import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls'
import { errorCode, errorMessage, type PlatformError } from '@millrace/base'
import { brokerErrors } from '../errors'
import type { ListenerSecurity } from '../security/listener-security'
import type { ConnectionHost } from './connection'
import { tlsServerOptions } from './tls'

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

/** One listener with its server. */
export interface BoundListener {
  readonly name: string
  readonly server: Server
  /** Never bound itself: it is handed the sockets that are admitted. Null without TLS. */
  readonly tlsServer: TlsServer | null
  security: ListenerSecurity
  readonly host: ConnectionHost
  /** With its real port; null until it listens. */
  address: ListenerAddress | null
  /**
   * Sockets that wait for the broker to be ready or for a limit on the rate of connections, or for another connection to
   * go; whoever adds one keeps it bounded. Each has its turn when those before it had theirs.
   */
  readonly waiting: Socket[]
  /** Of the next connection: it is counted once, and then comes `later` or may come `now`. */
  turn: 'not counted' | 'later' | 'now'
  /** Sockets in the middle of a TLS handshake, by the address and port of the client. */
  readonly handshaking: Map<string, Socket>
}

export function createBoundListener(
  { name, security }: ServedListener,
  host: ConnectionHost,
): BoundListener {
  return {
    name,
    server: createServer({ pauseOnConnect: true }),
    tlsServer: security.tls && createTlsServer(tlsServerOptions(security.tls)),
    security,
    host,
    address: null,
    waiting: [],
    turn: 'not counted',
    handshaking: new Map(),
  }
}

/** @throws BROKER_ADDRESS_IN_USE, BROKER_ADDRESS_UNAVAILABLE */
export function bind(
  bound: BoundListener,
  { name, host, port }: ListenerAddress,
  backlog: number,
): Promise<void> {
  const { server } = bound
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => reject(bindFailure({ name, host, port }, error))
    server.once('error', onError)
    server.listen({ host, port, backlog }, () => {
      server.off('error', onError)
      bound.address = { name, host, port: (server.address() as AddressInfo).port }
      resolve()
    })
  })
}

/** Stops listening, and cuts those who were not served yet. */
export function unbind({ server, waiting, handshaking }: BoundListener): void {
  server.close()
  for (const socket of waiting.splice(0)) socket.destroy()
  for (const socket of handshaking.values()) socket.destroy()
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
