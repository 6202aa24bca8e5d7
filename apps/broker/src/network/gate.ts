import type { Clock } from '@millrace/base'
import { ApiKey } from '@millrace/wire'
import type { SaslMechanism } from '@millrace/security'
import type { Dispatcher } from './dispatcher'
import { Login } from './login'
import type { Session } from './session'

/** A client may log in again at most this often. */
const REAUTHENTICATION_MIN_MS = 1000

export interface OfferedMechanism {
  readonly mechanism: SaslMechanism
  /** Longest life of a session that it opens; 0 or less for no end. */
  readonly maxReauthMs: number
}

export interface GateOptions {
  readonly offered: readonly OfferedMechanism[]
  readonly maxReceiveBytes: number
  readonly failureDelayMs: number
}

/** What stands between the connections of a listener and the requests: who has not logged in gets no further. */
export class Gate {
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  readonly offered: ReadonlyMap<string, OfferedMechanism>
  /** Largest frame of a client that has not logged in. */
  readonly maxReceiveBytes: number
  /** How long the answer to a failed login is held back. */
  readonly failureDelayMs: number

  constructor(deps: { dispatcher: Dispatcher; clock: Clock }, options: GateOptions) {
    this.dispatcher = deps.dispatcher
    this.clock = deps.clock
    this.offered = new Map(options.offered.map((one) => [one.mechanism.name, one]))
    this.maxReceiveBytes = options.maxReceiveBytes
    this.failureDelayMs = options.failureDelayMs
  }

  /** The first login of a connection. */
  begin(session: Session): Login {
    return new Login(this, session)
  }

  /**
   * A login on a connection that is logged in already (KIP-368), if this frame begins one. Where sessions have no end, and
   * where the last one is too fresh, the frame goes on to its handler, which refuses it.
   */
  maybeBeginAgain(frame: Buffer, session: Session): Login | null {
    const isHandshake = frame.length >= 2 && frame.readInt16BE(0) === ApiKey.SaslHandshake
    if (!isHandshake || session.expiresAtMs === Infinity) return null
    const nowMs = this.clock.monotonicMs()
    if (nowMs - session.reauthenticatedAtMs < REAUTHENTICATION_MIN_MS) return null
    session.reauthenticatedAtMs = nowMs
    return new Login(this, session)
  }

  hasExpired(session: Session): boolean {
    return session.expiresAtMs !== Infinity && this.clock.monotonicMs() > session.expiresAtMs
  }
}
