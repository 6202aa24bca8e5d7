/**
 * CreateDelegationToken, key 38 - versions 1 to 3: a token that logs in as its owner.
 * Versions: 2 flexible; 3 an owner other than the one who asks (empty: the one who asks), and who asked.
 * `maxLifetimeMs` of 0 or less takes the broker's. What logs in is the base64 of `hmac`.
 */
import { field, list, message, type Infer } from '../schema'

export const CreateDelegationTokenRequest = message(
  { name: 'CreateDelegationTokenRequest', key: 38, versions: '1-3', flexible: '2+' },
  {
    ownerPrincipalType: field('string?', '3+'),
    ownerPrincipalName: field('string?', '3+'),
    renewers: list('0+', {
      principalType: field('string', '0+'),
      principalName: field('string', '0+'),
    }),
    maxLifetimeMs: field('int64', '0+'),
  },
)
export type CreateDelegationTokenRequest = Infer<typeof CreateDelegationTokenRequest>

export const CreateDelegationTokenResponse = message(
  { name: 'CreateDelegationTokenResponse', key: 38, versions: '1-3', flexible: '2+' },
  {
    errorCode: field('int16', '0+'),
    principalType: field('string', '0+'),
    principalName: field('string', '0+'),
    tokenRequesterPrincipalType: field('string', '3+'),
    tokenRequesterPrincipalName: field('string', '3+'),
    issueTimestampMs: field('int64', '0+'),
    expiryTimestampMs: field('int64', '0+'),
    maxTimestampMs: field('int64', '0+'),
    tokenId: field('string', '0+'),
    hmac: field('bytes', '0+'),
    throttleTimeMs: field('int32', '0+'),
  },
)
export type CreateDelegationTokenResponse = Infer<typeof CreateDelegationTokenResponse>
