/** The listeners with TLS and SASL that every broker under test gets, and what a client needs to use them. */
import { execFileSync, spawnSync } from 'node:child_process'
import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExtraListener } from '../peers/apache-kafka.ts'
import { freePorts } from '../peers/free-ports.ts'
import { addScramUser, type ScramCredential } from './direct.ts'

const SCRAM_ITERATIONS = 4096
/** Numbers of the mechanisms in AlterUserScramCredentials, and their hashes. */
const SCRAM_MECHANISMS = [
  { mechanism: 1, digest: 'sha256', bytes: 32 },
  { mechanism: 2, digest: 'sha512', bytes: 64 },
] as const

export interface Secured {
  readonly listeners: readonly ExtraListener[]
  /** Lines of server.properties. */
  readonly properties: Readonly<Record<string, string>>
  /** Bootstrap servers by kind. */
  readonly bootstrap: { readonly sasl: string; readonly tls: string; readonly saslTls: string }
  readonly user: { readonly username: string; readonly password: string }
  /** Certificate authority, PEM. */
  readonly caFile: string
  /** Makes the user known for SCRAM. */
  addUser(bootstrap: string): Promise<void>
  remove(): void
}

/** Null on a machine without openssl, which makes the certificates. */
export async function secure(): Promise<Secured | null> {
  if (spawnSync('openssl', ['version']).error) return null
  const directory = mkdtempSync(join(tmpdir(), 'millrace-compat-tls-'))
  const { caFile, serverFile } = makeCertificates(directory)
  const user = { username: 'compat', password: `p-${randomBytes(9).toString('hex')}` }
  const [sasl, tls, saslTls] = await freePorts(3)
  const login = (module: string, rest = '') =>
    `org.apache.kafka.common.security.${module} required${rest};`
  const scram = login('scram.ScramLoginModule')
  const plain = login('plain.PlainLoginModule', ` user_${user.username}="${user.password}"`)
  const properties: Record<string, string> = {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': serverFile,
  }
  for (const name of ['sasl', 'sasltls']) {
    properties[`listener.name.${name}.plain.sasl.jaas.config`] = plain
    properties[`listener.name.${name}.scram-sha-256.sasl.jaas.config`] = scram
    properties[`listener.name.${name}.scram-sha-512.sasl.jaas.config`] = scram
  }
  return {
    listeners: [
      { name: 'SASL', port: sasl, protocol: 'SASL_PLAINTEXT' },
      { name: 'TLS', port: tls, protocol: 'SSL' },
      { name: 'SASLTLS', port: saslTls, protocol: 'SASL_SSL' },
    ],
    properties,
    bootstrap: {
      sasl: `127.0.0.1:${sasl}`,
      tls: `127.0.0.1:${tls}`,
      saslTls: `127.0.0.1:${saslTls}`,
    },
    user,
    caFile,
    async addUser(bootstrap) {
      for (const credential of scramCredentials(user.password))
        await addScramUser(bootstrap, user.username, credential)
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}

function scramCredentials(password: string): ScramCredential[] {
  return SCRAM_MECHANISMS.map(({ mechanism, digest, bytes }) => {
    const salt = randomBytes(16)
    const saltedPassword = pbkdf2Sync(password, salt, SCRAM_ITERATIONS, bytes, digest)
    return { mechanism, iterations: SCRAM_ITERATIONS, salt, saltedPassword }
  })
}

/** An authority, and a certificate for 127.0.0.1 and localhost in one file with its key, as a PEM keystore has it. */
function makeCertificates(directory: string): { caFile: string; serverFile: string } {
  const file = (name: string) => join(directory, name)
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const newKey = ['-newkey', 'rsa:2048', '-nodes']
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca.pem'),
    '-days',
    '2',
    '-subj',
    '/CN=compat CA',
  )
  openssl(
    'req',
    ...newKey,
    '-keyout',
    file('server.key'),
    '-out',
    file('server.csr'),
    '-subj',
    '/CN=localhost',
  )
  writeFileSync(file('san'), 'subjectAltName=DNS:localhost,IP:127.0.0.1')
  const authority = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial']
  openssl(
    'x509',
    '-req',
    '-in',
    file('server.csr'),
    ...authority,
    '-out',
    file('server.crt'),
    '-days',
    '2',
    '-extfile',
    file('san'),
  )
  const key = openssl('pkcs8', '-topk8', '-nocrypt', '-in', file('server.key'))
  const chain = openssl('x509', '-in', file('server.crt'))
  writeFileSync(file('server.pem'), Buffer.concat([key, chain]), { mode: 0o600 })
  return { caFile: file('ca.pem'), serverFile: file('server.pem') }
}
