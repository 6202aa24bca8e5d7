import { type Clock, errorCode, errorMessage } from '@millrace/base'
import type { ConfigOf } from '@millrace/config'
import type { createLocalJWKSet, JSONWebKeySet, JWTPayload } from 'jose'
import type { oauthConfigDefinition } from './config'
import type { OAuthLogin, OAuthRefusal, TokenValidator } from './server'

/** How jose says that no key of the set fits: the issuer may have a new one. */
const NO_KEY = 'ERR_JWKS_NO_MATCHING_KEY'

type KeySet = ReturnType<typeof createLocalJWKSet>
type OAuthConfig = ConfigOf<typeof oauthConfigDefinition>

/** Fetches the key set of the issuer. @throws if it cannot be had now */
export type LoadJwks = () => Promise<JSONWebKeySet>

/**
 * Checks signed tokens against the keys of their issuer. Keys are kept for `jwksRefreshMs`, and fetched before that for a token
 * whose key is not among them, at most once per `jwksRetryBackoffMaxMs`: tokens of strangers must not make us ask for more.
 * While the issuer cannot be reached, the keys that are known stay in use.
 */
export class JwksValidator implements TokenValidator {
  readonly #clock: Clock
  readonly #load: LoadJwks
  readonly #config: OAuthConfig
  #keys: KeySet | null = null
  /** Monotonic times of the last success and of the last attempt. */
  #loadedAtMs = -Infinity
  #triedAtMs = -Infinity
  #failureCount = 0
  #loading: Promise<void> | null = null

  constructor(deps: { clock: Clock; load: LoadJwks }, config: OAuthConfig) {
    this.#clock = deps.clock
    this.#load = deps.load
    this.#config = config
  }

  async validate(token: string): Promise<OAuthLogin | OAuthRefusal> {
    try {
      return loginOf(await this.#verify(token), this.#config)
    } catch (error) {
      return { status: 'invalid_token', scope: null, reason: errorMessage(error) }
    }
  }

  async #verify(token: string): Promise<JWTPayload> {
    const isOld = this.#clock.monotonicMs() - this.#loadedAtMs >= this.#config.jwksRefreshMs
    if (isOld) await this.#refresh(this.#backoffMs())
    try {
      return await this.#check(token)
    } catch (error) {
      if (errorCode(error) !== NO_KEY) throw error
      await this.#refresh(this.#config.jwksRetryBackoffMaxMs)
      return await this.#check(token)
    }
  }

  async #check(token: string): Promise<JWTPayload> {
    const keys = this.#keys
    if (keys === null) throw new Error('the keys of the token issuer could not be fetched')
    const { expectedIssuer, expectedAudience, clockSkewSeconds, subClaimName } = this.#config
    const { jwtVerify } = await loadJose()
    const { payload } = await jwtVerify(token, keys, {
      ...(expectedIssuer !== null && { issuer: expectedIssuer }),
      ...(expectedAudience.length > 0 && { audience: [...expectedAudience] }),
      clockTolerance: clockSkewSeconds,
      currentDate: new Date(this.#clock.now()),
      requiredClaims: ['exp', 'iat', subClaimName],
    })
    return payload
  }

  /** Fetches the keys unless that was tried in the last `pauseMs`. One request serves all who wait. */
  #refresh(pauseMs: number): Promise<void> {
    if (this.#loading !== null) return this.#loading
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#triedAtMs < pauseMs) return Promise.resolve()
    this.#triedAtMs = nowMs
    this.#loading = this.#reload().finally(() => {
      this.#loading = null
    })
    return this.#loading
  }

  async #reload(): Promise<void> {
    try {
      const keySet = await this.#load()
      const jose = await loadJose()
      this.#keys = jose.createLocalJWKSet(keySet)
      this.#loadedAtMs = this.#clock.monotonicMs()
      this.#failureCount = 0
    } catch (error) {
      this.#failureCount += 1
      if (this.#keys === null) throw error
    }
  }

  #backoffMs(): number {
    const { jwksRetryBackoffMs, jwksRetryBackoffMaxMs } = this.#config
    if (this.#failureCount === 0) return 0
    return Math.min(jwksRetryBackoffMs * 2 ** (this.#failureCount - 1), jwksRetryBackoffMaxMs)
  }
}

/** It takes 50 ms and some megabytes, which only those should pay who use it. */
function loadJose() {
  return import('jose')
}

function loginOf(claims: JWTPayload, { subClaimName }: OAuthConfig): OAuthLogin {
  const { [subClaimName]: subject } = claims
  if (typeof subject !== 'string' || subject.trim() === '')
    throw new Error(`claim ${subClaimName} holds no name`)
  return { userName: subject.trim(), expiresAtMs: claims.exp! * 1000 }
}
