import { randomBytes, timingSafeEqual } from 'node:crypto'
import { formatClientResponse } from '../oauth/messages'
import {
  clientProof,
  SCRAM_ITERATIONS_MIN,
  saltedPassword,
  type ScramHash,
  serverKeyOf,
  serverSignature,
} from '../scram/credential'
import { parseServerFinal, parseServerFirst, toSaslName } from '../scram/messages'

const NONCE_BYTES = 24
/** A broker that asks for more would stall us: hundreds of milliseconds of the event loop. */
const ITERATIONS_MAX = 1_000_000

/** The client's side of one login. */
export interface SaslClientExchange {
  /** The next message; the challenge is null for the first. Null when there is nothing more to say. @throws Error if the broker is not to be trusted */
  next(challenge: Buffer | null): Promise<Buffer | null>
}

/** How a client logs in. */
export interface SaslClient {
  /** Of the mechanism. */
  readonly name: string
  begin(): SaslClientExchange
}

export function plainClient(user: { name: string; password: string }): SaslClient {
  const message = Buffer.from(`\0${user.name}\0${user.password}`)
  return { name: 'PLAIN', begin: () => once(async () => message) }
}

/** `getToken` is asked at each login, since a token does not last. */
export function oauthClient(
  getToken: () => Promise<string>,
  extensions: ReadonlyMap<string, string>,
): SaslClient {
  const message = async () => Buffer.from(formatClientResponse(await getToken(), extensions))
  return { name: 'OAUTHBEARER', begin: () => oauthExchange(once(message)) }
}

function once(message: () => Promise<Buffer>): SaslClientExchange {
  return { next: async (challenge) => (challenge === null ? message() : null) }
}

/** A broker that refuses the token says so in a challenge, which must be acknowledged before it ends the login. */
function oauthExchange(first: SaslClientExchange): SaslClientExchange {
  return {
    async next(challenge) {
      return challenge !== null && challenge.length > 0 ? Buffer.from([1]) : first.next(challenge)
    },
  }
}

export function scramClient(
  hash: ScramHash,
  user: { name: string; password: string; isToken: boolean },
): SaslClient {
  return { name: hash.name, begin: () => new ScramClientExchange(hash, user) }
}

class ScramClientExchange implements SaslClientExchange {
  readonly #hash: ScramHash
  readonly #user: { name: string; password: string; isToken: boolean }
  readonly #nonce = randomBytes(NONCE_BYTES).toString('base64url')
  /** What a broker that has the credential will send. */
  #expected: Buffer | null = null

  constructor(hash: ScramHash, user: { name: string; password: string; isToken: boolean }) {
    this.#hash = hash
    this.#user = user
  }

  async next(challenge: Buffer | null): Promise<Buffer | null> {
    if (challenge === null) return Buffer.from(`n,,${this.#bare()}`)
    if (this.#expected === null) return this.#answer(challenge.toString('utf8'))
    this.#check(challenge.toString('utf8'), this.#expected)
    return null
  }

  #bare(): string {
    const { name, isToken } = this.#user
    return `n=${toSaslName(name)},r=${this.#nonce}${isToken ? ',tokenauth=true' : ''}`
  }

  #answer(serverFirst: string): Buffer {
    const first = parseServerFirst(serverFirst)
    if (first === null) throw new Error('the first SCRAM message of the broker cannot be read')
    const { nonce, salt, iterations } = first
    if (!nonce.startsWith(this.#nonce) || nonce === this.#nonce)
      throw new Error('the broker answered with a nonce that is not ours')
    if (iterations < SCRAM_ITERATIONS_MIN || iterations > ITERATIONS_MAX)
      throw new Error(`the broker asks for ${iterations} iterations`)
    const salted = saltedPassword(this.#hash, this.#user.password, { salt, iterations })
    const withoutProof = `c=biws,r=${nonce}`
    const auth = `${this.#bare()},${serverFirst},${withoutProof}`
    this.#expected = serverSignature(this.#hash, serverKeyOf(this.#hash, salted), auth)
    const proof = clientProof(this.#hash, salted, auth)
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`)
  }

  #check(serverFinal: string, expected: Buffer): void {
    const final = parseServerFinal(serverFinal)
    if (final === null) throw new Error('the final SCRAM message of the broker cannot be read')
    if (final.error !== null) throw new Error(`the broker says ${final.error}`)
    const { signature } = final
    if (signature.length !== expected.length || !timingSafeEqual(signature, expected))
      throw new Error('the broker does not know the password: it is not the right one')
  }
}
