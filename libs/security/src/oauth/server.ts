import {
  hiddenFailure,
  type SaslExchange,
  type SaslMechanism,
  type SaslStep,
  toldFailure,
} from '../sasl/mechanism'
import { parseClientResponse } from './messages'

/** A client that was told why its token is refused answers with this one byte, and only then the login has failed. */
const ACKNOWLEDGEMENT = 1

/** What a token that is in order says. */
export interface OAuthLogin {
  readonly userName: string
  readonly expiresAtMs: number
}

/** A token that is not accepted: the status is told to the client, the reason only to the log. */
export interface OAuthRefusal {
  readonly status: 'invalid_token' | 'insufficient_scope'
  readonly scope: string | null
  readonly reason: string
}

export interface TokenValidator {
  validate(token: string): Promise<OAuthLogin | OAuthRefusal>
}

/** OAUTHBEARER (RFC 7628). `onRefused` gets why a token was not accepted, for the log. */
export function oauthMechanism(
  validator: TokenValidator,
  onRefused: (reason: string) => void,
): SaslMechanism {
  return { name: 'OAUTHBEARER', begin: () => new OAuthExchange(validator, onRefused) }
}

class OAuthExchange implements SaslExchange {
  readonly #validator: TokenValidator
  readonly #onRefused: (reason: string) => void
  /** What the client was told of a refused token. */
  #refusal: string | null = null

  constructor(validator: TokenValidator, onRefused: (reason: string) => void) {
    this.#validator = validator
    this.#onRefused = onRefused
  }

  async evaluate(response: Buffer): Promise<SaslStep> {
    if (this.#refusal !== null && response.length === 1 && response[0] === ACKNOWLEDGEMENT)
      throw toldFailure(this.#refusal)
    this.#refusal = null
    const message = parseClientResponse(response.toString('utf8'))
    if (message === null) throw hiddenFailure('the OAUTHBEARER message cannot be read')
    const result = await this.#validator.validate(message.token)
    if ('status' in result) return this.#refuse(result)
    const { userName, expiresAtMs } = result
    if (message.authorizationId !== '' && message.authorizationId !== userName)
      throw toldFailure(
        `Authentication failed: Client requested an authorization id (${message.authorizationId}) that is different from the token's principal name (${userName})`,
      )
    return { challenge: Buffer.alloc(0), login: { userName, isToken: false, expiresAtMs } }
  }

  #refuse({ status, scope, reason }: OAuthRefusal): SaslStep {
    this.#onRefused(reason)
    this.#refusal = JSON.stringify({ status, ...(scope !== null && { scope }) })
    return { challenge: Buffer.from(this.#refusal), login: null }
  }
}
