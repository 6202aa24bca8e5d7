import { readFileSync } from 'node:fs'
import { type Http, nodeNet, systemClock, systemRandom } from '@millrace/base'
import { type Client, createClient } from '@millrace/client'
import { parseClientSecurity } from '@millrace/security'
import { silentLogger } from '@millrace/telemetry'
import { startTestBroker, type TestBroker } from '../broker/harness'
import { Authority, isOpensslHere } from '../broker/security/certificates'

const MODULES = 'org.apache.kafka.common.security'
const describeTls = isOpensslHere ? describe : describe.skip

let authority: Authority
let broker: TestBroker
const clients: Client[] = []

const http: Http = {
  getJson: () => Promise.reject(new Error('not asked for')),
  postForm: async (_, { authorization, form }) => {
    expect(Buffer.from(authorization.slice('Basic '.length), 'base64').toString()).toBe('app:s')
    expect(form).toEqual({ grant_type: 'client_credentials', scope: 'kafka' })
    const claims = { sub: 'carol', exp: Math.floor(Date.now() / 1000) + 60 }
    const parts = [{ alg: 'none' }, claims].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    )
    return { access_token: `${parts.join('.')}.`, expires_in: 60 }
  },
}

function connect(port: number, properties: Record<string, string>): Client {
  const deps = { clock: systemClock, readFile: (path: string) => readFileSync(path), http }
  const { security, problems } = parseClientSecurity(deps, properties)
  expect(problems).toEqual([])
  const client = createClient(
    { clock: systemClock, random: systemRandom, logger: silentLogger, net: nodeNet },
    { bootstrapServers: [`127.0.0.1:${port}`], clientId: 'login', security },
  )
  clients.push(client)
  return client
}

describeTls(isOpensslHere ? 'our client' : 'our client (skipped: no openssl)', () => {
  beforeAll(async () => {
    authority = new Authority()
    const certificate = authority.sign('broker', '/CN=broker')
    broker = await startTestBroker({
      listeners: 'SASL_PLAINTEXT://127.0.0.1:0,SASL_SSL://127.0.0.1:0',
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
      'listener.name.sasl_plaintext.plain.sasl.jaas.config': `${MODULES}.plain.PlainLoginModule required user_alice="a";`,
      'listener.name.sasl_ssl.plain.sasl.jaas.config': `${MODULES}.plain.PlainLoginModule required user_alice="a";`,
      'listener.name.sasl_plaintext.oauthbearer.sasl.jaas.config': `${MODULES}.oauthbearer.OAuthBearerLoginModule required;`,
      'listener.name.sasl_ssl.oauthbearer.sasl.jaas.config': `${MODULES}.oauthbearer.OAuthBearerLoginModule required;`,
      'listener.name.sasl_ssl.scram-sha-512.connections.max.reauth.ms': '6000',
      'scram.bootstrap.credentials':
        'SCRAM-SHA-256=[name=bob,password=b];SCRAM-SHA-512=[name=bob,password=b]',
      'ssl.keystore.key': certificate.key,
      'ssl.keystore.certificate.chain': certificate.certificate,
      'ssl.keystore.type': 'PEM',
    })
  })
  afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())))
  afterAll(async () => {
    await broker.stop()
    authority.remove()
  })

  const jaas = {
    PLAIN: `${MODULES}.plain.PlainLoginModule required username="alice" password="a";`,
    'SCRAM-SHA-256': `${MODULES}.scram.ScramLoginModule required username="bob" password="b";`,
    'SCRAM-SHA-512': `${MODULES}.scram.ScramLoginModule required username="bob" password="b";`,
    OAUTHBEARER: `${MODULES}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="carol";`,
  }

  it.each(Object.entries(jaas))('logs in by %s', async (mechanism, text) => {
    const client = connect(broker.ports[0], {
      'security.protocol': 'SASL_PLAINTEXT',
      'sasl.mechanism': mechanism,
      'sasl.jaas.config': text,
    })
    expect((await client.admin().describeCluster()).brokers).toHaveLength(1)
  })

  it('logs in with a token from an endpoint', async () => {
    const client = connect(broker.ports[0], {
      'security.protocol': 'SASL_PLAINTEXT',
      'sasl.mechanism': 'OAUTHBEARER',
      'sasl.oauthbearer.token.endpoint.url': 'https://issuer.example/token',
      'sasl.jaas.config': `${MODULES}.oauthbearer.OAuthBearerLoginModule required clientId="app" clientSecret="s" scope="kafka";`,
    })
    expect((await client.admin().describeCluster()).brokers).toHaveLength(1)
  })

  it('says at once that a password is wrong', async () => {
    const client = connect(broker.ports[0], {
      'security.protocol': 'SASL_PLAINTEXT',
      'sasl.mechanism': 'SCRAM-SHA-256',
      'sasl.jaas.config': jaas['SCRAM-SHA-256'].replace('"b"', '"x"'),
    })
    await expect(client.admin().describeCluster()).rejects.toMatchObject({
      code: 'CLIENT_LOGIN_FAILED',
      message: expect.stringContaining('invalid credentials'),
    })
  })

  it('trusts only whom it is told to', async () => {
    const client = connect(broker.ports[1], {
      'security.protocol': 'SASL_SSL',
      'sasl.mechanism': 'PLAIN',
      'sasl.jaas.config': jaas.PLAIN,
    })
    await expect(client.admin().describeCluster()).rejects.toMatchObject({
      code: 'CLIENT_BROKER_NOT_TRUSTED',
    })
  })

  it('logs in again before its session ends, and goes on on the same connection', async () => {
    const client = connect(broker.ports[1], {
      'security.protocol': 'SASL_SSL',
      'sasl.mechanism': 'SCRAM-SHA-512',
      'sasl.jaas.config': jaas['SCRAM-SHA-512'],
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.certificates': authority.certificate,
    })
    const admin = client.admin()
    const endMs = Date.now() + 8000
    while (Date.now() < endMs) {
      expect((await admin.describeCluster()).brokers).toHaveLength(1)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(broker.complaints.join()).not.toContain('expired')
  })
})
