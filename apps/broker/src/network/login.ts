import { PlatformError, errorMessage } from '@millrace/base'
import { SaslFailure, type SaslExchange, type SaslLogin, type SaslStep } from '@millrace/security'
import {
  ApiKey,
  apiName,
  decodePrefix,
  decodeRequestHeader,
  encodeResponse,
  ErrorCode,
  messagesOf,
  SaslAuthenticateRequest,
  SaslAuthenticateResponse,
  SaslHandshakeRequest,
  SaslHandshakeResponse,
  type MessageSpec,
} from '@millrace/wire'
import { brokerErrors } from '../errors'
import type { Gate } from './gate'
import type { Session } from './session'

/** Where the error code stands in an answer to ApiVersions: after the size and the correlation id, in every version. */
const API_VERSIONS_ERROR_AT = 8

/** What comes of one frame. */
export interface LoginStep {
  /** Null for no answer. */
  readonly reply: readonly Buffer[] | null
  /** `failed` ends the connection once the reply has left. */
  readonly outcome: 'goes on' | 'done' | 'failed'
  /** Why it failed, for the log. */
  readonly reason: string | null
}

type Header = ReturnType<typeof decodeRequestHeader>

/**
 * One login on one connection (SEC-4): maybe ApiVersions, then SaslHandshake, then the messages of the mechanism, in SaslAuthenticate
 * requests or, after a handshake of version 0, bare. Whatever else comes ends the connection.
 */
export class Login {
  /** Monotonic. */
  readonly startedAtMs: number
  readonly #gate: Gate
  readonly #session: Session
  /** Set if the connection is logged in already. */
  readonly #previousMechanism: string | null
  #exchange: SaslExchange | null = null
  #mechanism: string | null = null
  #isBare = false
  #mayAskVersions: boolean

  constructor(gate: Gate, session: Session) {
    this.startedAtMs = gate.clock.monotonicMs()
    this.#gate = gate
    this.#session = session
    this.#previousMechanism = session.mechanism
    this.#mayAskVersions = session.mechanism === null
  }

  /** Takes the next frame; one at a time. @throws PlatformError BROKER_REQUEST_REFUSED, WireError: close without an answer */
  async onFrame(frame: Buffer): Promise<LoginStep> {
    if (this.#exchange !== null && this.#isBare) return this.#onBareMessage(frame, this.#exchange)
    const header = decodeRequestHeader(frame)
    if (this.#exchange !== null) return this.#onMessage(frame, header, this.#exchange)
    switch (header.apiKey) {
      case ApiKey.ApiVersions:
        return this.#onApiVersions(frame)
      case ApiKey.SaslHandshake:
        return this.#onHandshake(frame, header)
      default:
        throw refused(`a ${nameOf(header)} request came before a login`)
    }
  }

  /** Answered once; a client that is told that its version is too new may ask again. */
  async #onApiVersions(frame: Buffer): Promise<LoginStep> {
    if (!this.#mayAskVersions) throw refused('ApiVersions came twice before a login')
    const reply = await this.#gate.dispatcher.dispatch(frame, this.#session, null)
    const isGiven = reply?.[0].readInt16BE(API_VERSIONS_ERROR_AT) === ErrorCode.NONE
    this.#mayAskVersions = !isGiven
    return { reply, outcome: 'goes on', reason: null }
  }

  #onHandshake(frame: Buffer, header: Header): LoginStep {
    const { mechanism } = read(SaslHandshakeRequest, frame, header)
    const { offered } = this.#gate
    const found = offered.get(mechanism)
    const errorCode = found ? ErrorCode.NONE : ErrorCode.UNSUPPORTED_SASL_MECHANISM
    const reply = encodeResponse(SaslHandshakeResponse, header.apiVersion, header.correlationId, {
      errorCode,
      mechanisms: [...offered.keys()],
    })
    if (!found) return failed(reply, `SASL mechanism ${printable(mechanism)} is not offered`)
    this.#exchange = this.#isOther(mechanism)
      ? refusingExchange(mechanism, this.#previousMechanism!)
      : found.mechanism.begin()
    this.#mechanism = mechanism
    this.#isBare = header.apiVersion === 0
    return { reply, outcome: 'goes on', reason: null }
  }

  #isOther(mechanism: string): boolean {
    return this.#previousMechanism !== null && mechanism !== this.#previousMechanism
  }

  async #onMessage(frame: Buffer, header: Header, exchange: SaslExchange): Promise<LoginStep> {
    const { apiVersion, correlationId } = header
    if (header.apiKey !== ApiKey.SaslAuthenticate) return outOfPlace(header)
    const { authBytes } = read(SaslAuthenticateRequest, frame, header)
    const answer = (body: {
      errorCode: number
      errorMessage: string | null
      authBytes: Buffer
      sessionLifetimeMs?: number
    }) => encodeResponse(SaslAuthenticateResponse, apiVersion, correlationId, body)
    try {
      const { challenge, lifetimeMs } = await this.#advance(exchange, authBytes)
      const reply = answer({
        errorCode: ErrorCode.NONE,
        errorMessage: null,
        authBytes: challenge,
        sessionLifetimeMs: lifetimeMs ?? 0,
      })
      return { reply, outcome: lifetimeMs === null ? 'goes on' : 'done', reason: null }
    } catch (error) {
      const { told, reason } = this.#explain(error)
      const reply = answer({
        errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED,
        errorMessage: told,
        authBytes: Buffer.alloc(0),
      })
      return failed(reply, reason)
    }
  }

  async #onBareMessage(frame: Buffer, exchange: SaslExchange): Promise<LoginStep> {
    try {
      const { challenge, lifetimeMs } = await this.#advance(exchange, frame)
      const size = Buffer.alloc(4)
      size.writeInt32BE(challenge.length)
      return {
        reply: [size, challenge],
        outcome: lifetimeMs === null ? 'goes on' : 'done',
        reason: null,
      }
    } catch (error) {
      return failed(null, this.#explain(error).reason)
    }
  }

  /** `lifetimeMs` is null while the exchange goes on, and 0 for a session without an end. */
  async #advance(
    exchange: SaslExchange,
    message: Buffer,
  ): Promise<{ challenge: Buffer; lifetimeMs: number | null }> {
    const { challenge, login }: SaslStep = await exchange.evaluate(message)
    return { challenge, lifetimeMs: login === null ? null : this.#complete(login) }
  }

  /** Opens the session, or goes on with it. Returns how long it lasts. */
  #complete(login: SaslLogin): number {
    const session = this.#session
    if (session.mechanism !== null && session.principal.name !== login.userName)
      throw new SaslFailure(
        `Cannot change principals during re-authentication from User.${session.principal.name}: User.${login.userName}`,
        { toClient: true },
      )
    const { clock, offered } = this.#gate
    const { maxReauthMs } = offered.get(this.#mechanism!)!
    const limits = [
      ...(maxReauthMs > 0 ? [maxReauthMs] : []),
      ...(login.expiresAtMs === null ? [] : [Math.max(0, login.expiresAtMs - clock.now())]),
    ]
    const hasEnd = limits.length > 0
    const lifetimeMs = hasEnd ? Math.min(...limits) : 0
    session.logIn({
      principal: { type: 'User', name: login.userName },
      isTokenAuthenticated: login.isToken,
      mechanism: this.#mechanism!,
      expiresAtMs: hasEnd ? clock.monotonicMs() + lifetimeMs : Infinity,
    })
    return lifetimeMs
  }

  /** Only a failure that says so is told to the client word by word: others could tell which users there are. */
  #explain(error: unknown): { told: string; reason: string } {
    const reason = errorMessage(error)
    const kind = this.#previousMechanism === null ? 'authentication' : 're-authentication'
    const general = `Authentication failed during ${kind} due to invalid credentials with SASL mechanism ${this.#mechanism}`
    const told = error instanceof SaslFailure ? (error.clientMessage ?? general) : general
    return { told, reason: `${this.#mechanism}: ${reason}` }
  }
}

/** Fails at the first message, which is when Kafka says that another mechanism than before will not do. */
function refusingExchange(mechanism: string, previous: string): SaslExchange {
  return {
    evaluate() {
      throw new SaslFailure(
        `SASL mechanism '${mechanism}' requested by client is not supported for re-authentication of mechanism '${previous}'`,
        { toClient: true },
      )
    },
  }
}

/** A request between handshake and login: refused in its own form where that has an error code. */
function outOfPlace(header: Header): LoginStep {
  const { apiVersion, correlationId } = header
  const response: MessageSpec | undefined = messagesOf(header.apiKey)?.response
  const hasErrorCode = response !== undefined && 'errorCode' in response.fields
  const fields = Object.entries(response?.fields ?? {})
  const empty = Object.fromEntries(fields.map(([name, field]) => [name, field.default]))
  const body = { ...empty, errorCode: ErrorCode.ILLEGAL_SASL_STATE }
  const reply = hasErrorCode
    ? encodeResponse(response, apiVersion, correlationId, body as never)
    : null
  return failed(reply, `a ${nameOf(header)} request came before the login was complete`)
}

function read<S extends MessageSpec>(spec: S, frame: Buffer, header: Header) {
  const { min, max } = spec.versions
  if (header.apiVersion < min || header.apiVersion > max)
    throw refused(`${spec.name} version ${header.apiVersion} is not served (${min} to ${max})`)
  return decodePrefix(spec, header.apiVersion, frame, header.bodyStart)
}

function failed(reply: readonly Buffer[] | null, reason: string): LoginStep {
  return { reply, outcome: 'failed', reason }
}

function nameOf({ apiKey }: Header): string {
  return messagesOf(apiKey) ? apiName(apiKey) : `request with key ${apiKey}`
}

/** For the log: a stranger chose it. */
function printable(text: string): string {
  return JSON.stringify(text.slice(0, 64))
}

function refused(reason: string): PlatformError {
  return brokerErrors.create('BROKER_REQUEST_REFUSED', { reason })
}
