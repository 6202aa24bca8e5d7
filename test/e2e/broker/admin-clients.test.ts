import { Admin as PlatformaticAdmin } from '@platformatic/kafka'
import { ConfigResourceTypes, Kafka, logLevel, type Admin } from 'kafkajs'
import { startTestBroker, type TestBroker } from './harness'

let broker: TestBroker

beforeAll(async () => {
  broker = await startTestBroker()
})
afterAll(() => broker.stop())

describe('the admin client of kafkajs', () => {
  let admin: Admin

  beforeAll(async () => {
    const kafka = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING })
    admin = kafka.admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: 'js', numPartitions: 1 }] })
  })
  afterAll(() => admin.disconnect())

  it('adds partitions', async () => {
    await admin.createPartitions({ topicPartitions: [{ topic: 'js', count: 4 }] })
    const { topics } = await admin.fetchTopicMetadata({ topics: ['js'] })
    expect(topics[0].partitions).toHaveLength(4)
  })

  it('replaces and describes configs', async () => {
    const resource = { type: ConfigResourceTypes.TOPIC, name: 'js' }
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: '4321' }] }],
    })
    const { resources } = await admin.describeConfigs({
      includeSynonyms: true,
      resources: [{ ...resource, configNames: ['retention.ms'] }],
    })
    expect(resources[0].configEntries).toMatchObject([
      { configName: 'retention.ms', configValue: '4321', isDefault: false },
    ])
  })

  it('is told why configs are refused', async () => {
    const resource = { type: ConfigResourceTypes.TOPIC, name: 'js' }
    await expect(
      admin.alterConfigs({
        validateOnly: false,
        resources: [{ ...resource, configEntries: [{ name: 'no.such', value: '1' }] }],
      }),
    ).rejects.toMatchObject({ type: 'INVALID_CONFIG' })
  })

  it('describes the cluster and reassigns nothing', async () => {
    expect(await admin.describeCluster()).toMatchObject({ controller: 1, brokers: [{ nodeId: 1 }] })
    expect(await admin.listPartitionReassignments({})).toMatchObject({ topics: [] })
  })
})

describe('the admin client of @platformatic/kafka', () => {
  let admin: PlatformaticAdmin

  beforeAll(async () => {
    admin = new PlatformaticAdmin({ clientId: 'admin', bootstrapBrokers: [broker.bootstrap] })
    await admin.createTopics({ topics: ['pl'], partitions: 1, replicas: 1 })
  })
  afterAll(() => admin.close())

  it('adds partitions and changes configs one by one', async () => {
    await admin.createPartitions({ topics: [{ name: 'pl', count: 3, assignments: null }] })
    const configs = [{ name: 'retention.ms', value: '99', configOperation: 0 as const }]
    await admin.incrementalAlterConfigs({
      resources: [{ resourceType: 2, resourceName: 'pl', configs }],
    })
    const described = await admin.describeConfigs({
      resources: [{ resourceType: 2, resourceName: 'pl', configurationKeys: ['retention.ms'] }],
    })
    expect(JSON.stringify(described)).toContain('"value":"99"')
  })

  it('describes log directories', async () => {
    const topics = [{ name: 'pl', partitions: [0] }]
    expect(await admin.describeLogDirs({ topics })).toMatchObject([
      { broker: 1, results: [{ logDir: broker.directory, topics: [{ name: 'pl' }] }] },
    ])
  })
})
