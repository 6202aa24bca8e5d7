import {
  ApiKey,
  ZERO_UUID,
  type apiMessages,
  type Infer,
  type InferInput,
  type ServedApiKey,
} from '@millrace/wire'
import { findKafka, startKafka, type KafkaNode } from '../../peers/apache-kafka'
import { RawClient, startTestBroker, type TestBroker } from './harness'
import { until } from '../wait'

/**
 * The same requests to this broker and to a real Kafka: what clients act on must be the same. The texts of errors are
 * ours, and are not compared; that there is none must be said as by Kafka, with null or with an empty one.
 */
const home = findKafka()
const describeOnKafka = 'missing' in home ? describe.skip : describe

const TOPIC = 2
const BROKER = 4
const BROKER_LOGGER = 8
const CLIENT_METRICS = 16
const GROUP = 32
const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3]

type Request<K extends ServedApiKey> = InferInput<(typeof apiMessages)[K]['request']>
type Answer<K extends ServedApiKey> = Infer<(typeof apiMessages)[K]['response']>

let kafka: KafkaNode
let broker: TestBroker
let clients: { kafka: RawClient; ours: RawClient }

const PROPERTIES = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS',
}
const SHAPE = { replicationFactor: 1, assignments: [], configs: [] }

async function openBoth(): Promise<void> {
  if ('missing' in home) return
  kafka = await startKafka(home, { heapMb: 256, properties: PROPERTIES })
  broker = await startTestBroker(PROPERTIES)
  clients = { kafka: await RawClient.open(kafka.port), ours: await RawClient.open(broker.port) }
  const topics = ['a', 'b'].map((name) => ({ name, numPartitions: 2, ...SHAPE }))
  await bothAnswer(ApiKey.CreateTopics, 7, { topics, timeoutMs: 10_000 })
}

async function closeBoth(): Promise<void> {
  clients?.kafka.close()
  clients?.ours.close()
  await kafka?.stop()
  await broker?.stop()
}

async function bothAnswer<K extends ServedApiKey>(
  key: K,
  version: number,
  request: Request<K>,
): Promise<{ theirs: Answer<K>; ours: Answer<K> }> {
  const [theirs, ours] = await Promise.all([
    clients.kafka.ask(key, version, request),
    clients.ours.ask(key, version, request),
  ])
  return { theirs, ours }
}

/** Everything but what is said of errors in words, and what depends on the machine. */
function withoutTexts(answer: unknown): unknown {
  return JSON.parse(
    JSON.stringify(answer, function (this: { errorCode?: number }, name, value: unknown) {
      if (name === 'errorMessage' && this.errorCode !== 0) return undefined
      return ['throttleTimeMs', 'topicId', 'port'].includes(name) ? undefined : value
    }),
  )
}

async function expectSame<K extends ServedApiKey>(
  key: K,
  version: number,
  request: Request<K>,
): Promise<void> {
  const { theirs, ours } = await bothAnswer(key, version, request)
  expect(withoutTexts(ours)).toEqual(withoutTexts(theirs))
}

type Change = readonly [name: string, operation: number, value?: string]

function alteration(resourceType: number, resourceName: string, ...changes: Change[]) {
  const configs = changes.map(([name, configOperation, value = null]) => ({
    name,
    configOperation,
    value,
  }))
  return { resources: [{ resourceType, resourceName, configs }], validateOnly: false }
}

describeOnKafka('an admin request is answered as by Kafka', () => {
  beforeAll(openBoth, 90_000)
  afterAll(closeBoth)

  it.each([
    ['a topic config', alteration(TOPIC, 'a', ['retention.ms', SET, '5000'])],
    ['a list that grows', alteration(TOPIC, 'a', ['cleanup.policy', APPEND, 'compact'])],
    ['a list that shrinks', alteration(TOPIC, 'a', ['cleanup.policy', SUBTRACT, 'delete'])],
    ['a deleted config', alteration(TOPIC, 'a', ['retention.ms', DELETE])],
    ['a wrong value', alteration(TOPIC, 'a', ['retention.ms', SET, 'soon'])],
    ['a value out of bounds', alteration(TOPIC, 'a', ['segment.bytes', SET, '1'])],
    ['an unknown config', alteration(TOPIC, 'a', ['no.such.key', SET, '1'])],
    ['no list to append to', alteration(TOPIC, 'a', ['retention.ms', APPEND, '1'])],
    ['an unknown topic', alteration(TOPIC, 'nobody', ['retention.ms', SET, '1'])],
    ['an unknown topic and config', alteration(TOPIC, 'nobody', ['no.such.key', SET, '1'])],
    ['an impossible topic', alteration(TOPIC, 'no/body', ['retention.ms', SET, '1'])],
    ['a topic without name', alteration(TOPIC, '', ['retention.ms', SET, '1'])],
    ['a value that is missing', alteration(TOPIC, 'a', ['retention.ms', SET])],
    ['a config twice', alteration(TOPIC, 'a', ['segment.ms', SET, '1'], ['segment.ms', SET, '2'])],
    ['an unknown resource type', alteration(77, 'a', ['retention.ms', SET, '1'])],
    ['a broker config', alteration(BROKER, '1', ['log.cleaner.threads', SET, '2'])],
    ['a cluster default', alteration(BROKER, '', ['log.cleaner.threads', SET, '2'])],
    ['a config of the start', alteration(BROKER, '1', ['node.id', SET, '4'])],
    ['a wrong broker value', alteration(BROKER, '1', ['log.cleaner.threads', SET, 'x'])],
    ['a broker config that nobody knows', alteration(BROKER, '1', ['of.a.plugin', SET, 'x'])],
    ['a secret without listener', alteration(BROKER, '1', ['ssl.key.password', SET, 'x'])],
    ['another broker', alteration(BROKER, '5', ['log.cleaner.threads', SET, '2'])],
    ['a broker that is no number', alteration(BROKER, 'x', ['log.cleaner.threads', SET, '2'])],
    ['a broker list that is none', alteration(BROKER, '1', ['log.cleaner.threads', APPEND, '2'])],
    ['a group config', alteration(GROUP, 'g', ['consumer.session.timeout.ms', SET, '50000'])],
    ['a short group timeout', alteration(GROUP, 'g', ['consumer.session.timeout.ms', SET, '1'])],
    ['an unknown group config', alteration(GROUP, 'g', ['no.such.key', SET, '1'])],
    ['a group without name', alteration(GROUP, '', ['consumer.session.timeout.ms', SET, '50000'])],
    ['a subscription', alteration(CLIENT_METRICS, 'm', ['metrics', SET, 'org.apache.'])],
    ['a wrong interval', alteration(CLIENT_METRICS, 'm', ['interval.ms', SET, '1'])],
    ['a wrong match', alteration(CLIENT_METRICS, 'm', ['match', SET, 'shoe_size=4'])],
    ['an unknown subscription key', alteration(CLIENT_METRICS, 'm', ['no.such.key', SET, '1'])],
    ['a log level', alteration(BROKER_LOGGER, '1', ['root', SET, 'ERROR'])],
    ['an unknown log level', alteration(BROKER_LOGGER, '1', ['root', SET, 'LOUD'])],
    ['an unknown logger', alteration(BROKER_LOGGER, '1', ['no.such.logger', SET, 'INFO'])],
    ['the root level away', alteration(BROKER_LOGGER, '1', ['root', DELETE])],
    ['a level to append', alteration(BROKER_LOGGER, '1', ['root', APPEND, 'INFO'])],
    ['the level of another broker', alteration(BROKER_LOGGER, '5', ['root', SET, 'INFO'])],
  ])('IncrementalAlterConfigs: %s', async (_case, request) => {
    await expectSame(ApiKey.IncrementalAlterConfigs, 1, request)
  })

  it.each([
    ['as many as there are', 'a', 2, null],
    ['fewer', 'a', 1, null],
    ['none', 'a', 0, null],
    ['an unknown topic', 'nobody', 2, null],
    ['too few places', 'a', 4, [[1]]],
    ['no place', 'a', 3, [[]]],
    ['an unknown broker', 'a', 3, [[9]]],
    ['a broker twice', 'a', 3, [[1, 1]]],
    ['one more', 'b', 3, [[1]]],
    ['two more', 'b', 5, null],
  ])('CreatePartitions: %s', async (_case, name, count, places) => {
    const assignments = places?.map((brokerIds) => ({ brokerIds })) ?? null
    const topics = [{ name, count, assignments }]
    await expectSame(ApiKey.CreatePartitions, 3, { topics, timeoutMs: 5000, validateOnly: false })
  })

  it.each([0, 1])('ElectLeaders of type %i', async (electionType) => {
    const topicPartitions = [
      { topic: 'a', partitions: [0, 7] },
      { topic: 'nobody', partitions: [0] },
    ]
    await expectSame(ApiKey.ElectLeaders, 2, { electionType, topicPartitions, timeoutMs: 5000 })
  })

  it.each([
    ['where it is', 0, [1]],
    ['nowhere', 0, []],
    ['to an unknown broker', 0, [2]],
    ['twice to one broker', 0, [1, 1]],
    ['nowhere else', 0, null],
    ['an unknown partition', 9, [1]],
  ])('AlterPartitionReassignments: %s', async (_case, partitionIndex, replicas) => {
    const topics = [{ name: 'a', partitions: [{ partitionIndex, replicas }] }]
    await expectSame(ApiKey.AlterPartitionReassignments, 1, { topics })
  })

  it('ListPartitionReassignments: all, and of a topic', async () => {
    await expectSame(ApiKey.ListPartitionReassignments, 0, { topics: null })
    const topics = [{ name: 'a', partitionIndexes: [0] }]
    await expectSame(ApiKey.ListPartitionReassignments, 0, { topics })
  })

  it.each([
    ['an unknown feature', 'no.such', 1, 1],
    ['too high a level', 'group.version', 9, 1],
    ['a level below 0', 'group.version', -1, 2],
    ['a downgrade that is not called one', 'group.version', 0, 1],
    ['the level that it has', 'transaction.version', 2, 1],
    ['an unknown kind of change', 'transaction.version', 1, 9],
    ['a downgrade', 'transaction.version', 1, 2],
    ['an upgrade', 'transaction.version', 2, 1],
  ])('UpdateFeatures: %s', async (_case, feature, maxVersionLevel, upgradeType) => {
    const featureUpdates = [{ feature, maxVersionLevel, upgradeType }]
    await expectSame(ApiKey.UpdateFeatures, 2, { featureUpdates, validateOnly: false })
  })

  it.each([0, 1, 2, 3, 4, 5, 6])(
    'FindCoordinator, version %i',
    async (version) => {
      const request = { keyType: 0, key: 'g', coordinatorKeys: ['g'] }
      await until(async () => {
        const found = await clients.kafka.ask(ApiKey.FindCoordinator, version, request)
        return [found, ...found.coordinators].every(({ errorCode }) => errorCode === 0)
      })
      await expectSame(ApiKey.FindCoordinator, version, request)
    },
    30_000,
  )

  it.each([1, 2, 3])('ACLs that come, are seen and go, version %i', async (version) => {
    const acl = { resourceType: TOPIC, resourceName: 'a', operation: 3, permissionType: 3 }
    const whose = { principal: 'User:alice', host: '*' }
    await expectSame(ApiKey.CreateAcls, version, {
      creations: [
        { ...acl, ...whose, resourcePatternType: 3 },
        { ...acl, ...whose, principal: 'alice', resourcePatternType: 3 },
      ],
    })
    const filter = { resourceTypeFilter: TOPIC, operation: 1, permissionType: 1 }
    const anyone = { principalFilter: null, hostFilter: null, patternTypeFilter: 3 }
    const byName = (resourceNameFilter: string) => ({ ...filter, ...anyone, resourceNameFilter })
    const hasAny = async () =>
      (await clients.kafka.ask(ApiKey.DescribeAcls, version, byName('a'))).resources.length > 0
    await until(hasAny) // Kafka's broker hears of a change from its controller, after that was answered
    await expectSame(ApiKey.DescribeAcls, version, byName('a'))
    await expectSame(ApiKey.DescribeAcls, version, byName('nobody'))
    await expectSame(ApiKey.DeleteAcls, version, { filters: [byName('a'), byName('nobody')] })
    await until(async () => !(await hasAny()))
  })

  it.each([0, 1])('DescribeClientQuotas of nobody, version %i', async (version) => {
    const components = [{ entityType: 'user', matchType: 0, match: 'nobody' }]
    await expectSame(ApiKey.DescribeClientQuotas, version, { components, strict: true })
  })

  it.each([[null], [[{ name: 'nobody' }]]])('DescribeUserScramCredentials: %j', async (users) => {
    await expectSame(ApiKey.DescribeUserScramCredentials, 0, { users })
  })

  it('UnregisterBroker: one that there is not', async () => {
    await expectSame(ApiKey.UnregisterBroker, 0, { brokerId: 77 })
  })

  it.each([
    ['by topics', ['b', 'a', 'nobody', 'no/body'], 2000, null],
    ['a first page', ['a', 'b'], 3, null],
    ['a next page', ['a', 'b'], 3, { topicName: 'a', partitionIndex: 1 }],
    ['a cursor elsewhere', ['a'], 3, { topicName: 'b', partitionIndex: 1 }],
    ['a cursor before the start', ['a'], 3, { topicName: 'a', partitionIndex: -1 }],
    ['nothing allowed', ['a', 'b'], 0, null],
  ])('DescribeTopicPartitions: %s', async (_case, names, responsePartitionLimit, cursor) => {
    const topics = names.map((name) => ({ name }))
    await expectSame(ApiKey.DescribeTopicPartitions, 0, { topics, responsePartitionLimit, cursor })
  })

  it.each([0, 1, 2])(
    'DescribeQuorum: a topic that is not the metadata, version %i',
    async (version) => {
      const topics = [{ topicName: 'a', partitions: [{ partitionIndex: 0 }] }]
      await expectSame(ApiKey.DescribeQuorum, version, { topics })
    },
  )

  it.each([
    [1, [BROKER, BROKER_LOGGER]],
    [1, [99]],
    [0, []],
  ])('ListConfigResources, version %i: %j', async (version, resourceTypes) => {
    await expectSame(ApiKey.ListConfigResources, version, { resourceTypes })
  })

  it.each([2, 9])('DescribeCluster: endpoint type %i', async (endpointType) => {
    const request = { includeClusterAuthorizedOperations: false, includeFencedBrokers: false }
    await expectSame(ApiKey.DescribeCluster, 2, { ...request, endpointType })
  })

  it('AlterReplicaLogDirs: to a directory that there is not', async () => {
    const dirs = [{ path: '/nowhere', topics: [{ name: 'a', partitions: [0] }] }]
    const { theirs, ours } = await bothAnswer(ApiKey.AlterReplicaLogDirs, 2, { dirs })
    expect(withoutTexts(ours)).toEqual(withoutTexts(theirs))
  })

  it('DescribeConfigs: the configs of a topic, but for the words and our own key', async () => {
    const request = {
      resources: [{ resourceType: TOPIC, resourceName: 'b', configurationKeys: null }],
      includeSynonyms: true,
      includeDocumentation: false,
    }
    const { theirs, ours } = await bothAnswer(ApiKey.DescribeConfigs, 4, request)
    const table = ({ results }: typeof ours) =>
      Object.fromEntries(
        results[0].configs
          // A cluster of Kafka is formatted with a default for min.insync.replicas.
          .filter(({ name }) => name !== 'ack.after.flush' && name !== 'min.insync.replicas')
          .map(({ name, ...rest }) => [name, { ...rest, documentation: null }]),
      )
    expect(table(ours)).toEqual(table(theirs))
  })

  it('GetTelemetrySubscriptions of a Kafka without plugin is not there, here it is', async () => {
    const answer = await clients.ours.ask(ApiKey.GetTelemetrySubscriptions, 0, {
      clientInstanceId: ZERO_UUID,
    })
    expect(answer.errorCode).toBe(0)
  })
})
