import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { startTestBroker, type TestBroker } from '../harness'
import { Authority, isOpensslHere } from './certificates'

// librdkafka's own client: every C, Python, Go and .NET application logs in as it does.
const missing = [
  ...(spawnSync('kcat', ['-V']).error === undefined ? [] : ['kcat']),
  ...(isOpensslHere ? [] : ['openssl']),
]
const describeKcat = missing.length === 0 ? describe : describe.skip

const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required'

let authority: Authority
let broker: TestBroker

async function kcat(
  port: number,
  settings: Record<string, string>,
  args: readonly string[],
  input = '',
): Promise<{ code: number; output: string; complaints: string }> {
  const options = Object.entries(settings).flatMap(([key, value]) => ['-X', `${key}=${value}`])
  const child = spawn('kcat', ['-b', `127.0.0.1:${port}`, ...options, ...args])
  let output = ''
  let complaints = ''
  child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)))
  child.stderr.on('data', (chunk: Buffer) => (complaints += String(chunk)))
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number]
  return { code, output, complaints }
}

/** Writes a line and reads it again. */
async function roundTrip(port: number, settings: Record<string, string>, topic: string) {
  const produced = await kcat(port, settings, ['-P', '-t', topic], 'a line\n')
  if (produced.code !== 0) return produced
  return kcat(port, settings, ['-C', '-t', topic, '-o', 'beginning', '-c', '1', '-q'])
}

describeKcat(
  missing.length === 0 ? 'kcat with a login' : `kcat with a login (skipped: no ${missing.join()})`,
  () => {
    beforeAll(async () => {
      authority = new Authority()
      const { keyFile, certificateFile } = authority.sign('broker', '/CN=broker')
      const combined = authority.path('broker-both.pem')
      const { readFileSync, writeFileSync } = await import('node:fs')
      writeFileSync(combined, readFileSync(keyFile, 'utf8') + readFileSync(certificateFile, 'utf8'))
      broker = await startTestBroker({
        listeners:
          'SASL_PLAINTEXT://127.0.0.1:0,SSL://127.0.0.1:0,SASL_SSL://127.0.0.1:0,MUTUAL://127.0.0.1:0',
        'listener.security.protocol.map':
          'SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,MUTUAL:SSL',
        'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
        'listener.name.sasl_plaintext.plain.sasl.jaas.config': `${PLAIN} user_alice="a secret";`,
        'listener.name.sasl_ssl.plain.sasl.jaas.config': `${PLAIN} user_alice="a secret";`,
        'scram.bootstrap.credentials':
          'SCRAM-SHA-256=[name=bob,password=hunter2];SCRAM-SHA-512=[name=bob,password=hunter3]',
        'ssl.keystore.type': 'PEM',
        'ssl.keystore.location': combined,
        'ssl.truststore.type': 'PEM',
        'ssl.truststore.location': authority.certificateFile,
        'listener.name.mutual.ssl.client.auth': 'required',
      })
    })
    afterAll(async () => {
      await broker.stop()
      authority.remove()
    })

    const mechanisms: [string, string, string][] = [
      ['PLAIN', 'alice', 'a secret'],
      ['SCRAM-SHA-256', 'bob', 'hunter2'],
      ['SCRAM-SHA-512', 'bob', 'hunter3'],
    ]

    it.each(mechanisms)('writes and reads after a login by %s', async (mechanism, name, secret) => {
      const settings = {
        'security.protocol': 'SASL_PLAINTEXT',
        'sasl.mechanisms': mechanism,
        'sasl.username': name,
        'sasl.password': secret,
      }
      const { output } = await roundTrip(broker.ports[0], settings, `plain-${mechanism}`)
      expect(output).toBe('a line\n')
    })

    it.each(mechanisms)('is told of a wrong password by %s', async (mechanism, name) => {
      const settings = {
        'security.protocol': 'SASL_PLAINTEXT',
        'sasl.mechanisms': mechanism,
        'sasl.username': name,
        'sasl.password': 'mistyped',
      }
      const { code, complaints } = await kcat(broker.ports[0], settings, ['-L', '-m', '3'])
      expect(code).not.toBe(0)
      expect(complaints).toMatch(/[Aa]uthentication failed/)
      expect(broker.complaints.at(-1)).toContain('login failed')
      expect(broker.complaints.join()).not.toContain('mistyped')
    })

    it('writes and reads over TLS, with a login and without', async () => {
      const tls = { 'security.protocol': 'SSL', 'ssl.ca.location': authority.certificateFile }
      expect((await roundTrip(broker.ports[1], tls, 'tls')).output).toBe('a line\n')
      const both = {
        ...tls,
        'security.protocol': 'SASL_SSL',
        'sasl.mechanisms': 'SCRAM-SHA-512',
        'sasl.username': 'bob',
        'sasl.password': 'hunter3',
      }
      expect((await roundTrip(broker.ports[2], both, 'both')).output).toBe('a line\n')
    })

    it('needs a certificate where one is required', async () => {
      const { keyFile, certificateFile } = authority.sign('client', '/CN=client')
      const tls = { 'security.protocol': 'SSL', 'ssl.ca.location': authority.certificateFile }
      const certified = {
        ...tls,
        'ssl.key.location': keyFile,
        'ssl.certificate.location': certificateFile,
      }
      expect((await roundTrip(broker.ports[3], certified, 'mutual')).output).toBe('a line\n')
      const { code } = await kcat(broker.ports[3], tls, ['-L', '-m', '3'])
      expect(code).not.toBe(0)
      expect(broker.complaints.at(-1)).toContain('TLS handshake failed')
    })
  },
)
