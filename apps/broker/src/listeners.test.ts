import { parseConfig } from '@millrace/config'
import { brokerConfigDefinition } from './config-keys'
import { advertisedHost, parseListeners } from './listeners'

function parse(properties: Record<string, string>) {
  return parseListeners(parseConfig(brokerConfigDefinition, properties).config, properties)
}

describe('parseListeners', () => {
  it('listens on every address of port 9092 by default and tells clients the name of the machine', () => {
    const { listeners, problems } = parse({})
    expect(problems).toEqual([])
    expect(listeners).toMatchObject([{ name: 'PLAINTEXT', host: '', port: 9092 }])
    expect(advertisedHost(listeners[0], 'machine')).toBe('machine')
  })

  it('tells clients what is advertised for the same listener', () => {
    const { listeners } = parse({
      listeners: 'IN://0.0.0.0:9092,OUT://[::1]:9093',
      'advertised.listeners': 'OUT://broker.example:19093',
      'listener.security.protocol.map': 'IN:PLAINTEXT,OUT:PLAINTEXT',
    })
    expect(listeners).toMatchObject([
      { name: 'IN', host: '0.0.0.0', port: 9092, advertised: { host: '0.0.0.0', port: 9092 } },
      { name: 'OUT', host: '::1', port: 9093, advertised: { host: 'broker.example', port: 19093 } },
    ])
    expect(listeners.map((listener) => advertisedHost(listener, 'machine'))).toEqual([
      'machine',
      'broker.example',
    ])
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
