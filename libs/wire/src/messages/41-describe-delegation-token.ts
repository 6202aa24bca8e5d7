/**
 * DescribeDelegationToken, key 41 - versions 1 to 3: tokens that the given principals own or may renew.
 * Versions: 2 flexible; 3 who asked for the token. `owners` null means all tokens, empty means none.
 */
import { field, list, message, type Infer } from '../schema'

export const DescribeDelegationTokenRequest = message(
  { name: 'DescribeDelegationTokenRequest', key: 41, versions: '1-3', flexible: '2+' },
  {
    owners: list(
      '0+',
      {
        principalType: field('string', '0+'),
        principalName: field('string', '0+'),
      },
      { nullable: '0+' },
    ),
  },
)
export type DescribeDelegationTokenRequest = Infer<typeof DescribeDelegationTokenRequest>

export const DescribeDelegationTokenResponse = message(
  { name: 'DescribeDelegationTokenResponse', key: 41, versions: '1-3', flexible: '2+' },
  {
    errorCode: field('int16', '0+'),
    tokens: list('0+', {
      principalType: field('string', '0+'),
      principalName: field('string', '0+'),
      tokenRequesterPrincipalType: field('string', '3+'),
      tokenRequesterPrincipalName: field('string', '3+'),
      issueTimestamp: field('int64', '0+'),
      expiryTimestamp: field('int64', '0+'),
      maxTimestamp: field('int64', '0+'),
      tokenId: field('string', '0+'),
      hmac: field('bytes', '0+'),
      renewers: list('0+', {
        principalType: field('string', '0+'),
        principalName: field('string', '0+'),
      }),
    }),
    throttleTimeMs: field('int32', '0+'),
  },
)
export type DescribeDelegationTokenResponse = Infer<typeof DescribeDelegationTokenResponse>
