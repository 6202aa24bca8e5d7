import type { Duplex } from 'node:stream'
import {
  errorCode,
  errorMessage,
  type NetAddress,
  type PlatformError,
  type Timer,
} from '@millrace/base'
import type { SaslClient } from '@millrace/security'
import {
  ApiVersionsRequest,
  ApiVersionsResponse,
  apiName,
  decodeResponse,
  encodeRequest,
  ErrorCode,
  FrameSplitter,
  type Infer,
  type InferInput,
  type MessageSpec,
  protocolError,
} from '@millrace/wire'
import { clientErrors } from './errors'
import { logIn } from './login'
import type { ClientDeps } from './options'

/** Larger replies are refused: a fetch is bounded by its own limits well below. */
const MAX_FRAME_BYTES = 256 * 1024 * 1024
const SOFTWARE = { clientSoftwareName: 'millrace', clientSoftwareVersion: '0.1.0' }
const LATEST_API_VERSIONS = 3
/** Share of a session's life after which the client logs in again. */
const LOG_IN_AGAIN_AT = 0.85

export interface ConnectionOptions {
  readonly address: NetAddress
  readonly clientId: string
  readonly timeoutMs: number
  /** Null where no login is asked for. */
  readonly sasl: SaslClient | null
}

export interface SendOptions {
  /** Speak no later version than this. */
  readonly maxVersion?: number
  readonly timeoutMs?: number
}

interface VersionSpan {
  readonly min: number
  readonly max: number
}

interface PendingRequest {
  readonly response: MessageSpec
  readonly version: number
  readonly resolve: (value: never) => void
  readonly reject: (error: Error) => void
  readonly timer: Timer
}

/** One connection to one broker. Requests are pipelined; answers come in their order. */
export class BrokerConnection {
  readonly #deps: ClientDeps
  readonly #options: ConnectionOptions
  readonly #socket: Duplex
  readonly #frames = new FrameSplitter({ maxFrameBytes: MAX_FRAME_BYTES })
  readonly #pending = new Map<number, PendingRequest>()
  #versions: ReadonlyMap<number, VersionSpan> = new Map()
  #nextCorrelationId = 0
  /** A login after the first one, while it is under way. */
  #loggingIn: Promise<void> | null = null
  #nextLogin: Timer | null = null
  #failure: PlatformError | null = null

  /** Connects, agrees on versions and logs in. @throws PlatformError CLIENT_CONNECTION_LOST, CLIENT_BROKER_NOT_TRUSTED, CLIENT_REQUEST_TIMEOUT, CLIENT_LOGIN_FAILED */
  static async open(deps: ClientDeps, options: ConnectionOptions): Promise<BrokerConnection> {
    const { address, timeoutMs } = options
    const label = `${address.host}:${address.port}`
    const aborter = new AbortController()
    const timer = deps.clock.schedule(timeoutMs, () =>
      aborter.abort(new Error(`no connection within ${timeoutMs} ms`)),
    )
    let socket: Duplex
    try {
      socket = await deps.net.connect(address, aborter.signal)
    } catch (cause) {
      const code = isDistrust(cause) ? 'CLIENT_BROKER_NOT_TRUSTED' : 'CLIENT_CONNECTION_LOST'
      throw clientErrors.create(code, { address: label, reason: errorMessage(cause) }, { cause })
    } finally {
      timer.cancel()
    }
    const connection = new BrokerConnection(deps, options, socket)
    try {
      connection.#versions = await connection.#negotiate()
      if (options.sasl !== null) await connection.#logIn(options.sasl)
    } catch (error) {
      connection.close()
      throw error
    }
    return connection
  }

  private constructor(deps: ClientDeps, options: ConnectionOptions, socket: Duplex) {
    this.#deps = deps
    this.#options = options
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    socket.on('error', (error) => this.#fail(error.message, error))
    socket.on('close', () => this.#fail('it was closed'))
  }

  get isClosed(): boolean {
    return this.#failure !== null
  }

  /** The latest version of an API that the broker and this client share; null if there is none. */
  versionOf(request: MessageSpec, maxVersion = Number.POSITIVE_INFINITY): number | null {
    const span = this.#versions.get(request.key)
    if (span === undefined) return null
    const version = Math.min(span.max, request.versions.max, maxVersion)
    return version < Math.max(span.min, request.versions.min) ? null : version
  }

  /**
   * Sends a request and gives its answer; errors inside the answer are the caller's to read.
   * @throws PlatformError CLIENT_UNSUPPORTED_API, CLIENT_CONNECTION_LOST, CLIENT_REQUEST_TIMEOUT: after the last two it is
   *   unknown whether the broker acted
   */
  send<Q extends MessageSpec, A extends MessageSpec>(
    request: Q,
    response: A,
    value: InferInput<Q>,
    options: SendOptions = {},
  ): Promise<Infer<A>> {
    // Between the messages of a login a broker takes nothing else.
    if (this.#loggingIn !== null)
      return this.#loggingIn.then(() => this.#sendNow(request, response, value, options))
    return this.#sendNow(request, response, value, options)
  }

  close(): void {
    this.#fail('this side closed it')
  }

  get #label(): string {
    return `${this.#options.address.host}:${this.#options.address.port}`
  }

  #sendNow<Q extends MessageSpec, A extends MessageSpec>(
    request: Q,
    response: A,
    value: InferInput<Q>,
    options: SendOptions = {},
  ): Promise<Infer<A>> {
    const version = this.versionOf(request, options.maxVersion)
    if (version === null) {
      const api = apiName(request.key)
      return Promise.reject(
        clientErrors.create('CLIENT_UNSUPPORTED_API', { address: this.#label, api }),
      )
    }
    return this.#exchange(request, response, version, value, options.timeoutMs)
  }

  #exchange<Q extends MessageSpec, A extends MessageSpec>(
    request: Q,
    response: A,
    version: number,
    value: InferInput<Q>,
    timeoutMs = this.#options.timeoutMs,
  ): Promise<Infer<A>> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    const correlationId = this.#nextCorrelationId
    this.#nextCorrelationId = (correlationId + 1) & 0x7fffffff
    const { clientId } = this.#options
    const parts = encodeRequest(request, version, { correlationId, clientId }, value)
    return new Promise<Infer<A>>((resolve, reject) => {
      const timer = this.#deps.clock.schedule(timeoutMs, () =>
        this.#onTimeout(apiName(request.key), timeoutMs),
      )
      this.#pending.set(correlationId, {
        response,
        version,
        resolve: resolve as never,
        reject,
        timer,
      })
      this.#socket.cork()
      for (const part of parts) this.#socket.write(part)
      this.#socket.uncork()
    })
  }

  /** Answers come in order, so behind one that does not come none will: the connection is given up. */
  #onTimeout(api: string, timeoutMs: number): void {
    this.#give(
      clientErrors.create('CLIENT_REQUEST_TIMEOUT', { address: this.#label, api, timeoutMs }),
    )
  }

  async #negotiate(): Promise<ReadonlyMap<number, VersionSpan>> {
    let reply = await this.#exchange(
      ApiVersionsRequest,
      ApiVersionsResponse,
      LATEST_API_VERSIONS,
      SOFTWARE,
    )
    if (reply.errorCode === ErrorCode.UNSUPPORTED_VERSION) {
      reply = await this.#exchange(ApiVersionsRequest, ApiVersionsResponse, 0, SOFTWARE)
    }
    if (reply.errorCode !== ErrorCode.NONE) throw protocolError(reply.errorCode)
    return new Map(
      reply.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [
        apiKey,
        { min: minVersion, max: maxVersion },
      ]),
    )
  }

  /** Logs in, and again before the session ends (KIP-368). */
  async #logIn(sasl: SaslClient): Promise<void> {
    const lifetimeMs = await logIn(sasl, {
      address: this.#label,
      exchange: (request, response, value) => this.#sendNow(request, response, value),
    })
    if (lifetimeMs > 0 && this.#failure === null)
      this.#nextLogin = this.#deps.clock.schedule(lifetimeMs * LOG_IN_AGAIN_AT, () =>
        this.#logInAgain(sasl),
      )
  }

  #logInAgain(sasl: SaslClient): void {
    this.#loggingIn = this.#logIn(sasl).then(
      () => {
        this.#loggingIn = null
      },
      (error: unknown) => {
        this.#fail(`the login was not renewed: ${errorMessage(error)}`, error)
      },
    )
  }

  #onData(chunk: Buffer): void {
    try {
      this.#frames.push(chunk)
      for (let frame = this.#frames.next(); frame !== null; frame = this.#frames.next())
        this.#onFrame(frame)
    } catch (error) {
      this.#fail(`its reply cannot be read: ${errorMessage(error)}`, error)
    }
  }

  #onFrame(frame: Buffer): void {
    const correlationId = frame.length >= 4 ? frame.readInt32BE(0) : -1
    const request = this.#pending.get(correlationId)
    if (request === undefined)
      throw new Error(`it answers a request ${correlationId} that was not sent`)
    const { value } = decodeReply(request, frame)
    this.#pending.delete(correlationId)
    request.timer.cancel()
    request.resolve(value as never)
  }

  #fail(reason: string, cause?: unknown): void {
    this.#give(
      clientErrors.create('CLIENT_CONNECTION_LOST', { address: this.#label, reason }, { cause }),
    )
  }

  #give(error: PlatformError): void {
    if (this.#failure !== null) return
    this.#failure = error
    this.#nextLogin?.cancel()
    this.#socket.destroy()
    for (const { reject, timer } of this.#pending.values()) {
      timer.cancel()
      reject(error)
    }
    this.#pending.clear()
  }
}

/** OpenSSL's findings about a certificate: trying again does not make it a better one. */
function isDistrust(error: unknown): boolean {
  return /CERT|SIGNATURE|ALTNAME|ISSUER/.test(errorCode(error) ?? '')
}

/** A broker that does not know our ApiVersions version answers in version 0, whatever was asked. */
function decodeReply({ response, version }: PendingRequest, frame: Buffer): { value: unknown } {
  const isApiVersions = response.key === ApiVersionsResponse.key
  const isRefusal =
    isApiVersions && frame.length >= 6 && frame.readInt16BE(4) === ErrorCode.UNSUPPORTED_VERSION
  return decodeResponse(response, isRefusal ? 0 : version, frame)
}
