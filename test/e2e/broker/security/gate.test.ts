import { ApiKey, ErrorCode } from '@millrace/wire'
import { RawClient, startTestBroker, type TestBroker } from '../harness'
import { PLAIN_MODULE, plainLogin, scramLogin } from './login'

const FAILURE_DELAY_MS = 100

let broker: TestBroker
const clients: RawClient[] = []

async function open(port = broker.ports[0]): Promise<RawClient> {
  const client = await RawClient.open(port)
  clients.push(client)
  return client
}

const metadata = { topics: [] }
const countedLogins = (end: string) =>
  broker.metric(
    `kafka_server_socketservermetrics_${end}_authentication_total{listener="SHORT",network_processor="0"}`,
  )
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

beforeAll(async () => {
  const users = `${PLAIN_MODULE} user_alice="a" user_bob="b";`
  broker = await startTestBroker({
    listeners: 'SASL_PLAINTEXT://127.0.0.1:0,SHORT://127.0.0.1:0,PLAINTEXT://127.0.0.1:0',
    'listener.security.protocol.map':
      'SASL_PLAINTEXT:SASL_PLAINTEXT,SHORT:SASL_PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256',
    'listener.name.sasl_plaintext.plain.sasl.jaas.config': users,
    'listener.name.short.plain.sasl.jaas.config': users,
    'listener.name.short.connections.max.reauth.ms': '1500',
    'scram.bootstrap.credentials': 'SCRAM-SHA-256=[name=alice,password=a]',
    'sasl.server.max.receive.size': '10000',
    'connection.failed.authentication.delay.ms': String(FAILURE_DELAY_MS),
  })
})
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})
afterAll(() => broker.stop())

describe('before a login', () => {
  it('tells its versions once, and then wants a handshake', async () => {
    const client = await open()
    const names = { clientSoftwareName: 'raw', clientSoftwareVersion: '1' }
    const { errorCode } = await client.ask(ApiKey.ApiVersions, 4, names)
    expect(errorCode).toBe(ErrorCode.NONE)
    client.send(ApiKey.ApiVersions, 4, names)
    expect(await client.nextFrame()).toBeNull()
  })

  it('tells a client of the future its versions, and then again', async () => {
    const client = await open()
    const future = Buffer.from('0000000b0012007f00000007ffff00', 'hex')
    client.sendBytes(future)
    expect((await client.nextFrame())!.readInt16BE(4)).toBe(ErrorCode.UNSUPPORTED_VERSION)
    expect((await client.ask(ApiKey.ApiVersions, 0, {})).errorCode).toBe(ErrorCode.NONE)
    expect((await plainLogin(client, 'alice', 'a')).errorCode).toBe(ErrorCode.NONE)
  })

  it('closes the connection on any other request, with one line in the log (SEC-4)', async () => {
    const client = await open()
    const before = broker.complaints.length
    client.send(ApiKey.Metadata, 9, metadata)
    expect(await client.nextFrame()).toBeNull()
    expect(broker.complaints.slice(before)).toEqual([
      expect.stringContaining('a Metadata request came before a login'),
    ])
  })

  it('closes the connection on an authentication without a handshake', async () => {
    const client = await open()
    client.send(ApiKey.SaslAuthenticate, 2, { authBytes: Buffer.from('\0alice\0a') })
    expect(await client.nextFrame()).toBeNull()
  })

  it('refuses frames that only a client that has logged in may send', async () => {
    const client = await open()
    client.sendBytes(Buffer.from([0, 0, 0x27, 0x11])) // 10,001 bytes
    expect(await client.nextFrame()).toBeNull()
    const other = await open()
    await plainLogin(other, 'alice', 'a')
    const topics = Array.from({ length: 2000 }, (_, at) => ({ name: `topic-${at}` }))
    const answer = await other.ask(ApiKey.Metadata, 9, { topics, allowAutoTopicCreation: false })
    expect(answer.topics).toHaveLength(2000)
  })

  it('closes the connection on bytes that are no requests at all', async () => {
    for (const bytes of [
      'GET / HTTP/1.1\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01\x00',
      '\0\0\0\x02ab',
    ]) {
      const client = await open()
      client.sendBytes(Buffer.from(bytes, 'latin1'))
      expect(await client.nextFrame()).toBeNull()
    }
  })

  it('says which mechanisms there are to a client that wants another, late, and closes', async () => {
    const client = await open()
    const sentMs = Date.now()
    const answer = await client.ask(ApiKey.SaslHandshake, 1, { mechanism: 'GSSAPI' })
    expect(answer).toEqual({
      errorCode: ErrorCode.UNSUPPORTED_SASL_MECHANISM,
      mechanisms: ['PLAIN', 'SCRAM-SHA-256'],
    })
    expect(Date.now() - sentMs).toBeGreaterThanOrEqual(FAILURE_DELAY_MS - 5)
    expect(await client.nextFrame()).toBeNull()
  })

  it('answers a request between handshake and login with ILLEGAL_SASL_STATE, and closes', async () => {
    const client = await open()
    await client.ask(ApiKey.SaslHandshake, 1, { mechanism: 'PLAIN' })
    const answer = await client.ask(ApiKey.ListGroups, 4, { statesFilter: [] })
    expect(answer.errorCode).toBe(ErrorCode.ILLEGAL_SASL_STATE)
    expect(await client.nextFrame()).toBeNull()
  })
})

describe('a login', () => {
  it('works with all its messages sent at once', async () => {
    const client = await open()
    client.send(ApiKey.ApiVersions, 0, {})
    client.send(ApiKey.SaslHandshake, 1, { mechanism: 'PLAIN' })
    client.send(ApiKey.SaslAuthenticate, 1, { authBytes: Buffer.from('\0alice\0a') })
    client.send(ApiKey.Metadata, 9, metadata)
    await client.receive(ApiKey.ApiVersions, 0)
    await client.receive(ApiKey.SaslHandshake, 1)
    const { value } = await client.receive(ApiKey.SaslAuthenticate, 1)
    expect(value).toMatchObject({ errorCode: 0, errorMessage: null, sessionLifetimeMs: 0 })
    expect((await client.receive(ApiKey.Metadata, 9)).value.brokers).toHaveLength(1)
  })

  it('works without headers after a handshake of version 0', async () => {
    const client = await open()
    await client.ask(ApiKey.SaslHandshake, 0, { mechanism: 'PLAIN' })
    client.sendBytes(Buffer.from('\0\0\0\x08\0alice\0a', 'latin1'))
    expect(await client.nextFrame()).toEqual(Buffer.alloc(0))
    expect((await client.ask(ApiKey.Metadata, 9, metadata)).brokers).toHaveLength(1)
  })

  it('that fails without headers ends without a word', async () => {
    const client = await open()
    await client.ask(ApiKey.SaslHandshake, 0, { mechanism: 'PLAIN' })
    client.sendBytes(Buffer.from('\0\0\0\x08\0alice\0x', 'latin1'))
    expect(await client.nextFrame()).toBeNull()
  })

  it.each([
    ['PLAIN', 'Authentication failed: Invalid username or password'],
    [
      'SCRAM-SHA-256',
      'Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-256',
    ],
  ])(
    'by %s with a wrong password is refused late, with one line in the log',
    async (mechanism, text) => {
      const client = await open()
      const before = broker.complaints.length
      const sentMs = Date.now()
      const answer =
        mechanism === 'PLAIN'
          ? await plainLogin(client, 'alice', 'not-it')
          : await scramLogin(client, { name: 'alice', secret: 'not-it' })
      expect(answer).toMatchObject({
        errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED,
        errorMessage: text,
      })
      expect(Date.now() - sentMs).toBeGreaterThanOrEqual(FAILURE_DELAY_MS - 5)
      expect(await client.nextFrame()).toBeNull()
      expect(broker.complaints.slice(before)).toEqual([expect.stringContaining('login failed')])
      expect(broker.complaints.join()).not.toContain('not-it')
    },
  )

  it('says the same of a user that does not exist as of a wrong password', async () => {
    const wrong = await scramLogin(await open(), { name: 'alice', secret: 'x' })
    const unknown = await scramLogin(await open(), { name: 'nobody', secret: 'x' })
    expect(unknown).toEqual(wrong)
  })

  it('is not asked for again, and refused after one', async () => {
    const client = await open()
    await plainLogin(client, 'alice', 'a')
    const handshake = await client.ask(ApiKey.SaslHandshake, 1, { mechanism: 'PLAIN' })
    expect(handshake).toEqual({ errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms: [] })
    const authenticate = await client.ask(ApiKey.SaslAuthenticate, 2, {
      authBytes: Buffer.from('\0bob\0b'),
    })
    expect(authenticate.errorCode).toBe(ErrorCode.ILLEGAL_SASL_STATE)
  })

  it('that its client gives up leaves nothing behind', async () => {
    const before = broker.complaints.length
    const client = await open()
    await client.ask(ApiKey.SaslHandshake, 1, { mechanism: 'PLAIN' })
    client.sendBytes(Buffer.from([0, 0, 0]))
    client.close()
    const failing = await open()
    await failing.ask(ApiKey.SaslHandshake, 1, { mechanism: 'PLAIN' })
    failing.send(ApiKey.SaslAuthenticate, 2, { authBytes: Buffer.from('\0bob\0x') })
    failing.close()
    await sleep(FAILURE_DELAY_MS * 2)
    expect(broker.complaints.slice(before).join('\n')).not.toMatch(/ERROR/)
  })
})

describe('a session that ends (connections.max.reauth.ms)', () => {
  it('closes the connection at the first request after its end', async () => {
    const client = await open(broker.ports[1])
    const { sessionLifetimeMs } = await plainLogin(client, 'alice', 'a')
    expect(sessionLifetimeMs).toBe(1500)
    expect((await client.ask(ApiKey.Metadata, 9, metadata)).brokers).toHaveLength(1)
    await sleep(1600)
    expect(client.isClosed).toBe(false)
    client.send(ApiKey.Metadata, 9, metadata)
    expect(await client.nextFrame()).toBeNull()
  })

  it('goes on after another login, which may come late, but not more than once a second', async () => {
    const client = await open(broker.ports[1])
    await plainLogin(client, 'alice', 'a')
    const first = await countedLogins('successful')
    await sleep(1600)
    const again = await plainLogin(client, 'alice', 'a')
    expect(again).toMatchObject({ errorCode: ErrorCode.NONE, sessionLifetimeMs: 1500 })
    expect(await countedLogins('successful')).toBe(first) // Kafka counts it elsewhere
    expect((await client.ask(ApiKey.Metadata, 9, metadata)).brokers).toHaveLength(1)
    const { errorCode } = await client.ask(ApiKey.SaslHandshake, 1, { mechanism: 'PLAIN' })
    expect(errorCode).toBe(ErrorCode.ILLEGAL_SASL_STATE)
  })

  it('is counted with the logins of its listener, as are those that fail', async () => {
    const [succeeded, failed] = [await countedLogins('successful'), await countedLogins('failed')]
    expect((await plainLogin(await open(broker.ports[1]), 'alice', 'a')).errorCode).toBe(0)
    expect((await plainLogin(await open(broker.ports[1]), 'alice', 'x')).errorCode).not.toBe(0)
    expect([await countedLogins('successful'), await countedLogins('failed')]).toEqual([
      succeeded! + 1,
      failed! + 1,
    ])
  })

  it('cannot become the session of somebody else (SEC-4)', async () => {
    const client = await open(broker.ports[1])
    await plainLogin(client, 'alice', 'a')
    const answer = await plainLogin(client, 'bob', 'b')
    expect(answer).toMatchObject({
      errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED,
      errorMessage: 'Cannot change principals during re-authentication from User.alice: User.bob',
    })
    expect(await client.nextFrame()).toBeNull()
  })

  it('cannot go on once its user is taken away', async () => {
    const client = await open(broker.ports[1])
    await plainLogin(client, 'bob', 'b')
    const alter = (configOperation: number) =>
      client.ask(ApiKey.IncrementalAlterConfigs, 1, {
        resources: [
          { resourceType: 4, resourceName: '1', configs: [{ ...jaas, configOperation }] },
        ],
        validateOnly: false,
      })
    const jaas = {
      name: 'listener.name.short.plain.sasl.jaas.config',
      value: `${PLAIN_MODULE} user_alice="a";`,
    }
    expect((await alter(0)).responses[0]).toMatchObject({ errorCode: 0, errorMessage: null })
    const answer = await plainLogin(client, 'bob', 'b')
    expect(answer.errorCode).toBe(ErrorCode.SASL_AUTHENTICATION_FAILED)
  })

  it('cannot go on by another mechanism', async () => {
    const client = await open(broker.ports[1])
    await plainLogin(client, 'alice', 'a')
    const answer = await scramLogin(client, { name: 'alice', secret: 'a' })
    expect(answer).toMatchObject({
      errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED,
      errorMessage: expect.stringContaining('not supported for re-authentication of mechanism'),
    })
    expect(await client.nextFrame()).toBeNull()
  })
})

describe('a listener without SASL', () => {
  it('refuses to log anybody in', async () => {
    const client = await open(broker.ports[2])
    const { errorCode } = await client.ask(ApiKey.SaslHandshake, 1, { mechanism: 'PLAIN' })
    expect(errorCode).toBe(ErrorCode.ILLEGAL_SASL_STATE)
    expect((await client.ask(ApiKey.Metadata, 9, metadata)).brokers).toHaveLength(1)
  })
})
