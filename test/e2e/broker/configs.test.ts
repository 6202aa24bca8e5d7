import { ApiKey, ErrorCode } from '@millrace/wire'
import { aBatch, RawClient, startTestBroker, type TestBroker } from './harness'

const TOPIC = 2
const BROKER = 4
const BROKER_LOGGER = 8
const CLIENT_METRICS = 16
const GROUP = 32
const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3]

let broker: TestBroker
let client: RawClient

beforeAll(async () => {
  broker = await startTestBroker({ 'log.retention.hours': '7', 'log.segment.bytes': '2000000' })
  client = await RawClient.open(broker.port)
  const shape = { numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
  await client.ask(ApiKey.CreateTopics, 7, { topics: [{ name: 'orders', ...shape }] })
})
afterAll(async () => {
  client.close()
  await broker.stop()
})

type Change = readonly [name: string, operation: number, value?: string | null]

async function alter(
  resourceType: number,
  resourceName: string,
  changes: readonly Change[],
  validateOnly = false,
) {
  const configs = changes.map(([name, configOperation, value = null]) => ({
    name,
    configOperation,
    value,
  }))
  const { responses } = await client.ask(ApiKey.IncrementalAlterConfigs, 1, {
    resources: [{ resourceType, resourceName, configs }],
    validateOnly,
  })
  return responses[0]
}

async function describeAll(resourceType: number, resourceName: string) {
  const { results } = await client.ask(ApiKey.DescribeConfigs, 4, {
    resources: [{ resourceType, resourceName, configurationKeys: null }],
    includeSynonyms: true,
    includeDocumentation: true,
  })
  return results[0]
}

async function described(resourceType: number, resourceName: string, name: string) {
  const { configs } = await describeAll(resourceType, resourceName)
  return configs.find((config) => config.name === name)
}

describe('configs of topics', () => {
  it('are set, appended to, subtracted from and deleted', async () => {
    expect(await alter(TOPIC, 'orders', [['cleanup.policy', APPEND, 'compact']])).toMatchObject({
      errorCode: 0,
    })
    expect(await described(TOPIC, 'orders', 'cleanup.policy')).toMatchObject({
      value: 'delete,compact',
      configSource: 1,
      configType: 7,
      readOnly: false,
    })
    await alter(TOPIC, 'orders', [['cleanup.policy', SUBTRACT, 'delete,x']])
    expect(await described(TOPIC, 'orders', 'cleanup.policy')).toMatchObject({ value: 'compact' })
    await alter(TOPIC, 'orders', [['cleanup.policy', DELETE]])
    expect(await described(TOPIC, 'orders', 'cleanup.policy')).toMatchObject({
      value: 'delete',
      configSource: 5,
    })
  })

  it('show what they would be without their own value, the strongest first', async () => {
    await alter(TOPIC, 'orders', [['segment.bytes', SET, '3000000']])
    expect(await described(TOPIC, 'orders', 'segment.bytes')).toMatchObject({
      value: '3000000',
      synonyms: [
        { name: 'segment.bytes', value: '3000000', source: 1 },
        { name: 'log.segment.bytes', value: '2000000', source: 4 },
        { name: 'log.segment.bytes', value: '1073741824', source: 5 },
      ],
    })
    await alter(TOPIC, 'orders', [['segment.bytes', DELETE]])
    expect(await described(TOPIC, 'orders', 'segment.bytes')).toMatchObject({
      value: '2000000',
      configSource: 4,
    })
  })

  it('have the value that is given in another unit', async () => {
    expect(await described(TOPIC, 'orders', 'retention.ms')).toMatchObject({
      value: String(7 * 3_600_000),
      synonyms: [], // as in Kafka, only log.retention.ms itself would be one
    })
  })

  it('are refused as a whole, with every problem in the answer', async () => {
    const refused = await alter(TOPIC, 'orders', [
      ['retention.ms', SET, 'soon'],
      ['segment.bytes', SET, '1'],
      ['no.such.key', SET, '1'],
      ['segment.ms', SET, '77'],
    ])
    expect(refused.errorCode).toBe(ErrorCode.INVALID_CONFIG)
    for (const name of ['retention.ms', 'segment.bytes', 'no.such.key'])
      expect(refused.errorMessage).toContain(name)
    expect(await described(TOPIC, 'orders', 'segment.ms')).toMatchObject({ configSource: 5 })
  })

  it('are checked and left alone with validateOnly', async () => {
    expect(await alter(TOPIC, 'orders', [['segment.ms', SET, '77']], true)).toMatchObject({
      errorCode: 0,
    })
    expect(await described(TOPIC, 'orders', 'segment.ms')).toMatchObject({ configSource: 5 })
  })

  it.each([
    ['a value that is no list is appended to', 'orders', ['retention.ms', APPEND, '1'], 40],
    ['the topic is unknown', 'nobody', ['retention.ms', SET, '1'], 3],
    ['the topic has an impossible name', 'no/body', ['retention.ms', SET, '1'], 17],
    ['there is no name', '', ['retention.ms', SET, '1'], 42],
    ['a value is missing', 'orders', ['retention.ms', SET], 42],
    ['the operation is unknown', 'orders', ['retention.ms', 9, '1'], 42],
  ] as const)('are refused when %s', async (_case, name, change, errorCode) => {
    expect(await alter(TOPIC, name, [change])).toMatchObject({ errorCode })
  })

  it('are replaced as a whole by the older request', async () => {
    await alter(TOPIC, 'orders', [['segment.ms', SET, '1000']])
    const { responses } = await client.ask(ApiKey.AlterConfigs, 2, {
      resources: [
        {
          resourceType: TOPIC,
          resourceName: 'orders',
          configs: [{ name: 'retention.ms', value: '9' }],
        },
      ],
      validateOnly: false,
    })
    expect(responses).toMatchObject([{ errorCode: 0 }])
    expect(await described(TOPIC, 'orders', 'segment.ms')).toMatchObject({ configSource: 5 })
    expect(await described(TOPIC, 'orders', 'retention.ms')).toMatchObject({ value: '9' })
  })

  it('are refused for a resource that stands twice in the request', async () => {
    const twice = { resourceType: TOPIC, resourceName: 'orders', configs: [] }
    const { responses } = await client.ask(ApiKey.IncrementalAlterConfigs, 1, {
      resources: [twice, twice],
      validateOnly: false,
    })
    expect(responses).toMatchObject([{ errorCode: 42 }, { errorCode: 42 }])
  })
})

describe('configs of brokers', () => {
  it('are in force at once, for topics that say nothing themselves', async () => {
    const produce = async () => {
      const partitionData = [{ index: 0, records: aBatch(['x'.repeat(1000)]) }]
      const { responses } = await client.ask(ApiKey.Produce, 9, {
        acks: -1,
        timeoutMs: 5000,
        topicData: [{ name: 'orders', partitionData }],
      })
      return responses[0].partitionResponses[0].errorCode
    }
    expect(await produce()).toBe(0)
    await alter(BROKER, '', [['message.max.bytes', SET, '500']])
    expect(await produce()).toBe(ErrorCode.MESSAGE_TOO_LARGE)
    await alter(BROKER, '1', [['message.max.bytes', SET, '5000']])
    expect(await produce()).toBe(0)
    expect(await described(BROKER, '1', 'message.max.bytes')).toMatchObject({
      value: '5000',
      configSource: 2,
      readOnly: false,
      synonyms: [
        { value: '5000', source: 2 },
        { value: '500', source: 3 },
        { value: '1048588', source: 5 },
      ],
    })
    expect(await describeAll(BROKER, '')).toMatchObject({
      configs: [{ name: 'message.max.bytes', value: '500', configSource: 3 }],
    })
    await alter(BROKER, '1', [['message.max.bytes', DELETE]])
    await alter(BROKER, '', [['message.max.bytes', DELETE]])
    expect(await produce()).toBe(0)
  })

  it('outlive a restart', async () => {
    await alter(BROKER, '1', [['log.retention.ms', SET, '12345']])
    await broker.restart()
    client.close()
    client = await RawClient.open(broker.port)
    await alter(TOPIC, 'orders', [['retention.ms', DELETE]])
    expect(await described(TOPIC, 'orders', 'retention.ms')).toMatchObject({
      value: '12345',
      configSource: 2,
    })
    await alter(BROKER, '1', [['log.retention.ms', DELETE]])
  })

  it('are refused when they cannot change while the broker runs, or have a wrong value', async () => {
    const refused = await alter(BROKER, '1', [
      ['node.id', SET, '4'],
      ['advertised.listeners', SET, 'PLAINTEXT://:1'],
      ['num.io.threads', SET, 'many'],
      ['ssl.keystore.password', SET, 'hush-1'],
    ])
    expect(refused.errorCode).toBe(ErrorCode.INVALID_REQUEST)
    for (const name of [
      'node.id',
      'advertised.listeners',
      'num.io.threads=many',
      'ssl.keystore.password',
    ])
      expect(refused.errorMessage).toContain(name)
    expect(refused.errorMessage).not.toContain('hush-1')
    expect(await alter(BROKER, '', [['cordoned.log.dirs', SET, '/x']])).toMatchObject({
      errorCode: ErrorCode.INVALID_REQUEST,
    })
    expect(await alter(BROKER, '7', [['num.io.threads', SET, '4']])).toMatchObject({
      errorCode: ErrorCode.INVALID_REQUEST,
    })
  })

  it('never show a password, nor what nobody knows', async () => {
    const name = 'listener.name.internal.ssl.keystore.password'
    expect(
      await alter(BROKER, '1', [
        [name, SET, 'hush-2'],
        ['of.a.plugin', SET, 'hush-3'],
      ]),
    ).toMatchObject({ errorCode: 0 })
    const answer = await describeAll(BROKER, '1')
    expect(JSON.stringify(answer)).not.toContain('hush')
    expect(answer.configs.find((config) => config.name === name)).toMatchObject({
      value: null,
      isSensitive: true,
      configType: 9,
      configSource: 2,
    })
    await alter(BROKER, '1', [
      [name, DELETE],
      ['of.a.plugin', DELETE],
    ])
  })

  it('that are only for the start are read-only', async () => {
    expect(await described(BROKER, '1', 'num.partitions')).toMatchObject({ readOnly: true })
    expect(await described(BROKER, '1', 'log.dirs')).toMatchObject({ configSource: 4 })
  })
})

describe('configs of groups and client metrics', () => {
  it('are kept by name and listed', async () => {
    await alter(GROUP, 'g1', [['consumer.session.timeout.ms', SET, '50000']])
    await alter(CLIENT_METRICS, 'm1', [
      ['metrics', SET, 'org.apache.'],
      ['match', SET, 'client_id=a.*,client_software_name=apache.*'],
    ])
    expect(await described(GROUP, 'g1', 'consumer.session.timeout.ms')).toMatchObject({
      value: '50000',
      configSource: 8,
    })
    expect(await described(CLIENT_METRICS, 'm1', 'metrics')).toMatchObject({ configSource: 7 })
    const listed = (version: number, resourceTypes: number[]) =>
      client.ask(ApiKey.ListConfigResources, version, { resourceTypes })
    expect((await listed(1, [GROUP, BROKER_LOGGER])).configResources).toEqual([
      { resourceType: GROUP, resourceName: 'g1' },
      { resourceType: BROKER_LOGGER, resourceName: '1' },
    ])
    expect((await listed(0, [])).configResources).toMatchObject([{ resourceName: 'm1' }])
    expect(await listed(1, [99])).toMatchObject({ errorCode: ErrorCode.UNSUPPORTED_VERSION })
    await alter(GROUP, 'g1', [['consumer.session.timeout.ms', DELETE]])
    await alter(CLIENT_METRICS, 'm1', [
      ['metrics', DELETE],
      ['match', DELETE],
    ])
    expect((await listed(1, [GROUP, CLIENT_METRICS])).configResources).toEqual([])
  })

  it.each([
    [GROUP, 'g', 'consumer.session.timeout.ms', '0', ErrorCode.INVALID_CONFIG],
    [GROUP, 'g', 'unknown', '0', ErrorCode.INVALID_CONFIG],
    [GROUP, '', 'consumer.session.timeout.ms', '50000', ErrorCode.INVALID_REQUEST],
    [CLIENT_METRICS, 'm', 'interval.ms', '10', ErrorCode.INVALID_REQUEST],
    [CLIENT_METRICS, 'm', 'unknown', '10', ErrorCode.INVALID_REQUEST],
  ])('are refused: type %s %s %s=%s', async (type, resource, name, value, errorCode) => {
    expect(await alter(type, resource, [[name, SET, value]])).toMatchObject({ errorCode })
  })
})

describe('levels of loggers', () => {
  it('are told and set, until the next start', async () => {
    expect(await described(BROKER_LOGGER, '1', 'root')).toMatchObject({
      value: 'WARN',
      configSource: 6,
    })
    expect(await alter(BROKER_LOGGER, '1', [['root', SET, 'ERROR']])).toMatchObject({
      errorCode: 0,
    })
    expect(await described(BROKER_LOGGER, '1', 'root')).toMatchObject({ value: 'ERROR' })
    await alter(BROKER_LOGGER, '1', [['root', SET, 'WARN']])
  })

  it('are set for one part of the broker, and go back to that of the root', async () => {
    await alter(BROKER_LOGGER, '1', [['millrace.network', SET, 'DEBUG']])
    expect(await described(BROKER_LOGGER, '1', 'millrace.network')).toMatchObject({
      value: 'DEBUG',
    })
    expect(await described(BROKER_LOGGER, '1', 'millrace.log')).toMatchObject({ value: 'WARN' })
    await alter(BROKER_LOGGER, '1', [['millrace.network', DELETE]])
    expect(await described(BROKER_LOGGER, '1', 'millrace.network')).toMatchObject({ value: 'WARN' })
  })

  it.each([
    ['root', SET, 'LOUD', ErrorCode.INVALID_CONFIG],
    ['nobody', SET, 'INFO', ErrorCode.INVALID_CONFIG],
    ['root', DELETE, null, ErrorCode.INVALID_REQUEST],
    ['root', APPEND, 'INFO', ErrorCode.INVALID_REQUEST],
  ])('are refused: %s, operation %s, %s', async (name, operation, value, errorCode) => {
    expect(await alter(BROKER_LOGGER, '1', [[name, operation, value]])).toMatchObject({ errorCode })
  })
})
