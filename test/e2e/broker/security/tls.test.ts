import { connect } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { readFileSync, writeFileSync } from 'node:fs'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { RawClient, startTestBroker, type TestBroker } from '../harness'
import { Authority, isOpensslHere } from './certificates'

const describeTls = isOpensslHere ? describe : describe.skip

let authority: Authority
let stranger: Authority
let broker: TestBroker
const clients: RawClient[] = []

const listenerNames = ['SSL', 'MUTUAL', 'REQUESTED', 'PLAINTEXT', 'OLD', 'PKCS12'] as const
const portOf = (name: (typeof listenerNames)[number]) => broker.ports[listenerNames.indexOf(name)]
const metadata = { topics: [] }

async function open(port: number, tls?: ConnectionOptions): Promise<RawClient> {
  const client = await RawClient.open(port, tls && { ca: authority.certificate, ...tls })
  clients.push(client)
  return client
}

/** Whom the broker takes the client for: it tells in the answer to a request about tokens. */
async function principalOf(client: RawClient): Promise<string> {
  const request = { renewers: [], maxLifetimeMs: -1 }
  const { principalName } = await client.ask(ApiKey.CreateDelegationToken, 3, request)
  return principalName
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describeTls(isOpensslHere ? 'TLS' : 'TLS (skipped: no openssl)', () => {
  beforeAll(async () => {
    authority = new Authority()
    stranger = new Authority('Stranger')
    const certificate = authority.sign('broker', '/CN=broker')
    const both = authority.path('both.pem')
    writeFileSync(both, certificate.key + certificate.certificate)
    broker = await startTestBroker({
      listeners: listenerNames.map((name) => `${name}://127.0.0.1:0`).join(),
      'listener.security.protocol.map': listenerNames
        .map((name) => `${name}:${name === 'PLAINTEXT' ? name : 'SSL'}`)
        .join(),
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': both,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.certificates': authority.certificate,
      'listener.name.mutual.ssl.client.auth': 'required',
      'listener.name.mutual.ssl.principal.mapping.rules':
        'RULE:^CN=([^,]+),OU=Apps.*$/$1/L,DEFAULT',
      'listener.name.requested.ssl.client.auth': 'requested',
      'listener.name.requested.ssl.principal.mapping.rules': 'RULE:^CN=([^,]+),OU=Apps.*$/$1/',
      'listener.name.old.ssl.enabled.protocols': 'TLSv1.2',
      'listener.name.pkcs12.ssl.keystore.type': 'PKCS12',
      'listener.name.pkcs12.ssl.keystore.location': authority.pkcs12('broker', certificate, 'p'),
      'listener.name.pkcs12.ssl.keystore.password': 'p',
      'delegation.token.secret.key': 'secret',
    })
  })
  afterEach(() => {
    for (const client of clients.splice(0)) client.close()
  })
  afterAll(async () => {
    await broker.stop()
    authority.remove()
    stranger.remove()
  })

  const certified = (from: Authority, subject: string) => {
    const { key, certificate } = from.sign(`client-${subject.replaceAll(/\W/g, '')}`, subject)
    return { key, cert: certificate }
  }

  it.each(['SSL', 'OLD'] as const)('serves the %s listener', async (name) => {
    const client = await open(portOf(name), {})
    expect((await client.ask(ApiKey.Metadata, 9, metadata)).brokers).toHaveLength(1)
  })

  it('speaks only the versions that are enabled', async () => {
    await expect(open(portOf('OLD'), { minVersion: 'TLSv1.3' })).rejects.toThrow(/protocol version/)
    await expect(open(portOf('OLD'), { minVersion: 'TLSv1.2' })).resolves.toBeDefined()
  })

  it('knows a client by its certificate, through the rules', async () => {
    const app = await open(portOf('MUTUAL'), certified(authority, '/O=Mill/OU=Apps/CN=Billing'))
    expect(await principalOf(app)).toBe('billing')
    const other = await open(portOf('MUTUAL'), certified(authority, '/O=Mill/CN=Billing'))
    expect(await principalOf(other)).toBe('CN=Billing,O=Mill')
  })

  // A resumed session shows no certificate again: it must be that of the first time, or none.
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'knows a client that resumes a session of %s',
    async (version) => {
      const client = { ...certified(authority, '/OU=Apps/CN=again'), maxVersion: version }
      const tls = {
        host: '127.0.0.1',
        port: portOf('MUTUAL'),
        ca: authority.certificate,
        ...client,
      }
      const session = await new Promise<Buffer>((resolve, reject) => {
        const socket = connectTls(tls)
        socket.on('error', reject).on('session', (ticket: Buffer) => {
          resolve(ticket)
          socket.destroy()
        })
      })
      const resumed = await open(portOf('MUTUAL'), { ...client, session })
      expect(await principalOf(resumed)).toBe('again')
    },
  )

  it('knows nobody without a certificate, and makes no tokens for nobody', async () => {
    const client = await open(portOf('REQUESTED'), {})
    const request = { renewers: [], maxLifetimeMs: -1 }
    expect(await client.ask(ApiKey.CreateDelegationToken, 3, request)).toMatchObject({
      errorCode: ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED,
      principalName: 'ANONYMOUS',
    })
  })

  it.each([
    ['none where one is required', 'MUTUAL', () => ({})],
    ['one of a stranger', 'MUTUAL', () => certified(stranger, '/OU=Apps/CN=x')],
    [
      'one of a stranger where it need have none',
      'REQUESTED',
      () => certified(stranger, '/OU=Apps/CN=y'),
    ],
    ['one that no rule maps', 'REQUESTED', () => certified(authority, '/O=Mill/CN=z')],
  ] as const)(
    'closes the connection of a client with %s, and says so once',
    async (_, name, tls) => {
      const before = broker.complaints.length
      const client = await open(portOf(name), tls())
      client.send(ApiKey.Metadata, 9, metadata)
      expect(await client.nextFrame()).toBeNull()
      expect(broker.complaints.slice(before)).toEqual([
        expect.stringContaining('TLS handshake failed'),
      ])
    },
  )

  it('counts handshakes that succeed and those that fail', async () => {
    const counted = (end: string) =>
      broker.metric(
        `kafka_server_socketservermetrics_${end}_authentication_total{listener="MUTUAL",network_processor="0"}`,
      )
    const [succeeded, failed] = [await counted('successful'), await counted('failed')]
    await principalOf(await open(portOf('MUTUAL'), certified(authority, '/CN=counted')))
    const refused = await open(portOf('MUTUAL'), {})
    refused.send(ApiKey.Metadata, 9, metadata)
    expect(await refused.nextFrame()).toBeNull()
    expect([await counted('successful'), await counted('failed')]).toEqual([
      succeeded! + 1,
      failed! + 1,
    ])
  })

  it('closes a connection that speaks no TLS, and says so once', async () => {
    const before = broker.complaints.length
    const client = await open(portOf('SSL'))
    client.send(ApiKey.Metadata, 9, metadata)
    expect(await client.nextFrame()).toBeNull()
    expect(broker.complaints.slice(before)).toEqual([
      expect.stringContaining('TLS handshake failed'),
    ])
  })

  it('closes a connection that speaks TLS where there is none, and says so once', async () => {
    const before = broker.complaints.length
    await expect(open(portOf('PLAINTEXT'), {})).rejects.toThrow(/before secure TLS connection/)
    expect(broker.complaints.slice(before)).toEqual([
      expect.stringContaining('the client speaks TLS'),
    ])
  })

  it('outlives handshakes that are given up', async () => {
    const before = broker.complaints.length
    const hello = Buffer.from('16030100c8010000c40303', 'hex')
    for (const bytes of [Buffer.alloc(0), hello]) {
      const socket = connect({ host: '127.0.0.1', port: portOf('SSL') })
      socket.write(bytes)
      await sleep(30)
      socket.destroy()
    }
    await sleep(50)
    expect(broker.complaints.slice(before).join()).not.toContain('ERROR')
    const client = await open(portOf('SSL'), {})
    expect((await client.ask(ApiKey.Metadata, 9, metadata)).brokers).toHaveLength(1)
  })

  // The sockets below the TLS connections were cut with the listener.
  it('sends the answers that it owes when it stops', async () => {
    const stopping = await startTestBroker({
      listeners: 'SSL://127.0.0.1:0',
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': authority.path('both.pem'),
    })
    const client = await open(stopping.port, {})
    await client.ask(ApiKey.Metadata, 12, { topics: [{ name: 'quiet' }] })
    client.send(ApiKey.Fetch, 12, {
      maxWaitMs: 60_000,
      minBytes: 1,
      topics: [
        {
          topic: 'quiet',
          partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }],
        },
      ],
    })
    await sleep(100) // the fetch waits
    const [{ value }] = await Promise.all([client.receive(ApiKey.Fetch, 12), stopping.stop()])
    expect(value.responses[0].partitions[0].errorCode).toBe(0)
    expect(await client.nextFrame()).toBeNull()
  })

  it('shows another certificate once the config names one, to those who connect from then on', async () => {
    const client = await open(portOf('PKCS12'), {})
    const renew = async (name: string, subject: string) => {
      const file = stranger.pkcs12(name, stranger.sign(name, subject), 'q')
      const set = (key: string, value: string) => ({ name: key, configOperation: 0, value })
      const configs = [
        set('listener.name.pkcs12.ssl.keystore.location', file),
        set('listener.name.pkcs12.ssl.keystore.password', 'q'),
      ]
      const { responses } = await client.ask(ApiKey.IncrementalAlterConfigs, 1, {
        resources: [{ resourceType: 4, resourceName: '1', configs }],
        validateOnly: false,
      })
      return responses[0]
    }
    const refused = await renew('other', '/CN=another broker')
    expect(refused.errorCode).not.toBe(0)
    expect(refused.errorMessage).toContain('is of CN=broker, the new one of CN=another broker')
    expect(await renew('renewed', '/CN=broker')).toMatchObject({ errorCode: 0, errorMessage: null })
    await expect(open(portOf('PKCS12'), {})).rejects.toThrow(/certificate/)
    const trusting = { ca: readFileSync(stranger.certificateFile, 'utf8') }
    const other = await open(portOf('PKCS12'), trusting)
    expect((await other.ask(ApiKey.Metadata, 9, metadata)).brokers).toHaveLength(1)
    expect((await client.ask(ApiKey.Metadata, 9, metadata)).brokers).toHaveLength(1)
  })

  it('reads a key store again once its path is set again', async () => {
    const client = await open(portOf('PLAINTEXT'))
    const location = authority.path('both.pem')
    const show = async (signer: Authority) => {
      const { key, certificate } = signer.sign('again', '/CN=broker')
      writeFileSync(location, key + certificate)
      const name = 'listener.name.ssl.ssl.keystore.location'
      const configs = [{ name, configOperation: 0, value: location }]
      const { responses } = await client.ask(ApiKey.IncrementalAlterConfigs, 1, {
        resources: [{ resourceType: 4, resourceName: '1', configs }],
        validateOnly: false,
      })
      expect(responses[0]).toMatchObject({ errorCode: 0 })
    }
    await show(stranger)
    await expect(open(portOf('SSL'), {})).rejects.toThrow(/certificate/)
    await show(authority)
    const trusting = await open(portOf('SSL'), {})
    expect((await trusting.ask(ApiKey.Metadata, 9, metadata)).brokers).toHaveLength(1)
  })
})
