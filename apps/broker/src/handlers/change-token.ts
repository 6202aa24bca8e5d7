import { recordKinds, type TokenRecord } from '@millrace/controller'
import { ErrorCode } from '@millrace/wire'
import { findByHmac, mayUseTokens, NO_TIMESTAMP, tokenSecret } from './delegation-tokens'
import type { RequestContext } from './handler'

/** When a token ends from now on, or the error of why it stays as it is. */
type TokenChange = number | { readonly expiresAtMs: number; readonly isRemoved: boolean }

interface TokenAnswer {
  readonly errorCode: number
  readonly expiryTimestampMs: number
  readonly throttleTimeMs: number
}

/** What renewing and expiring share: finds the token of an HMAC, lets `plan` decide on it, and keeps the outcome. */
export async function changeToken(
  hmac: Buffer,
  ctx: RequestContext,
  plan: (token: TokenRecord, nowMs: number) => TokenChange,
): Promise<TokenAnswer> {
  if (!mayUseTokens(ctx)) return failed(ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED)
  const secret = tokenSecret(ctx)
  if (secret === null) return failed(ErrorCode.DELEGATION_TOKEN_AUTH_DISABLED)
  let answer = failed(ErrorCode.DELEGATION_TOKEN_NOT_FOUND)
  await ctx.broker.controller.changeRecords(recordKinds.tokens, (tokens) => {
    const found = findByHmac(tokens, secret, hmac)
    if (found === null) answer = failed(ErrorCode.DELEGATION_TOKEN_NOT_FOUND)
    if (found === null) return new Map()
    const { id, token } = found
    const change = plan(token, ctx.broker.clock.now())
    if (typeof change === 'number') {
      answer = failed(change)
      return new Map()
    }
    const { expiresAtMs, isRemoved } = change
    answer = { errorCode: ErrorCode.NONE, expiryTimestampMs: expiresAtMs, throttleTimeMs: 0 }
    return new Map([[id, isRemoved ? null : { ...token, expiresAtMs }]])
  })
  return answer
}

function failed(errorCode: number): TokenAnswer {
  return { errorCode, expiryTimestampMs: NO_TIMESTAMP, throttleTimeMs: 0 }
}
