/**
 * SaslAuthenticate, key 36 - served: 0 to 2.
 * Does: refuses, since the messages of a login are taken by the gate (network/login.ts): what comes here comes after it.
 * Versions: 1 how long the session lasts; 2 flexible.
 * Gaps: none known.
 */
import { ApiKey, ErrorCode } from '@millrace/wire'
import { handler } from './handler'

export const saslAuthenticate = handler(ApiKey.SaslAuthenticate, { min: 0, max: 2 }, () => ({
  errorCode: ErrorCode.ILLEGAL_SASL_STATE,
  errorMessage: 'SaslAuthenticate request received after successful authentication',
  authBytes: Buffer.alloc(0),
}))
