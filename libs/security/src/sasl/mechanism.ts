/** What a completed exchange has proved. */
export interface SaslLogin {
  /** Name of the `User:` principal. */
  readonly userName: string
  /** Whether a delegation token proved it. */
  readonly isToken: boolean
  /** Wall-clock time at which what proved it expires; null for never. */
  readonly expiresAtMs: number | null
}

export interface SaslStep {
  /** Goes back to the client, also when it is empty. */
  readonly challenge: Buffer
  /** Null while more is to come. */
  readonly login: SaslLogin | null
}

/** One login under way. Used up by its end, good or bad. */
export interface SaslExchange {
  /** Takes the client's next message. @throws SaslFailure */
  evaluate(response: Buffer): SaslStep | Promise<SaslStep>
}

/** A way to log in, as a listener offers it. */
export interface SaslMechanism {
  /** As clients name it, `SCRAM-SHA-256`. */
  readonly name: string
  begin(): SaslExchange
}

/**
 * A login that fails through the fault of the client. `message` goes to the log and never holds a secret. What the client is
 * told is `clientMessage`; null for a text that does not tell whether the user exists.
 */
export class SaslFailure extends Error {
  override readonly name = 'SaslFailure'
  readonly clientMessage: string | null

  constructor(message: string, options: { toClient: boolean; cause?: unknown }) {
    super(message, { cause: options.cause })
    this.clientMessage = options.toClient ? message : null
  }
}

/** For the log and the operator: told to the client in general terms only. */
export function hiddenFailure(message: string, cause?: unknown): SaslFailure {
  return new SaslFailure(message, { toClient: false, cause })
}

export function toldFailure(message: string): SaslFailure {
  return new SaslFailure(message, { toClient: true })
}
