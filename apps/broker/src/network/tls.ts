import type { TLSSocket, TlsOptions } from 'node:tls'
import { subjectOf, type Principal } from '@millrace/security'
import type { ListenerTls } from '../security/listener-security'

/** From the connection to the end of the handshake. */
const HANDSHAKE_MAX_MS = 60_000

/** A listener's TLS as Node takes it; the same object serves to change it later. */
export function tlsServerOptions({ material, clientAuth }: ListenerTls): TlsOptions {
  const { ca, ...rest } = material
  return {
    ...rest,
    ...(ca && { ca: [...ca] }),
    requestCert: clientAuth !== 'none',
    rejectUnauthorized: clientAuth === 'required',
    honorCipherOrder: true,
    handshakeTimeout: HANDSHAKE_MAX_MS,
    pauseOnConnect: true,
  }
}

/** Who a client is by its certificate: nobody without one. A refusal says why the connection must be closed. */
export function tlsClient(
  socket: TLSSocket,
  { clientAuth, principalOf }: ListenerTls,
): { principal: Principal | undefined; refusal: string | null } {
  const nobody = { principal: undefined, refusal: null }
  if (clientAuth === 'none') return nobody
  const certificate = socket.getPeerX509Certificate()
  const refused = (refusal: string) => ({ principal: undefined, refusal })
  // Node has refused it before where one is required: this is for the day on which it does not.
  if (certificate === undefined)
    return clientAuth === 'required' ? refused('it showed no certificate') : nobody
  // Node lets it pass where a certificate is only requested, and tells the reason here.
  if (!socket.authorized)
    return refused(`the certificate is not trusted: ${String(socket.authorizationError)}`)
  const subject = subjectOf(certificate.raw)
  const name = principalOf(subject)
  if (name === null)
    return refused(`no rule of ssl.principal.mapping.rules maps ${subject} to a user`)
  return { principal: { type: 'User', name }, refusal: null }
}
