import { boolean, list, oneOf, password, string } from '@millrace/config'

/** Keys of TLS that brokers and clients share, under Kafka's names; of a listener under `listener.name.NAME.` as well. */
export const tlsConfigDefinition = {
  keystoreType: string('ssl.keystore.type', {
    default: 'JKS',
    doc: 'PEM, PKCS12 or JKS. A JKS store is read if it is a PKCS12 file, as keytool writes them today.',
  }),
  keystoreLocation: string('ssl.keystore.location', {
    default: null,
    importance: 'HIGH',
    doc: 'File with the private key and its certificate chain.',
  }),
  keystorePassword: password('ssl.keystore.password', {
    default: null,
    importance: 'HIGH',
    doc: 'Password of the key store; a PEM file has none.',
  }),
  keyPassword: password('ssl.key.password', {
    default: null,
    importance: 'HIGH',
    doc: 'Password of the private key, if it is encrypted.',
  }),
  keystoreKey: password('ssl.keystore.key', {
    default: null,
    importance: 'HIGH',
    doc: 'The private key itself, PEM (PKCS#8).',
  }),
  keystoreCertificateChain: password('ssl.keystore.certificate.chain', {
    default: null,
    importance: 'HIGH',
    doc: 'The certificate chain itself, PEM.',
  }),
  truststoreType: string('ssl.truststore.type', {
    default: 'JKS',
    doc: 'PEM, PKCS12 or JKS, as for the key store.',
  }),
  truststoreLocation: string('ssl.truststore.location', {
    default: null,
    importance: 'HIGH',
    doc: 'File with the certificates that are trusted. Those of Node when absent.',
  }),
  truststorePassword: password('ssl.truststore.password', {
    default: null,
    importance: 'HIGH',
    doc: 'Password of the trust store; a PEM file has none.',
  }),
  truststoreCertificates: password('ssl.truststore.certificates', {
    default: null,
    importance: 'HIGH',
    doc: 'The certificates that are trusted themselves, PEM.',
  }),
  enabledProtocols: list('ssl.enabled.protocols', {
    default: ['TLSv1.2', 'TLSv1.3'],
    doc: 'Versions of TLS that are spoken.',
    check: (names) =>
      names.every((name) => PROTOCOLS.includes(name)) ? null : `of ${PROTOCOLS.join(', ')}`,
  }),
  cipherSuites: list('ssl.cipher.suites', {
    default: [],
    doc: 'Cipher suites by their IANA names (TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384). Those of Node when empty.',
  }),
}

/** Keys of the client's side. */
export const tlsClientConfigDefinition = {
  ...tlsConfigDefinition,
  endpointIdentification: string('ssl.endpoint.identification.algorithm', {
    default: 'https',
    doc: 'https checks that the certificate is that of the host; empty does not.',
    check: (name) => (name === '' || name.toLowerCase() === 'https' ? null : 'https, or empty'),
  }),
}

/** Keys of a listener. */
export const tlsServerConfigDefinition = {
  ...tlsConfigDefinition,
  clientAuth: oneOf('ssl.client.auth', ['none', 'requested', 'required'], {
    default: 'none',
    doc: 'Whether clients are asked for a certificate, and whether they must have one.',
  }),
  principalMappingRules: string('ssl.principal.mapping.rules', {
    default: 'DEFAULT',
    doc: 'How the name in a certificate becomes a user: RULE:pattern/replacement/[LU] and DEFAULT, the first that fits.',
  }),
  allowDnChanges: boolean('ssl.allow.dn.changes', {
    default: false,
    importance: 'LOW',
    doc: 'Whether a new certificate may have another name than the one it replaces.',
  }),
  allowSanChanges: boolean('ssl.allow.san.changes', {
    default: false,
    importance: 'LOW',
    doc: 'Whether a new certificate may lack alternative names of the one it replaces.',
  }),
}

/** The oldest first. */
export const PROTOCOLS: readonly string[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']
