/**
 * RenewDelegationToken, key 39 - versions 1 to 2: a later end for a token.
 * Versions: 2 flexible. `renewPeriodMs` of 0 or less takes the broker's. A refusal has the timestamp -1.
 */
import { field, message, type Infer } from '../schema'

export const RenewDelegationTokenRequest = message(
  { name: 'RenewDelegationTokenRequest', key: 39, versions: '1-2', flexible: '2+' },
  {
    hmac: field('bytes', '0+'),
    renewPeriodMs: field('int64', '0+'),
  },
)
export type RenewDelegationTokenRequest = Infer<typeof RenewDelegationTokenRequest>

export const RenewDelegationTokenResponse = message(
  { name: 'RenewDelegationTokenResponse', key: 39, versions: '1-2', flexible: '2+' },
  {
    errorCode: field('int16', '0+'),
    expiryTimestampMs: field('int64', '0+'),
    throttleTimeMs: field('int32', '0+'),
  },
)
export type RenewDelegationTokenResponse = Infer<typeof RenewDelegationTokenResponse>
