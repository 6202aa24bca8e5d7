import { randomBytes } from 'node:crypto'
import {
  hiddenFailure,
  type SaslExchange,
  type SaslLogin,
  type SaslMechanism,
  type SaslStep,
  toldFailure,
} from '../sasl/mechanism'
import {
  isProofRight,
  SCRAM_ITERATIONS_MIN,
  type ScramCredential,
  type ScramHash,
  serverSignature,
} from './credential'
import { type ClientFirst, parseClientFinal, parseClientFirst } from './messages'

const NONCE_BYTES = 24

/** Where the credentials of one mechanism come from. Read at each login, so that a change is in force at once. */
export interface ScramCredentials {
  ofUser(name: string): ScramCredential | null
  /** Null for a token that does not exist or has expired, or where tokens are off. */
  ofToken(tokenId: string): {
    readonly credential: ScramCredential
    readonly ownerName: string
    readonly expiresAtMs: number
  } | null
}

/** SCRAM (RFC 5802) without channel binding, with Kafka's extension for delegation tokens. */
export function scramMechanism(hash: ScramHash, credentials: ScramCredentials): SaslMechanism {
  return { name: hash.name, begin: () => new ScramExchange(hash, credentials) }
}

interface Begun {
  readonly first: ClientFirst
  readonly serverFirst: string
  readonly nonce: string
  readonly credential: ScramCredential
  readonly login: SaslLogin
}

class ScramExchange implements SaslExchange {
  readonly #hash: ScramHash
  readonly #credentials: ScramCredentials
  #begun: Begun | null = null

  constructor(hash: ScramHash, credentials: ScramCredentials) {
    this.#hash = hash
    this.#credentials = credentials
  }

  evaluate(response: Buffer): SaslStep {
    const text = response.toString('utf8')
    return this.#begun === null ? this.#onFirst(text) : this.#onFinal(text, this.#begun)
  }

  #onFirst(text: string): SaslStep {
    const first = parseClientFirst(text)
    if (first === null) throw hiddenFailure('the first SCRAM message cannot be read')
    const { credential, login } = this.#find(first)
    if (first.authorizationId !== '' && first.authorizationId !== first.userName)
      throw toldFailure(
        'Authentication failed: Client requested an authorization id that is different from username',
      )
    const { salt, iterations } = credential
    if (iterations < SCRAM_ITERATIONS_MIN)
      throw hiddenFailure(`the credential has only ${iterations} iterations`)
    const nonce = first.nonce + randomBytes(NONCE_BYTES).toString('base64url')
    const serverFirst = `r=${nonce},s=${salt.toString('base64')},i=${iterations}`
    this.#begun = { first, serverFirst, nonce, credential, login }
    return { challenge: Buffer.from(serverFirst), login: null }
  }

  #find({ isToken, userName }: ClientFirst): { credential: ScramCredential; login: SaslLogin } {
    if (isToken) {
      const token = this.#credentials.ofToken(userName)
      if (token === null) throw hiddenFailure('there is no such delegation token')
      const { credential, ownerName, expiresAtMs } = token
      return { credential, login: { userName: ownerName, isToken: true, expiresAtMs } }
    }
    const credential = this.#credentials.ofUser(userName)
    if (credential === null) throw hiddenFailure('there is no such user')
    return { credential, login: { userName, isToken: false, expiresAtMs: null } }
  }

  #onFinal(text: string, begun: Begun): SaslStep {
    const { first, serverFirst, nonce, credential, login } = begun
    const final = parseClientFinal(text)
    if (final === null) throw hiddenFailure('the final SCRAM message cannot be read')
    if (!isOurNonce(final.nonce, nonce, first.nonce))
      throw hiddenFailure('the final SCRAM message has another nonce')
    const auth = `${first.bare},${serverFirst},${final.withoutProof}`
    if (!isProofRight(this.#hash, credential, { auth, proof: final.proof }))
      throw hiddenFailure('the password is wrong')
    const signature = serverSignature(this.#hash, credential.serverKey, auth)
    return { challenge: Buffer.from(`v=${signature.toString('base64')}`), login }
  }
}

/**
 * RFC 5802 wants the nonce back as it was sent. librdkafka before 2.6.1, which many systems ship, puts its own part in front once
 * more, so that form is taken too: it opens nothing, since the proof is made over our message with its fresh nonce in any case.
 */
function isOurNonce(given: string, sent: string, clientPart: string): boolean {
  return given === sent || given === clientPart + sent
}
