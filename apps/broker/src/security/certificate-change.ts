import { X509Certificate } from 'node:crypto'
import { certificatesOfPkcs12, subjectOf, type TlsMaterial } from '@millrace/security'
import type { BrokerConfig } from '../config'

/**
 * What speaks against showing other certificates than now, as Kafka sees it: one of another name, or one that lacks a name of
 * the old one, would turn away clients that have trusted the listener so far. `ssl.allow.dn.changes` and `ssl.allow.san.changes` allow it.
 */
export function certificateProblems(before: BrokerConfig, after: BrokerConfig): string[] {
  return after.listeners.flatMap(({ name, security: { tls } }) => {
    const old = before.listeners.find((listener) => listener.name === name)?.security.tls
    if (!tls || !old) return []
    const [shown, wanted] = [leafOf(old.material), leafOf(tls.material)]
    if (shown === null || wanted === null || shown.raw.equals(wanted.raw)) return []
    const problems: string[] = []
    const [shownName, wantedName] = [subjectOf(shown.raw), subjectOf(wanted.raw)]
    if (!tls.allowsDnChanges && shownName !== wantedName)
      problems.push(
        `the certificate of listener ${name} is of ${shownName}, the new one of ${wantedName}: set ssl.allow.dn.changes to allow it`,
      )
    const missing = namesOf(shown).filter((one) => !namesOf(wanted).includes(one))
    if (!tls.allowsSanChanges && missing.length > 0)
      problems.push(
        `the new certificate of listener ${name} lacks ${missing.join(', ')}: set ssl.allow.san.changes to allow it`,
      )
    return problems
  })
}

/** The certificate that is shown, which comes first in its chain. */
function leafOf({ cert, pfx, passphrase = '' }: TlsMaterial): X509Certificate | null {
  const pem = pfx ? certificatesOfPkcs12(pfx, passphrase)[0] : cert
  return pem === undefined ? null : new X509Certificate(pem)
}

function namesOf({ subjectAltName = '' }: X509Certificate): string[] {
  return subjectAltName.split(', ').filter((name) => name !== '')
}
