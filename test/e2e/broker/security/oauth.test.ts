import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Admin } from '@platformatic/kafka'
import { exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from 'jose'
import { Kafka, logLevel } from 'kafkajs'
import { startTestBroker, type TestBroker } from '../harness'

// Tokens of an issuer with a key set behind HTTP, and clients that are not ours.

let issuer: Server
let broker: TestBroker
let sign: (claims?: object) => Promise<string>
let fetches = 0

beforeAll(async () => {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const keys: JSONWebKeySet = {
    keys: [{ ...(await exportJWK(publicKey)), kid: '1', alg: 'RS256' }],
  }
  issuer = createServer((_, response) => {
    fetches += 1
    response.setHeader('content-type', 'application/json').end(JSON.stringify(keys))
  })
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`
  sign = (claims = {}) => {
    const nowSeconds = Math.floor(Date.now() / 1000)
    const times = { iat: nowSeconds, exp: nowSeconds + 60 }
    return new SignJWT({ sub: 'carol', iss: url, aud: 'kafka', ...times, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: '1' })
      .sign(privateKey)
  }
  broker = await startTestBroker({
    listeners: 'SASL_PLAINTEXT://127.0.0.1:0',
    'sasl.enabled.mechanisms': 'OAUTHBEARER',
    'listener.name.sasl_plaintext.oauthbearer.sasl.server.callback.handler.class':
      'org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler',
    'listener.name.sasl_plaintext.oauthbearer.sasl.jaas.config':
      'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;',
    'sasl.oauthbearer.jwks.endpoint.url': `${url}/keys`,
    'sasl.oauthbearer.expected.issuer': url,
    'sasl.oauthbearer.expected.audience': 'kafka',
    'sasl.oauthbearer.clock.skew.seconds': '0',
  })
})
afterAll(async () => {
  await broker.stop()
  issuer.close()
})

const kafkajs = (token: () => Promise<string>) =>
  new Kafka({
    brokers: [broker.bootstrap],
    sasl: {
      mechanism: 'oauthbearer',
      oauthBearerProvider: async () => ({ value: await token() }),
    },
    retry: { retries: 0 },
    logLevel: logLevel.NOTHING,
  }).admin()

describe('OAUTHBEARER with a key set', () => {
  it('lets kafkajs in, and fetches the keys once', async () => {
    for (let times = 0; times < 2; times++) {
      const admin = kafkajs(sign)
      await admin.connect()
      expect((await admin.describeCluster()).brokers).toHaveLength(1)
      await admin.disconnect()
    }
    expect(fetches).toBe(1)
  })

  it('lets @platformatic/kafka in', async () => {
    const token = await sign()
    const admin = new Admin({
      clientId: 'oauth',
      bootstrapBrokers: [broker.bootstrap],
      sasl: { mechanism: 'OAUTHBEARER', token },
    })
    expect(await admin.listTopics()).toEqual([])
    await admin.close()
  })

  it.each([
    ['an expired token', () => sign({ exp: Math.floor(Date.now() / 1000) - 1 })],
    ['a token for somebody else', () => sign({ aud: 'else' })],
    [
      'an unsigned token',
      async () => {
        const parts = [{ alg: 'none' }, { sub: 'carol', exp: 4e9, iat: 1, aud: 'kafka' }]
        const encoded = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        return `${encoded.join('.')}.x`
      },
    ],
  ])('keeps %s out, and says why in the log', async (_, token) => {
    const before = broker.complaints.length
    const admin = kafkajs(token)
    // kafkajs does not read why it is refused: it goes on, and its next request closes the connection.
    await admin.connect()
    await expect(admin.describeCluster()).rejects.toThrow(/No brokers|closed/)
    await admin.disconnect()
    expect(broker.complaints.slice(before).join('\n')).toContain('token refused')
  })
})
