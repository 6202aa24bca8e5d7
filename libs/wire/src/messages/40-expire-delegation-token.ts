/**
 * ExpireDelegationToken, key 40 - versions 1 to 2: another end for a token, at once if the period is negative.
 * Versions: 2 flexible. A refusal has the timestamp -1.
 */
import { field, message, type Infer } from '../schema'

export const ExpireDelegationTokenRequest = message(
  { name: 'ExpireDelegationTokenRequest', key: 40, versions: '1-2', flexible: '2+' },
  {
    hmac: field('bytes', '0+'),
    expiryTimePeriodMs: field('int64', '0+'),
  },
)
export type ExpireDelegationTokenRequest = Infer<typeof ExpireDelegationTokenRequest>

export const ExpireDelegationTokenResponse = message(
  { name: 'ExpireDelegationTokenResponse', key: 40, versions: '1-2', flexible: '2+' },
  {
    errorCode: field('int16', '0+'),
    expiryTimestampMs: field('int64', '0+'),
    throttleTimeMs: field('int32', '0+'),
  },
)
export type ExpireDelegationTokenResponse = Infer<typeof ExpireDelegationTokenResponse>
