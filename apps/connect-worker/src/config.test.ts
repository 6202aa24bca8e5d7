import { connectionOf, parseWorkerSettings } from './config'

const settings = parseWorkerSettings({
  'bootstrap.servers': 'home:9092',
  'group.id': 'connect',
  'key.converter': 'JsonConverter',
  'value.converter': 'JsonConverter',
  'config.storage.topic': 'configs',
  'offset.storage.topic': 'offsets',
  'status.storage.topic': 'statuses',
  'security.protocol': 'SASL_PLAINTEXT',
  'sasl.mechanism': 'PLAIN',
  'sasl.jaas.config':
    'org.apache.kafka.common.security.plain.PlainLoginModule required username="worker" password="secret";',
})

describe('a client of a connector', () => {
  it('logs in as the worker where nothing else is said', () => {
    const { bootstrapServers, security } = connectionOf(settings, { 'ssl.truststore.type': 'PEM' })
    expect(bootstrapServers).toEqual(['home:9092'])
    expect(security?.sasl).not.toBeNull()
  })

  // A connector that named a host of its own was given the worker's user and password to send there.
  it.each([
    { 'bootstrap.servers': 'elsewhere:9092' },
    { 'bootstrap.servers': 'elsewhere:9092', 'security.protocol': 'SASL_PLAINTEXT' },
    { 'security.protocol': 'SASL_PLAINTEXT' },
  ])("does not get the worker's login for another place or protocol: %j", (own) => {
    expect(() => connectionOf(settings, own)).toThrow(/sasl/)
  })

  it('goes elsewhere with a login of its own, or none', () => {
    const own = { 'bootstrap.servers': 'elsewhere:9092', 'security.protocol': 'PLAINTEXT' }
    const { bootstrapServers, security } = connectionOf(settings, own)
    expect(bootstrapServers).toEqual(['elsewhere:9092'])
    expect(security?.sasl).toBeNull()
  })
})
