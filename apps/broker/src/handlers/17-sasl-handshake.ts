/**
 * SaslHandshake, key 17 - served: 0 to 1.
 * Does: refuses, since a handshake that begins a login is taken by the gate (network/login.ts) before it gets here: what comes
 * here is out of place, on a listener without SASL or on a connection that need not log in again.
 * Versions: 1 the messages of the login follow in SaslAuthenticate requests, not bare.
 * Gaps: none known.
 */
import { ApiKey, ErrorCode } from '@millrace/wire'
import { handler } from './handler'

export const saslHandshake = handler(ApiKey.SaslHandshake, { min: 0, max: 1 }, () => ({
  errorCode: ErrorCode.ILLEGAL_SASL_STATE,
  mechanisms: [],
}))
