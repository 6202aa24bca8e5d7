import { createPrivateKey, X509Certificate } from 'node:crypto'
import { errorMessage } from '@millrace/base'
import type { ConfigOf, ConfigProblem, Password } from '@millrace/config'
import { PROTOCOLS, type tlsConfigDefinition } from './config'
import { certificatesOfPkcs12 } from './pkcs12'

const JKS_MAGIC = 0xfeedfeed
const DER_SEQUENCE = 0x30
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
const PEM_KEY = /-----BEGIN (?:\w+ )*PRIVATE KEY-----[^-]+-----END (?:\w+ )*PRIVATE KEY-----/

export type TlsConfig = ConfigOf<typeof tlsConfigDefinition>
/** Reads a file. @throws Node's error */
export type ReadFile = (path: string) => Buffer

/** Keys and certificates in the form that Node's TLS takes. */
export interface TlsMaterial {
  readonly key?: string
  readonly passphrase?: string
  readonly cert?: string
  readonly pfx?: Buffer
  /** PEM, one certificate each. Absent: those that Node trusts. */
  readonly ca?: readonly string[]
  readonly minVersion: TlsVersion
  readonly maxVersion: TlsVersion
  /** OpenSSL's names. */
  readonly ciphers?: string
}

type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'

/** Reads the stores that a configuration names, and checks that Node can use them. Reports every problem, never a secret. */
export function loadTlsMaterial(
  config: TlsConfig,
  readFile: ReadFile,
): { material: TlsMaterial; problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = []
  const attempt = <T>(key: string, load: () => T): T | undefined => {
    try {
      return load()
    } catch (error) {
      problems.push({ key, given: givenOf(config, key), expected: errorMessage(error) })
      return undefined
    }
  }
  const keys = attempt(keyOfKeystore(config), () => loadKeystore(config, readFile))
  const ca = attempt(keyOfTruststore(config), () => loadTruststore(config, readFile))
  const ciphers = attempt('ssl.cipher.suites', () => cipherList(config.cipherSuites))
  const { minVersion, maxVersion } = versionSpan(config.enabledProtocols)
  return {
    material: { ...keys, ...(ca && { ca }), ...(ciphers && { ciphers }), minVersion, maxVersion },
    problems,
  }
}

type KeyMaterial = Pick<TlsMaterial, 'key' | 'cert' | 'pfx' | 'passphrase'>

function loadKeystore(config: TlsConfig, readFile: ReadFile): KeyMaterial {
  const { keystoreLocation, keystoreKey, keystoreCertificateChain } = config
  if (keystoreKey || keystoreCertificateChain) {
    if (!keystoreKey || !keystoreCertificateChain)
      throw new Error('ssl.keystore.key and ssl.keystore.certificate.chain together')
    if (keystoreLocation !== null) throw new Error('either this or ssl.keystore.location')
    return pemKeys(keystoreKey.reveal(), keystoreCertificateChain.reveal(), config.keyPassword)
  }
  if (keystoreLocation === null) return {}
  const file = readStore(keystoreLocation, readFile)
  if (isPem(config.keystoreType, file)) {
    const text = file.toString('latin1')
    return pemKeys(text, text, config.keyPassword)
  }
  refuseUnlessPkcs12(file, keystoreLocation)
  return { pfx: file, passphrase: config.keystorePassword?.reveal() ?? '' }
}

function pemKeys(keyText: string, chainText: string, keyPassword: Password | null): KeyMaterial {
  const key = PEM_KEY.exec(keyText)?.[0]
  if (!key) throw new Error('a private key in PEM (PKCS#8)')
  const chain = pemCertificates(chainText)
  const passphrase = keyPassword?.reveal()
  const privateKey = createPrivateKey({ key, passphrase })
  if (!new X509Certificate(chain[0]).checkPrivateKey(privateKey))
    throw new Error('a certificate chain that begins with the certificate of the key')
  return { key, cert: chain.join('\n'), ...(passphrase !== undefined && { passphrase }) }
}

function loadTruststore(config: TlsConfig, readFile: ReadFile): readonly string[] | undefined {
  const { truststoreLocation, truststoreCertificates, truststorePassword } = config
  if (truststoreCertificates) {
    if (truststoreLocation !== null) throw new Error('either this or ssl.truststore.location')
    return pemCertificates(truststoreCertificates.reveal())
  }
  if (truststoreLocation === null) return undefined
  const file = readStore(truststoreLocation, readFile)
  if (isPem(config.truststoreType, file)) return pemCertificates(file.toString('latin1'))
  refuseUnlessPkcs12(file, truststoreLocation)
  const found = certificatesOfPkcs12(file, truststorePassword?.reveal() ?? '')
  if (found.length === 0) throw new Error('a trust store with certificates in it')
  return found
}

function pemCertificates(text: string): string[] {
  const found = text.match(PEM_CERTIFICATE)
  if (found === null) throw new Error('at least one certificate in PEM')
  for (const certificate of found) void new X509Certificate(certificate) // throws if it is none
  return [...found]
}

function readStore(path: string, readFile: ReadFile): Buffer {
  try {
    return readFile(path)
  } catch (cause) {
    throw new Error(`a file that can be read (${errorMessage(cause)})`, { cause })
  }
}

/** The type that is given counts for PEM; a file is told by its first bytes otherwise, as Java does it. */
function isPem(type: string, file: Buffer): boolean {
  return type.toUpperCase() === 'PEM' || file.includes('-----BEGIN ')
}

function refuseUnlessPkcs12(file: Buffer, path: string): void {
  if (file.length >= 4 && file.readUInt32BE(0) === JKS_MAGIC)
    throw new Error(
      `PKCS12 or PEM instead of JKS; convert it: keytool -importkeystore -srckeystore ${path} -destkeystore ${path}.p12 -deststoretype PKCS12`,
    )
  if (file[0] !== DER_SEQUENCE) throw new Error('a PKCS12 or PEM file')
}

function keyOfKeystore({ keystoreKey, keystoreCertificateChain }: TlsConfig): string {
  return keystoreKey || keystoreCertificateChain ? 'ssl.keystore.key' : 'ssl.keystore.location'
}

function keyOfTruststore({ truststoreCertificates }: TlsConfig): string {
  return truststoreCertificates ? 'ssl.truststore.certificates' : 'ssl.truststore.location'
}

/** What is shown of a value in a list of problems. */
function givenOf(config: TlsConfig, key: string): string {
  if (key === 'ssl.keystore.location') return config.keystoreLocation ?? ''
  if (key === 'ssl.truststore.location') return config.truststoreLocation ?? ''
  return key === 'ssl.cipher.suites' ? config.cipherSuites.join(',') : '[hidden]'
}

/** Node takes a span of versions: those between the oldest and the newest that are enabled. */
function versionSpan(enabled: readonly string[]): Pick<TlsMaterial, 'minVersion' | 'maxVersion'> {
  const sorted = PROTOCOLS.filter((name) => enabled.includes(name)) as TlsVersion[]
  return { minVersion: sorted[0] ?? 'TLSv1.2', maxVersion: sorted.at(-1) ?? 'TLSv1.3' }
}

/** From IANA's names to OpenSSL's; those of TLS 1.3 are the same. @throws Error for a name of neither kind */
function cipherList(suites: readonly string[]): string | undefined {
  if (suites.length === 0) return undefined
  return suites.map(opensslName).join(':')
}

function opensslName(suite: string): string {
  if (/^TLS_(?:AES|CHACHA20)_/.test(suite)) return suite
  const match = /^TLS_(?:(ECDHE|DHE)_)?(RSA|ECDSA)_WITH_(.+)$/.exec(suite)
  if (!match) {
    if (/^[A-Z0-9-]+$/.test(suite)) return suite
    throw new Error('cipher suites by their IANA names')
  }
  const [, exchange, authentication, cipher] = match
  const rest = cipher
    .replace(/AES_(\d+)_/, 'AES$1_')
    .replace(/_CBC_/, '_')
    .replace(/^CHACHA20_POLY1305_SHA256$/, 'CHACHA20_POLY1305')
    .replaceAll('_', '-')
  return [...(exchange ? [exchange, authentication] : []), rest].join('-')
}
