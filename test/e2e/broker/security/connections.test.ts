import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { ApiKey } from '@millrace/wire'
import { RawClient, startTestBroker, type TestBroker } from '../harness'

const metadata = { topics: [] }
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

let broker: TestBroker
const sockets: (Socket | RawClient)[] = []

async function open(port = broker.port): Promise<RawClient> {
  const client = await RawClient.open(port)
  sockets.push(client)
  return client
}

/** Whether the broker answers on this connection within a moment. */
async function isServed(client: RawClient): Promise<boolean> {
  client.send(ApiKey.Metadata, 9, metadata)
  return Promise.race([
    client.nextFrame().then((frame) => frame !== null),
    sleep(200).then(() => false),
  ])
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) {
    if (socket instanceof RawClient) socket.close()
    else socket.destroy()
  }
  await broker.stop()
})

describe('limits on connections', () => {
  it('let further ones wait until one is closed (max.connections)', async () => {
    broker = await startTestBroker({ 'max.connections': '2' })
    const [first, second, third] = [await open(), await open(), await open()]
    expect(await isServed(first)).toBe(true)
    expect(await isServed(second)).toBe(true)
    third.send(ApiKey.Metadata, 9, metadata)
    const answer = third.nextFrame()
    expect(await Promise.race([answer, sleep(200)])).toBeUndefined()
    first.close()
    expect(await answer).not.toBeNull()
  })

  it('hold for one listener where they name it', async () => {
    broker = await startTestBroker({
      listeners: 'SMALL://127.0.0.1:0,PLAINTEXT://127.0.0.1:0',
      'listener.security.protocol.map': 'SMALL:PLAINTEXT,PLAINTEXT:PLAINTEXT',
      'listener.name.small.max.connections': '1',
    })
    expect(await isServed(await open(broker.ports[0]))).toBe(true)
    expect(await isServed(await open(broker.ports[0]))).toBe(false)
    expect(await isServed(await open(broker.ports[1]))).toBe(true)
  })

  it('close those of an address that has too many (max.connections.per.ip)', async () => {
    broker = await startTestBroker({
      'max.connections.per.ip': '100',
      'max.connections.per.ip.overrides': '127.0.0.1:1',
    })
    const first = await open()
    expect(await isServed(first)).toBe(true)
    const second = await open()
    expect(await second.nextFrame()).toBeNull()
    expect(broker.complaints).toEqual([expect.stringContaining('too many from this address')])
    first.close()
    await sleep(50)
    expect(await isServed(await open())).toBe(true)
  })

  it('refuse those that find no room to wait in', async () => {
    broker = await startTestBroker({ 'max.connections': '1', 'socket.listen.backlog.size': '1' })
    expect(await isServed(await open())).toBe(true)
    await open()
    await sleep(20)
    expect(await (await open()).nextFrame()).toBeNull()
  })

  it('count those that wait no more once they have gone', async () => {
    broker = await startTestBroker({ 'max.connections': '1' })
    const first = await open()
    const impatient = await open()
    await sleep(20)
    impatient.close()
    const patient = await open()
    first.close()
    expect(await isServed(patient)).toBe(true)
  })
})

describe('limits on the rate of new connections (max.connection.creation.rate)', () => {
  const versions = (client: RawClient) => client.ask(ApiKey.ApiVersions, 0, {})
  /** What ten samples of one second allow at one per second. */
  const openFree = async (port?: number) => {
    for (let count = 0; count < 10; count++) await versions(await open(port))
  }

  it('let further ones in later, in the order in which they came', async () => {
    broker = await startTestBroker({ 'max.connection.creation.rate': '1' })
    await openFree()
    const startMs = performance.now()
    const answered: number[] = []
    const clients = [await open(), await open(), await open()]
    const late = clients.map((one, at) => versions(one).then(() => answered.push(at)))
    await Promise.all(late)
    expect(performance.now() - startMs).toBeGreaterThan(1000) // about a second for each
    expect(answered).toEqual([0, 1, 2])
    expect(broker.complaints).toEqual([])
  })

  it('hold for one listener where they name it, from the moment they are set', async () => {
    broker = await startTestBroker({
      listeners: 'SMALL://127.0.0.1:0,PLAINTEXT://127.0.0.1:0',
      'listener.security.protocol.map': 'SMALL:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    })
    const [small, other] = broker.ports
    const admin = await open(other)
    const [name, value] = ['listener.name.small.max.connection.creation.rate', '1']
    const { responses } = await admin.ask(ApiKey.IncrementalAlterConfigs, 1, {
      resources: [
        {
          resourceType: 4,
          resourceName: '1',
          configs: [{ name, configOperation: 0, value }],
        },
      ],
      validateOnly: false,
    })
    expect(responses[0].errorCode).toBe(0)
    await openFree(small)
    for (let count = 0; count < 3; count++) await open(small)
    const fromLast = versions(await open(small)).then(() => 'the last one')
    const fromOther = versions(await open(other)).then(() => 'the other listener')
    expect(await Promise.race([fromLast, fromOther])).toBe('the other listener')
    expect(await fromLast).toBe('the last one')
  })
})

describe('connections.max.idle.ms', () => {
  it('closes a connection on which nothing moves, and no other', async () => {
    broker = await startTestBroker({ 'connections.max.idle.ms': '400' })
    const [idle, busy] = [await open(), await open()]
    expect(await isServed(idle)).toBe(true)
    const startMs = Date.now()
    let closedAfterMs: number | undefined
    while (!idle.isClosed || Date.now() - startMs < 900) {
      if (idle.isClosed) closedAfterMs ??= Date.now() - startMs
      expect(await isServed(busy)).toBe(true)
      await sleep(50)
    }
    expect(closedAfterMs).toBeGreaterThanOrEqual(390)
  })

  it('closes a connection that has never said anything', async () => {
    broker = await startTestBroker({ 'connections.max.idle.ms': '200' })
    const socket = connect({ host: '127.0.0.1', port: broker.port })
    sockets.push(socket)
    socket.resume()
    await once(socket, 'close')
    expect(broker.complaints).toEqual([])
  })
})
