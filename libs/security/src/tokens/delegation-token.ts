import { createHmac } from 'node:crypto'
import { type Principal, principalText } from '../principal'
import {
  credentialOf,
  saltedPassword,
  SCRAM_ITERATIONS_MIN,
  type ScramCredential,
  type ScramHash,
} from '../scram/credential'

/** A delegation token as the cluster keeps it. What logs in, the HMAC, is made anew from the id and the broker's secret. */
export interface StoredToken {
  readonly owner: Principal
  readonly requester: Principal
  readonly renewers: readonly Principal[]
  /** Wall-clock times. */
  readonly issuedAtMs: number
  readonly expiresAtMs: number
  /** No renewal goes beyond this. */
  readonly maxAtMs: number
}

/** What proves that a client has the token: as long as nobody knows the secret, it cannot be made from the id. */
export function tokenHmac(secret: string, tokenId: string): Buffer {
  return createHmac('sha512', secret).update(tokenId).digest()
}

/** A token logs in by SCRAM, with its id as the user and the base64 of its HMAC as the password. */
export function tokenCredential(hash: ScramHash, secret: string, tokenId: string): ScramCredential {
  const hmac = tokenHmac(secret, tokenId)
  // Never kept, so the salt has only to differ between tokens, and to be the same over the two messages of a login.
  const salt = createHmac('sha256', secret).update(`salt of ${tokenId}`).digest()
  const options = { salt, iterations: SCRAM_ITERATIONS_MIN }
  return credentialOf(hash, saltedPassword(hash, hmac.toString('base64'), options), options)
}

export function hasExpired(token: StoredToken, nowMs: number): boolean {
  return token.maxAtMs < nowMs || token.expiresAtMs < nowMs
}

export function isOwnerOrRenewer(token: StoredToken, principal: Principal): boolean {
  const text = principalText(principal)
  return [token.owner, token.renewers].flat().some((one) => principalText(one) === text)
}
