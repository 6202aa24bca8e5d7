import { errorMessage } from '@millrace/base'
import type { SaslClient } from '@millrace/security'
import {
  ErrorCode,
  errorName,
  type Infer,
  type InferInput,
  type MessageSpec,
  SaslAuthenticateRequest,
  SaslAuthenticateResponse,
  SaslHandshakeRequest,
  SaslHandshakeResponse,
} from '@millrace/wire'
import { clientErrors } from './errors'

/** Sends one request of a login and gives its answer. */
export type Exchange = <Q extends MessageSpec, A extends MessageSpec>(
  request: Q,
  response: A,
  value: InferInput<Q>,
) => Promise<Infer<A>>

/**
 * Goes through a login on a connection. Returns how long the session lasts in ms, 0 for no end.
 * @throws PlatformError CLIENT_LOGIN_FAILED with what the broker says, and what `exchange` throws
 */
export async function logIn(
  sasl: SaslClient,
  { address, exchange }: { address: string; exchange: Exchange },
): Promise<number> {
  const { name: mechanism } = sasl
  const failed = (reason: string, cause?: unknown) =>
    clientErrors.create('CLIENT_LOGIN_FAILED', { address, mechanism, reason }, { cause })
  const handshake = await exchange(SaslHandshakeRequest, SaslHandshakeResponse, { mechanism })
  if (handshake.errorCode !== ErrorCode.NONE)
    throw failed(`it offers ${handshake.mechanisms.join(', ') || errorName(handshake.errorCode)}`)
  const login = sasl.begin()
  const next = (challenge: Buffer | null) =>
    login.next(challenge).catch((cause: unknown) => {
      throw failed(errorMessage(cause), cause)
    })
  let lifetimeMs = 0
  for (let authBytes = await next(null); authBytes !== null; ) {
    const answer = await exchange(SaslAuthenticateRequest, SaslAuthenticateResponse, { authBytes })
    if (answer.errorCode !== ErrorCode.NONE)
      throw failed(answer.errorMessage ?? errorName(answer.errorCode))
    lifetimeMs = answer.sessionLifetimeMs
    authBytes = await next(answer.authBytes)
  }
  return lifetimeMs
}
