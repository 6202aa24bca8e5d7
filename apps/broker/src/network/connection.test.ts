import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { systemClock, type Clock } from '@millrace/base'
import { plainMechanism } from '@millrace/security'
import { createLogger } from '@millrace/telemetry'
import type { RequestOrder } from '../handlers/handler'
import { Connection, type ConnectionHost } from './connection'
import { ConnectionCounters } from './connection-counters'
import type { Reply } from './dispatcher'
import { Gate } from './gate'
import { Session } from './session'

const MINUTE_MS = 60_000

let nowMs = 0
const clock: Clock = { ...systemClock, now: () => nowMs, monotonicMs: () => nowMs }
const lines: string[] = []
const logger = createLogger({ level: 'debug', write: (line) => lines.push(line), now: () => 0 })
const ANSWER_BYTES = 1 << 20
const unsupported = Buffer.alloc(ANSWER_BYTES, 1)
const dispatcher = {
  dispatch: (): Reply => [unsupported],
  orderOf: (): RequestOrder => 'free',
}

let server: Server
let peer: Socket
let connection: Connection

async function open(options: { withLogin: boolean; maxIdleMs: number }): Promise<Socket> {
  server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  peer = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [socket] = await accepted
  const offered = [{ mechanism: plainMechanism(new Map()), maxReauthMs: 0 }]
  const gate = new Gate(
    { dispatcher, clock },
    { offered, maxReceiveBytes: 1000, failureDelayMs: 0 },
  )
  const host: ConnectionHost = {
    dispatcher,
    gate: options.withLogin ? gate : null,
    logger,
    clock,
    maxFrameBytes: 1000,
    maxIdleMs: options.maxIdleMs,
    counters: new ConnectionCounters(),
    onClosed: () => undefined,
  }
  const session = new Session({
    host: '127.0.0.1',
    port: 1,
    listenerName: 'TEST',
    protocol: options.withLogin ? 'SASL_PLAINTEXT' : 'PLAINTEXT',
  })
  connection = new Connection(host, socket, session)
  return socket
}

/** A sweep at this time. */
function sweep(atMs: number): void {
  nowMs = atMs
  connection.onSweep(nowMs)
}

beforeEach(() => {
  nowMs = 0
  lines.length = 0
})
afterEach(() => {
  connection.destroy()
  peer.destroy()
  server.close()
})

describe('Connection', () => {
  it('is closed when nothing has moved for the idle time', async () => {
    const socket = await open({ withLogin: false, maxIdleMs: 1000 })
    sweep(100) // it is new: the time runs from here
    sweep(1099)
    expect(socket.destroyed).toBe(false)
    sweep(1100)
    expect(socket.destroyed).toBe(true)
  })

  it('has its idle time anew with all that is received', async () => {
    const socket = await open({ withLogin: false, maxIdleMs: 1000 })
    sweep(100)
    const received = once(socket, 'data')
    peer.write(Buffer.from([0]))
    await received
    sweep(1100)
    sweep(2099)
    expect(socket.destroyed).toBe(false)
    sweep(2100)
    expect(socket.destroyed).toBe(true)
  })

  it('has a minute to log in, however much is sent in it (SEC-4)', async () => {
    const socket = await open({ withLogin: true, maxIdleMs: -1 })
    for (const atMs of [10_000, 20_000, 30_000]) {
      const received = once(socket, 'data')
      peer.write(Buffer.from([0])) // the size of a frame, byte by byte
      await received
      sweep(atMs)
    }
    sweep(MINUTE_MS - 1)
    expect(socket.destroyed).toBe(false)
    sweep(MINUTE_MS)
    expect(socket.destroyed).toBe(true)
    expect(lines.join()).toContain('the login was not completed in time')
  })

  it('takes the messages of a login one at a time: who reads no answers fills no memory', async () => {
    const answers = jest.spyOn(dispatcher, 'dispatch')
    const socket = await open({ withLogin: true, maxIdleMs: -1 })
    const notServed = Buffer.from('0000000b0012007f00000007ffff00', 'hex') // may be asked again and again
    peer.pause()
    peer.write(Buffer.concat(Array.from({ length: 1000 }, () => notServed)))
    const turn = () => new Promise((resolve) => setImmediate(resolve))
    while (!socket.writableNeedDrain) await turn()
    for (let count = 0; count < 200; count++) await turn() // would it go on, it would by now
    expect(socket.writableLength).toBeLessThan(2 * ANSWER_BYTES)
    expect(answers.mock.calls.length).toBeLessThan(1000)
    peer.resume()
    while (answers.mock.calls.length < 1000) await turn()
  })

  it('begins nothing before a change is answered, then goes on (ACK-5)', async () => {
    const change = Promise.withResolvers<Buffer[]>()
    const begun = jest.spyOn(dispatcher, 'dispatch').mockReturnValueOnce(change.promise)
    jest.spyOn(dispatcher, 'orderOf').mockReturnValueOnce('change')
    begun.mockClear()
    const socket = await open({ withLogin: false, maxIdleMs: -1 })
    const aFrame = Buffer.from('000000040003000c', 'hex')
    const received = once(socket, 'data')
    peer.write(Buffer.concat([aFrame, aFrame, aFrame]))
    await received
    expect(begun).toHaveBeenCalledTimes(1)
    change.resolve([Buffer.from('changed')])
    peer.resume()
    while (begun.mock.calls.length < 3) await new Promise((resolve) => setImmediate(resolve))
    expect(socket.isPaused()).toBe(false)
  })

  it('stays for ever where there is neither a login nor an idle time', async () => {
    const socket = await open({ withLogin: false, maxIdleMs: -1 })
    sweep(0)
    sweep(1e12)
    expect(socket.destroyed).toBe(false)
  })
})
