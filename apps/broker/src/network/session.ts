import { ANONYMOUS, hostAddress, type Principal } from '@millrace/security'

/**
 * What requests know of the connection they came by: where it is from, and who logged in on it. One object for the life
 * of a connection, so a handler that waits must read `principal` before its first wait if it needs the one of the request.
 */
export interface ClientSession {
  /** Address of the peer, as ACLs write it. */
  readonly host: string
  readonly port: number
  /** The listener it came in by: addresses in answers are those of the same listener. */
  readonly listenerName: string
  /** ANONYMOUS until a login; a later login on the same connection cannot change it. */
  readonly principal: Principal
  /** Whether it logged in with a delegation token: such a client may make no further tokens. */
  readonly isTokenAuthenticated: boolean
  /** What the client calls itself; it says so in ApiVersions. */
  software: ClientSoftware
}

export interface ClientSoftware {
  readonly name: string
  readonly version: string
}

/** The session as its connection sees it. */
export class Session implements ClientSession {
  readonly host: string
  readonly port: number
  readonly listenerName: string
  principal: Principal = ANONYMOUS
  isTokenAuthenticated = false
  /** How the client logged in; null on listeners without SASL, and until then. */
  mechanism: string | null = null
  /** Monotonic time after which requests are refused unless the client logs in again; Infinity for never. */
  expiresAtMs = Infinity
  /** Monotonic time at which the latest login after the first one began. */
  reauthenticatedAtMs = -Infinity
  software: ClientSoftware = { name: 'unknown', version: 'unknown' }

  constructor(from: { host: string; port: number; listenerName: string }) {
    this.host = hostAddress(from.host)
    this.port = from.port
    this.listenerName = from.listenerName
  }
}
