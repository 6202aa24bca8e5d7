import { parseBrokerConfig } from './config'

const kraftCombinedFile = {
  'process.roles': 'broker,controller',
  'node.id': '3',
  'controller.quorum.bootstrap.servers': 'localhost:9093',
  listeners: 'PLAINTEXT://:9092,CONTROLLER://:9093',
  'inter.broker.listener.name': 'PLAINTEXT',
  'advertised.listeners': 'PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093',
  'controller.listener.names': 'CONTROLLER',
  'listener.security.protocol.map':
    'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL',
  'num.network.threads': '3',
  'num.io.threads': '8',
  'socket.send.buffer.bytes': '102400',
  'socket.receive.buffer.bytes': '102400',
  'socket.request.max.bytes': '104857600',
  'log.dirs': '/tmp/kraft-combined-logs',
  'num.partitions': '1',
  'num.recovery.threads.per.data.dir': '1',
  'offsets.topic.replication.factor': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'log.retention.hours': '168',
  'log.segment.bytes': '1073741824',
  'log.retention.check.interval.ms': '300000',
}

describe('parseBrokerConfig', () => {
  it('takes the combined server.properties that Kafka ships, without a warning', () => {
    const config = parseBrokerConfig(kraftCombinedFile)
    expect(config.unknownKeys).toEqual([])
    expect(config.values.nodeId).toBe(3)
    expect(config.listeners.map(({ name }) => name)).toEqual(['PLAINTEXT'])
  })

  it('gives topics the strongest of the broker keys: ms over minutes over hours', () => {
    const hours = { 'log.retention.hours': '1' }
    const minutes = { ...hours, 'log.retention.minutes': '2' }
    expect(parseBrokerConfig(hours).logDefaults.retentionMs).toBe(3_600_000)
    expect(parseBrokerConfig(minutes).logDefaults.retentionMs).toBe(120_000)
    expect(
      parseBrokerConfig({ ...minutes, 'log.retention.ms': '-1' }).logDefaults.retentionMs,
    ).toBe(-1)
  })

  it('acknowledges after the flush unless log.ack.after.flush says otherwise', () => {
    expect(parseBrokerConfig({}).logDefaults.ackAfterFlush).toBe(true)
    expect(parseBrokerConfig({ 'log.ack.after.flush': 'false' }).logDefaults.ackAfterFlush).toBe(
      false,
    )
  })

  it('reports every problem at once, under the key that was written', () => {
    const bad = {
      'node.id': '-2',
      'log.retention.hours': 'long',
      'auto.create.topics.enable': 'yes',
      listeners: 'SSL://:9093',
      'group.min.session.timeout.ms': '50000',
      'group.max.session.timeout.ms': '40000',
    }
    expect(() => parseBrokerConfig(bad)).toThrow(
      expect.objectContaining({
        code: 'BROKER_CONFIG_INVALID',
        message: expect.stringMatching(
          /node\.id=-2[^]*auto\.create\.topics\.enable=yes[^]*log\.retention\.hours=long[^]*ssl\.keystore[^]*group\.min\.session/,
        ),
      }),
    )
  })

  it('names unknown keys, so that a typing error is seen', () => {
    expect(parseBrokerConfig({ 'num.partition': '3' }).unknownKeys).toEqual(['num.partition'])
  })
})
