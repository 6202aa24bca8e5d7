import { parseConfig } from '@millrace/config'
import { brokerConfigDefinition } from './config-keys'
import { endpointsOf, parseListeners } from './listeners'

function parse(properties: Record<string, string>) {
  return parseListeners(parseConfig(brokerConfigDefinition, properties).config, properties)
}

describe('parseListeners', () => {
  it('listens on every address of port 9092 by default and tells clients the name of the machine', () => {
    const { listeners, problems } = parse({})
    expect(problems).toEqual([])
    expect(listeners).toMatchObject([{ name: 'PLAINTEXT', host: '', port: 9092 }])
    expect(endpointsOf(listeners, listeners, 'machine')).toEqual(
      new Map([['PLAINTEXT', { host: 'machine', port: 9092 }]]),
    )
  })

  it('tells clients what is advertised for the same listener, and nothing where that leaves it out', () => {
    const { listeners } = parse({
      listeners: 'IN://0.0.0.0:9092,OUT://[::1]:9093,HERE://127.0.0.1:0',
      'advertised.listeners': 'OUT://broker.example:19093,HERE://:0',
      'listener.security.protocol.map': 'IN:PLAINTEXT,OUT:PLAINTEXT,HERE:PLAINTEXT',
    })
    expect(listeners).toMatchObject([
      { name: 'IN', host: '0.0.0.0', port: 9092, advertised: null },
      { name: 'OUT', host: '::1', port: 9093 },
      { name: 'HERE', host: '127.0.0.1', port: 0 },
    ])
    const bound = listeners.map((listener) => ({ ...listener, port: listener.port || 4321 }))
    expect(endpointsOf(listeners, bound, 'machine')).toEqual(
      new Map([
        ['OUT', { host: 'broker.example', port: 19093 }],
        ['HERE', { host: 'machine', port: 4321 }],
      ]),
    )
  })

  it('tells clients where a listener is bound, not where its config would have it by now', () => {
    const [before, after] = ['127.0.0.1:9092', '127.0.0.2:9099'].map(
      (address) => parse({ listeners: `PLAINTEXT://${address}` }).listeners,
    )
    expect(endpointsOf(after, before, 'machine')).toEqual(
      new Map([['PLAINTEXT', { host: '127.0.0.1', port: 9092 }]]),
    )
  })

  it('lets two listeners share a port only as IPv4 and IPv6', () => {
    const problemsOf = (...hosts: string[]) =>
      parse({
        listeners: hosts.map((host, at) => `L${at}://${host}:9092`).join(),
        'listener.security.protocol.map': 'L0:PLAINTEXT,L1:PLAINTEXT',
      }).problems
    expect(problemsOf('127.0.0.1', '[::1]')).toEqual([])
    expect(problemsOf('127.0.0.1', '127.0.0.2')).toMatchObject([{ given: 'L1://127.0.0.2:9092' }])
    expect(problemsOf('a.example', '[::1]')).toMatchObject([{ key: 'listeners' }])
  })

  it('leaves out the controller listener of a combined file', () => {
    const { listeners, problems } = parse({
      listeners: 'PLAINTEXT://:9092,CONTROLLER://:9093',
      'controller.listener.names': 'CONTROLLER',
      'advertised.listeners': 'PLAINTEXT://localhost:9092',
    })
    expect(problems).toEqual([])
    expect(listeners.map(({ name }) => name)).toEqual(['PLAINTEXT'])
  })

  it('reports every bad part, and a listener with TLS but without a key', () => {
    const { problems } = parse({
      listeners: 'PLAINTEXT://:9092,PLAINTEXT://:9094,SSL://:9093,nonsense,BIG://:70000,WHO://:1',
      'advertised.listeners': 'ELSE://x:1',
    })
    expect(problems.map(({ given }) => given)).toEqual([
      'PLAINTEXT://:9094',
      'nonsense',
      'BIG://:70000',
      'ELSE',
      null,
      '',
    ])
  })

  it('asks for at least one listener for clients', () => {
    const { problems } = parse({
      listeners: 'CONTROLLER://:9093',
      'controller.listener.names': 'CONTROLLER',
    })
    expect(problems).toMatchObject([{ key: 'listeners' }])
  })
})
