import { timingSafeEqual } from 'node:crypto'
import type { TokenRecord } from '@millrace/controller'
import type { Principal } from '@millrace/security'
import { tokenHmac } from '@millrace/security'
import type { RequestContext } from './handler'

/** Where Kafka has no time to tell. */
export const NO_TIMESTAMP = -1

/**
 * Whether this client may ask about tokens at all: one that somebody vouches for, and not by a token, else a token that was lost
 * could be renewed into another one for ever.
 */
export function mayUseTokens({ client }: RequestContext): boolean {
  const { protocol, isTokenAuthenticated, principal } = client
  if (isTokenAuthenticated || protocol === 'PLAINTEXT') return false
  return !(protocol === 'SSL' && principal.name === 'ANONYMOUS')
}

/** The secret that tokens are made with; null where there are none. */
export function tokenSecret({ broker }: RequestContext): string | null {
  return broker.config.values.delegationTokenSecretKey?.reveal() || null
}

/** The token that an HMAC proves, with its id. */
export function findByHmac(
  tokens: ReadonlyMap<string, TokenRecord>,
  secret: string,
  hmac: Buffer,
): { id: string; token: TokenRecord } | null {
  for (const [id, token] of tokens) {
    const expected = tokenHmac(secret, id)
    if (expected.length === hmac.length && timingSafeEqual(expected, hmac)) return { id, token }
  }
  return null
}

export function isSame(a: Principal, b: Principal): boolean {
  return a.type === b.type && a.name === b.name
}
