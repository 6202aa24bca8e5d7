import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { type SaslMechanism, type SaslStep, toldFailure } from './mechanism'

const NO_CHALLENGE = Buffer.alloc(0)

/** PLAIN (RFC 4616): the password itself. `passwords` is by user name, and read anew at each login. */
export function plainMechanism(passwords: ReadonlyMap<string, string>): SaslMechanism {
  return { name: 'PLAIN', begin: () => ({ evaluate: (response) => login(response, passwords) }) }
}

function login(response: Buffer, passwords: ReadonlyMap<string, string>): SaslStep {
  const parts = response.toString('utf8').split('\0')
  if (parts.length !== 3)
    throw toldFailure(`Invalid SASL/PLAIN response: expected 3 tokens, got ${parts.length}`)
  const [authorizationId, userName, password] = parts
  if (userName === '') throw toldFailure('Authentication failed: username not specified')
  if (password === '') throw toldFailure('Authentication failed: password not specified')
  const expected = passwords.get(userName)
  // Compared for an unknown user as well, so that the time does not tell which users there are.
  const isRight = isSameText(password, expected ?? '') && expected !== undefined
  if (!isRight) throw toldFailure('Authentication failed: Invalid username or password')
  if (authorizationId !== '' && authorizationId !== userName)
    throw toldFailure(
      'Authentication failed: Client requested an authorization id that is different from username',
    )
  return { challenge: NO_CHALLENGE, login: { userName, isToken: false, expiresAtMs: null } }
}

const compareKey = randomBytes(32)

/** In a time that depends on the given text only: both are hashed under a key that nobody knows. */
function isSameText(given: string, expected: string): boolean {
  const digest = (text: string) => createHmac('sha256', compareKey).update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}
