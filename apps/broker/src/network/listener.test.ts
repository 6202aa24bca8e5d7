import { once } from 'node:events'
import { connect } from 'node:net'
import { systemClock } from '@millrace/base'
import { parseConfig } from '@millrace/config'
import { quotaConfigDefinition, Quotas } from '@millrace/quota'
import { silentLogger } from '@millrace/telemetry'
import type { SecurityProtocol } from '../security/listener-security'
import type { ServedListener } from './bound-listener'
import { KafkaListener, type BrokerLifecycle } from './listener'

const FIRST = served('FIRST')

let listener: KafkaListener

afterEach(() => listener.close())

function served(name: string, protocol: SecurityProtocol = 'PLAINTEXT'): ServedListener {
  return { name, host: '127.0.0.1', port: 0, security: { protocol, tls: null, sasl: null } }
}

/** Starts it with FIRST. @returns the error that the start failed with */
function start(lifecycle: Partial<BrokerLifecycle>): Promise<unknown> {
  listener = new KafkaListener(
    {
      dispatcher: { dispatch: () => null, orderOf: () => 'free' },
      lifecycle: {
        onBound: () => Promise.resolve(),
        onRebound: () => undefined,
        onDraining: () => undefined,
        ...lifecycle,
      },
      logger: silentLogger,
      clock: systemClock,
      gateOf: () => null,
      quotas: new Quotas(parseConfig(quotaConfigDefinition, {}).config),
    },
    {
      listeners: [FIRST],
      addedListeners: [],
      backlog: 10,
      limits: { max: 10, maxOfListener: new Map(), maxPerIp: 10, maxOfIp: new Map() },
      maxFrameBytes: 1000,
      maxIdleMs: 60_000,
    },
  )
  return new Promise((resolve) => listener.listen(resolve))
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await systemClock.sleep(5)
}

describe('KafkaListener', () => {
  // They kept the process alive after a start that had failed.
  it('closes connections that came before a start that fails', async () => {
    let failStart: (error: Error) => void
    const bound = Promise.withResolvers<number>()
    const listened = start({
      onBound: ([{ port }]) => {
        bound.resolve(port)
        return new Promise((_, reject) => (failStart = reject))
      },
    })
    const socket = connect({ host: '127.0.0.1', port: await bound.promise })
    await once(socket, 'connect')
    const closed = once(
      socket.on('error', () => undefined),
      'close',
    )
    await new Promise((resolve) => setImmediate(resolve)) // the listener has taken it
    failStart!(new Error('the disk is gone'))
    expect(await listened).toMatchObject({ message: 'the disk is gone' })
    await listener.close()
    await closed
  })

  it('opens a listener again that was removed and added with another protocol in the meantime', async () => {
    await start({})
    listener.reconfigure([FIRST, served('A')])
    await until(() => listener.addresses.length === 2)
    const { port } = listener.addresses[1]
    listener.reconfigure([FIRST])
    listener.reconfigure([FIRST, served('A', 'SASL_PLAINTEXT')])
    await until(() => listener.addresses.length === 2 && listener.addresses[1].port !== port)
    const socket = connect({ host: '127.0.0.1', port: listener.addresses[1].port })
    await until(() => [...listener.sessions()].length === 1)
    expect([...listener.sessions()]).toMatchObject([{ protocol: 'SASL_PLAINTEXT' }])
    socket.destroy()
  })

  it('tells of what it closed, and of each listener as soon as it is open', async () => {
    const told: string[] = []
    await start({ onRebound: (addresses) => told.push(addresses.map(({ name }) => name).join()) })
    listener.reconfigure([FIRST, served('A'), served('B')])
    await until(() => listener.addresses.length === 3)
    expect(told).toEqual(['FIRST,A', 'FIRST,A,B'])
    listener.reconfigure([FIRST, served('C')])
    await until(() => listener.addresses.length === 2)
    expect(told.slice(2)).toEqual(['FIRST', 'FIRST,C'])
  })
})
