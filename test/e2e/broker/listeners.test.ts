import { createServer, type AddressInfo, type Server } from 'node:net'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { RawClient, startTestBroker, type TestBroker } from './harness'
import { until } from '../wait'

const BROKER = 4
const [SET, DELETE] = [0, 1]
const FIRST = 'PLAINTEXT://127.0.0.1:0'
const PROTOCOLS = 'PLAINTEXT:PLAINTEXT,NEW:PLAINTEXT,SECURE:SSL'

let broker: TestBroker
let client: RawClient

async function start(properties: Record<string, string> = {}): Promise<void> {
  const protocols = { 'listener.security.protocol.map': PROTOCOLS }
  broker = await startTestBroker({ listeners: FIRST, ...protocols, ...properties })
  client = await RawClient.open(broker.port)
}

afterEach(async () => {
  client.close()
  await broker.stop()
})

async function setListeners(value: string | null) {
  const configOperation = value === null ? DELETE : SET
  const { responses } = await client.ask(ApiKey.IncrementalAlterConfigs, 1, {
    resources: [
      {
        resourceType: BROKER,
        resourceName: '1',
        configs: [{ name: 'listeners', configOperation, value }],
      },
    ],
    validateOnly: false,
  })
  return responses[0]
}

async function brokersToldAt(port: number) {
  const other = await RawClient.open(port)
  const { brokers } = await other.ask(ApiKey.Metadata, 12, { topics: [] })
  other.close()
  return brokers.map(({ host, port: told }) => ({ host, port: told }))
}

describe('a listener that is added while the broker runs', () => {
  it('serves, tells its clients where it is, and is there after a restart', async () => {
    await start()
    expect(await setListeners(`${FIRST},NEW://127.0.0.1:0`)).toMatchObject({ errorCode: 0 })
    await until(() => broker.ports.length === 2)
    expect(await brokersToldAt(broker.ports[1])).toEqual([
      { host: '127.0.0.1', port: broker.ports[1] },
    ])
    expect(await brokersToldAt(broker.port)).toEqual([{ host: '127.0.0.1', port: broker.port }])
    await broker.restart()
    await until(() => broker.ports.length === 2)
    expect(await brokersToldAt(broker.ports[1])).toEqual([
      { host: '127.0.0.1', port: broker.ports[1] },
    ])
  })

  it('is closed with its connections when it is removed, and the others go on', async () => {
    await start({ 'advertised.listeners': FIRST })
    await setListeners(`${FIRST},NEW://127.0.0.1:0`)
    await until(() => broker.ports.length === 2)
    const port = broker.ports[1]
    const cut = await RawClient.open(port)
    await cut.ask(ApiKey.ApiVersions, 0, {})
    expect(await setListeners(null)).toMatchObject({ errorCode: 0 })
    expect(await cut.nextFrame()).toBeNull()
    await expect(RawClient.open(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect(await client.ask(ApiKey.ApiVersions, 0, {})).toMatchObject({ errorCode: 0 })
  })

  it('whose port is taken is opened with the next change, and does not keep the broker from starting', async () => {
    const occupant = await occupy()
    const { port } = occupant.address() as AddressInfo
    await start()
    expect(await setListeners(`${FIRST},NEW://127.0.0.1:${port}`)).toMatchObject({ errorCode: 0 })
    const isTold = () => broker.complaints.filter((line) => line.includes('BROKER_ADDRESS_IN_USE'))
    await until(() => isTold().length === 1)
    await broker.restart()
    client.close()
    client = await RawClient.open(broker.port)
    expect(isTold()).toHaveLength(2)
    await new Promise((resolve) => occupant.close(resolve))
    await setListeners(`${FIRST},NEW://127.0.0.1:${port},PLAIN://127.0.0.1:1`) // refused: no change
    expect(broker.ports).toHaveLength(1)
    await setListeners(`NEW://127.0.0.1:${port},${FIRST}`)
    await until(() => broker.ports.length === 2)
    expect(await brokersToldAt(port)).toEqual([{ host: '127.0.0.1', port }])
  })

  it('needs what a listener of the start needs', async () => {
    await start()
    const refused = await setListeners(`${FIRST},SECURE://127.0.0.1:0`)
    expect(refused.errorCode).toBe(ErrorCode.INVALID_REQUEST)
    expect(refused.errorMessage).toContain('listener.name.secure.ssl.keystore.location')
  })
})

function occupy(): Promise<Server> {
  const server = createServer()
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}
