/**
 * ExpireDelegationToken, key 40 - served: 1 to 2.
 * Does: sets when a token ends, or ends it at once (a negative period); for its owner and its renewers.
 * Versions: 2 flexible.
 * Gaps: none known.
 */
import { hasExpired, isOwnerOrRenewer } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { changeToken } from './change-token'
import { handler } from './handler'

export const expireDelegationToken = handler(
  ApiKey.ExpireDelegationToken,
  { min: 1, max: 2, order: 'change' },
  ({ hmac, expiryTimePeriodMs }, ctx) =>
    changeToken(hmac, ctx, (token, nowMs) => {
      if (!isOwnerOrRenewer(token, ctx.client.principal))
        return ErrorCode.DELEGATION_TOKEN_OWNER_MISMATCH
      if (expiryTimePeriodMs < 0) return { expiresAtMs: nowMs, isRemoved: true }
      if (hasExpired(token, nowMs)) return ErrorCode.DELEGATION_TOKEN_EXPIRED
      return { expiresAtMs: Math.min(token.maxAtMs, nowMs + expiryTimePeriodMs), isRemoved: false }
    }),
)
