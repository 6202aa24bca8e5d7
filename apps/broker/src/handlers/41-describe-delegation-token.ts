/**
 * DescribeDelegationToken, key 41 - served: 1 to 3.
 * Does: tells the tokens of the given owners, or all (null), that the client may see: those it owns, asked for or may renew,
 * and those that rights on the token or its owner let it see. With what logs in, as Kafka does.
 * Versions: 2 flexible; 3 who asked for the token.
 * Gaps: none known.
 */
import { recordKinds, type TokenRecord } from '@millrace/controller'
import {
  AclOperation,
  isOwnerOrRenewer,
  type Principal,
  principalText,
  ResourceType,
  tokenHmac,
} from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { isSame, mayUseTokens, tokenSecret } from './delegation-tokens'
import { handler, type RequestContext, type RequestOf, type ResponseOf } from './handler'

type Owners = RequestOf<typeof ApiKey.DescribeDelegationToken>['owners']
type Response = ResponseOf<typeof ApiKey.DescribeDelegationToken>

export const describeDelegationToken = handler(
  ApiKey.DescribeDelegationToken,
  { min: 1, max: 3 },
  ({ owners }, ctx): Response => {
    if (!mayUseTokens(ctx)) return answer(ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED)
    const secret = tokenSecret(ctx)
    if (secret === null) return answer(ErrorCode.DELEGATION_TOKEN_AUTH_DISABLED)
    const tokens = [...ctx.broker.metadata().records(recordKinds.tokens)]
      .filter(([id, token]) => isAskedFor(token, owners) && maySee(id, token, ctx))
      .map(([id, token]) => described(id, token, secret))
    return answer(ErrorCode.NONE, tokens)
  },
)

function isAskedFor(token: TokenRecord, owners: Owners): boolean {
  if (owners === null) return true
  return owners.some(({ principalType, principalName }) =>
    concerns(token, { type: principalType, name: principalName }),
  )
}

/** Who asked for a token for somebody else sees it, too, though he may not renew it. */
function concerns(token: TokenRecord, principal: Principal): boolean {
  return isOwnerOrRenewer(token, principal) || isSame(token.requester, principal)
}

function maySee(id: string, token: TokenRecord, ctx: RequestContext): boolean {
  return (
    concerns(token, ctx.client.principal) ||
    ctx.allows(AclOperation.DESCRIBE, ResourceType.DELEGATION_TOKEN, id) ||
    ctx.allows(AclOperation.DESCRIBE_TOKENS, ResourceType.USER, principalText(token.owner))
  )
}

function described(id: string, token: TokenRecord, secret: string): Response['tokens'][number] {
  const { owner, requester, renewers, issuedAtMs, expiresAtMs, maxAtMs } = token
  return {
    principalType: owner.type,
    principalName: owner.name,
    tokenRequesterPrincipalType: requester.type,
    tokenRequesterPrincipalName: requester.name,
    issueTimestamp: issuedAtMs,
    expiryTimestamp: expiresAtMs,
    maxTimestamp: maxAtMs,
    tokenId: id,
    hmac: tokenHmac(secret, id),
    renewers: renewers.map(({ type, name }) => ({ principalType: type, principalName: name })),
  }
}

function answer(errorCode: number, tokens: Response['tokens'] = []): Response {
  return { errorCode, tokens, throttleTimeMs: 0 }
}
