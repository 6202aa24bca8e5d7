/**
 * RenewDelegationToken, key 39 - served: 1 to 2.
 * Does: lets a token live longer, up to the time that was set when it was made; for its owner and its renewers.
 * Versions: 2 flexible.
 * Gaps: none known.
 */
import { hasExpired, isOwnerOrRenewer } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { changeToken } from './change-token'
import { handler } from './handler'

export const renewDelegationToken = handler(
  ApiKey.RenewDelegationToken,
  { min: 1, max: 2, order: 'change' },
  ({ hmac, renewPeriodMs }, ctx) =>
    changeToken(hmac, ctx, (token, nowMs) => {
      if (hasExpired(token, nowMs)) return ErrorCode.DELEGATION_TOKEN_EXPIRED
      if (!isOwnerOrRenewer(token, ctx.client.principal))
        return ErrorCode.DELEGATION_TOKEN_OWNER_MISMATCH
      const { delegationTokenExpiryTimeMs: limitMs } = ctx.broker.config.values
      const periodMs = renewPeriodMs > 0 ? Math.min(limitMs, renewPeriodMs) : limitMs
      return { expiresAtMs: Math.min(token.maxAtMs, nowMs + periodMs), isRemoved: false }
    }),
)
