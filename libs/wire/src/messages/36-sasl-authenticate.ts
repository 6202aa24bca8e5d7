/**
 * SaslAuthenticate, key 36 - versions 0 to 2: one message of a login, and the answer to it.
 * Versions: 1 sessionLifetimeMs, after which the client must have logged in again (0: never); 2 flexible.
 */
import { field, message, type Infer } from '../schema'

export const SaslAuthenticateRequest = message(
  { name: 'SaslAuthenticateRequest', key: 36, versions: '0-2', flexible: '2+' },
  {
    authBytes: field('bytes', '0+'),
  },
)
export type SaslAuthenticateRequest = Infer<typeof SaslAuthenticateRequest>

export const SaslAuthenticateResponse = message(
  { name: 'SaslAuthenticateResponse', key: 36, versions: '0-2', flexible: '2+' },
  {
    errorCode: field('int16', '0+'),
    errorMessage: field('string?', '0+'),
    authBytes: field('bytes', '0+'),
    sessionLifetimeMs: field('int64', '1+', { default: 0 }),
  },
)
export type SaslAuthenticateResponse = Infer<typeof SaslAuthenticateResponse>
