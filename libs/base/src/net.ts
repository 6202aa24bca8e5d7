import { connect as connectTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'

export interface NetAddress {
  readonly host: string
  readonly port: number
  /** TLS settings; absent for a plain connection. */
  readonly tls?: ConnectionOptions
}

/** The only door to other machines for the engine libraries: a simulation passes another one. */
export interface Net {
  /** Opens a stream of bytes. @throws Node's error (ECONNREFUSED, ETIMEDOUT) or the signal's reason */
  connect(address: NetAddress, signal: AbortSignal): Promise<Duplex>
}

export const nodeNet: Net = {
  connect({ host, port, tls }, signal) {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error)
      const socket = tls
        ? connectTls({ ...tls, host, port })
        : connectTcp({ host, port, noDelay: true })
      const onAbort = () => {
        socket.destroy()
        reject(signal.reason as Error)
      }
      const settle = () => {
        signal.removeEventListener('abort', onAbort)
        socket.removeListener('error', onError)
      }
      const onError = (error: Error) => {
        settle()
        reject(error)
      }
      socket.once('error', onError)
      signal.addEventListener('abort', onAbort, { once: true })
      socket.once(tls ? 'secureConnect' : 'connect', () => {
        settle()
        resolve(socket)
      })
    })
  },
}
