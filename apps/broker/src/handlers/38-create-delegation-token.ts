/**
 * CreateDelegationToken, key 38 - served: 1 to 3.
 * Does: makes a token that stands for the one who asks, or for another whom it may make tokens for. What is kept of it is not
 * enough to log in with.
 * Versions: 2 flexible; 3 for another owner, and who asked.
 * Gaps: none known.
 */
import { newUuid, systemRandom } from '@millrace/base'
import { recordKinds, type TokenRecord } from '@millrace/controller'
import {
  AclOperation,
  principalText,
  ResourceType,
  tokenHmac,
  type Principal,
} from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { isSame, mayUseTokens, NO_TIMESTAMP, tokenSecret } from './delegation-tokens'
import { handler, type RequestContext, type RequestOf, type ResponseOf } from './handler'

type Request = RequestOf<typeof ApiKey.CreateDelegationToken>
type Response = ResponseOf<typeof ApiKey.CreateDelegationToken>

export const createDelegationToken = handler(
  ApiKey.CreateDelegationToken,
  { min: 1, max: 3, order: 'change' },
  async (request, ctx) => {
    const requester = ctx.client.principal
    const owner = ownerOf(request, requester)
    const errorCode = refusal(request, owner, ctx)
    const secret = tokenSecret(ctx)
    if (errorCode !== ErrorCode.NONE) return failed(errorCode, owner, requester)
    if (secret === null) return failed(ErrorCode.DELEGATION_TOKEN_AUTH_DISABLED, owner, requester)
    const token = newToken(request, { owner, requester }, ctx)
    const id = newUuid(systemRandom)
    await ctx.broker.controller.changeRecords(recordKinds.tokens, () => new Map([[id, token]]))
    return {
      ...failed(ErrorCode.NONE, owner, requester),
      issueTimestampMs: token.issuedAtMs,
      expiryTimestampMs: token.expiresAtMs,
      maxTimestampMs: token.maxAtMs,
      tokenId: id,
      hmac: tokenHmac(secret, id),
    }
  },
)

function ownerOf(
  { ownerPrincipalType, ownerPrincipalName }: Request,
  requester: Principal,
): Principal {
  return ownerPrincipalName
    ? { type: ownerPrincipalType ?? '', name: ownerPrincipalName }
    : requester
}

function refusal(request: Request, owner: Principal, ctx: RequestContext): number {
  if (!mayUseTokens(ctx)) return ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED
  const mayForOwner =
    isSame(owner, ctx.client.principal) ||
    ctx.allows(AclOperation.CREATE_TOKENS, ResourceType.USER, principalText(owner))
  if (!mayForOwner) return ErrorCode.DELEGATION_TOKEN_AUTHORIZATION_FAILED
  return request.renewers.every(({ principalType }) => principalType === 'User')
    ? ErrorCode.NONE
    : ErrorCode.INVALID_PRINCIPAL_TYPE
}

function newToken(
  { maxLifetimeMs, renewers }: Request,
  { owner, requester }: { owner: Principal; requester: Principal },
  ctx: RequestContext,
): TokenRecord {
  const { clock, config } = ctx.broker
  const { delegationTokenMaxLifetimeMs: limitMs, delegationTokenExpiryTimeMs } = config.values
  const issuedAtMs = clock.now()
  const maxAtMs = issuedAtMs + (maxLifetimeMs > 0 ? Math.min(limitMs, maxLifetimeMs) : limitMs)
  return {
    owner,
    requester,
    renewers: renewers.map(({ principalType, principalName }) => ({
      type: principalType,
      name: principalName,
    })),
    issuedAtMs,
    expiresAtMs: Math.min(maxAtMs, issuedAtMs + delegationTokenExpiryTimeMs),
    maxAtMs,
  }
}

function failed(errorCode: number, owner: Principal, requester: Principal): Response {
  return {
    errorCode,
    principalType: owner.type,
    principalName: owner.name,
    tokenRequesterPrincipalType: requester.type,
    tokenRequesterPrincipalName: requester.name,
    issueTimestampMs: NO_TIMESTAMP,
    expiryTimestampMs: NO_TIMESTAMP,
    maxTimestampMs: NO_TIMESTAMP,
    tokenId: '',
    hmac: Buffer.alloc(0),
    throttleTimeMs: 0,
  }
}
