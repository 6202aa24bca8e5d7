/**
 * AlterUserScramCredentials, key 51 - version 0 only: sets and removes what users log in with.
 * The client salts and hashes the password (RFC 5802's SaltedPassword), so the broker never sees it.
 */
import { field, list, message, type Infer } from '../schema'

export const AlterUserScramCredentialsRequest = message(
  { name: 'AlterUserScramCredentialsRequest', key: 51, versions: '0', flexible: '0+' },
  {
    deletions: list('0+', {
      name: field('string', '0+'),
      mechanism: field('int8', '0+'),
    }),
    upsertions: list('0+', {
      name: field('string', '0+'),
      mechanism: field('int8', '0+'),
      iterations: field('int32', '0+'),
      salt: field('bytes', '0+'),
      saltedPassword: field('bytes', '0+'),
    }),
  },
)
export type AlterUserScramCredentialsRequest = Infer<typeof AlterUserScramCredentialsRequest>

export const AlterUserScramCredentialsResponse = message(
  { name: 'AlterUserScramCredentialsResponse', key: 51, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: field('int32', '0+'),
    results: list('0+', {
      user: field('string', '0+'),
      errorCode: field('int16', '0+'),
      errorMessage: field('string?', '0+'),
    }),
  },
)
export type AlterUserScramCredentialsResponse = Infer<typeof AlterUserScramCredentialsResponse>
