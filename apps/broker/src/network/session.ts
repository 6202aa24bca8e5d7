import { ANONYMOUS, hostAddress, type Principal } from '@millrace/security'
import type { SecurityProtocol } from '../security/listener-security'

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
  readonly protocol: SecurityProtocol
  /** ANONYMOUS until a login; a later login on the same connection cannot change it. */
  readonly principal: Principal
  /** Whether it logged in with a delegation token: such a client may make no further tokens. */
  readonly isTokenAuthenticated: boolean
  /** What the client calls itself; it says so in ApiVersions. */
  software: ClientSoftware
}

/** What a login proved. */
export interface LoginState {
  readonly principal: Principal
  readonly isTokenAuthenticated: boolean
  readonly mechanism: string
  /** Monotonic time after which requests are refused unless the client logs in again; Infinity for never. */
  readonly expiresAtMs: number
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
  readonly protocol: SecurityProtocol
  /** Monotonic time at which the latest login after the first one began. */
  reauthenticatedAtMs = -Infinity
  software: ClientSoftware = { name: 'unknown', version: 'unknown' }
  #principal: Principal
  /** Null on listeners without SASL, and until the login. */
  #login: LoginState | null = null

  constructor(from: {
    host: string
    port: number
    listenerName: string
    protocol: SecurityProtocol
    /** Whom a certificate names. */
    principal?: Principal
  }) {
    this.host = hostAddress(from.host)
    this.port = from.port
    this.listenerName = from.listenerName
    this.protocol = from.protocol
    this.#principal = from.principal ?? ANONYMOUS
  }

  get principal(): Principal {
    return this.#principal
  }

  get isTokenAuthenticated(): boolean {
    return this.#login?.isTokenAuthenticated ?? false
  }

  /** How the client logged in; null if it has not, or need not. */
  get mechanism(): string | null {
    return this.#login?.mechanism ?? null
  }

  /** Whether a login after the first one has begun. */
  get isReauthenticating(): boolean {
    return this.reauthenticatedAtMs !== -Infinity
  }

  get expiresAtMs(): number {
    return this.#login?.expiresAtMs ?? Infinity
  }

  /** The principal object stays the same over later logins, so that caches by it do. */
  logIn(login: LoginState): void {
    if (this.#login === null) this.#principal = login.principal
    this.#login = login
  }
}
