import { ApiKey } from '@millrace/wire'
import { findKafka, startKafka, type KafkaNode } from '../../peers/apache-kafka'
import { freePorts } from '../../peers/free-ports'
import { RawClient, startTestBroker, type TestBroker } from './harness'

/** The same changes of the listeners of this broker and of a real Kafka, while both run. */
const home = findKafka()
const describeOnKafka = 'missing' in home ? describe.skip : describe

const BROKER = 4
const [SET, DELETE] = [0, 1]

interface Side {
  readonly client: RawClient
  readonly listeners: string
  readonly protocols: string
  /** Of the listener that is added. */
  readonly newPort: number
}

let kafka: KafkaNode
let broker: TestBroker
let sides: { theirs: Side; ours: Side }

describeOnKafka('listeners are changed as in Kafka', () => {
  beforeAll(async () => {
    if ('missing' in home) return
    const [kafkaPort, ourPort, ...newPorts] = await freePorts(4)
    kafka = await startKafka(home, { heapMb: 256, port: kafkaPort })
    const address = `PLAINTEXT://127.0.0.1:${ourPort}`
    broker = await startTestBroker({ listeners: address, 'advertised.listeners': address })
    sides = {
      theirs: await openSide(kafkaPort, newPorts[0]),
      ours: await openSide(ourPort, newPorts[1]),
    }
    const topics = [
      { name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
    ]
    for (const { client } of Object.values(sides))
      await client.ask(ApiKey.CreateTopics, 7, { topics, timeoutMs: 10_000 })
  }, 90_000)
  afterAll(async () => {
    for (const side of Object.values(sides ?? {})) side.client.close()
    await kafka?.stop()
    await broker?.stop()
  })

  it('a listener without protocol is refused', async () => {
    await expectSameOutcome(42, ({ listeners, newPort }) => [
      ['listeners', `${listeners},NEW://127.0.0.1:${newPort}`],
    ])
  })

  it('one that nobody is told of serves those who know it', async () => {
    await expectSameOutcome(0, added)
    const [theirs, ours] = await Promise.all(
      [sides.theirs, sides.ours].map(async ({ newPort }) => {
        const client = await openWhenBound(newPort)
        const answers = await whatIsTold(client)
        client.close()
        return answers
      }),
    )
    expect(ours).toEqual(theirs)
  })

  it.each<readonly [string, number, (side: Side) => Changes]>([
    [
      'another protocol',
      42,
      (side) => [['listener.security.protocol.map', `${side.protocols},NEW:SASL_PLAINTEXT`]],
    ],
    ['its protocol away', 42, (side) => [['listener.security.protocol.map', side.protocols]]],
    ['what is no address', 42, (side) => [['listeners', `${side.listeners},NEW`]]],
    ['nothing', 42, () => [['listeners', '']]],
    [
      'its name twice',
      42,
      (side) => [['listeners', `${side.listeners},NEW://127.0.0.1:1,NEW://127.0.0.1:2`]],
    ],
    [
      'two on a port',
      42,
      (side) => [
        ['listener.security.protocol.map', `${side.protocols},NEW:PLAINTEXT,TWO:PLAINTEXT`],
        [
          'listeners',
          `${side.listeners},NEW://127.0.0.1:${side.newPort},TWO://127.0.0.2:${side.newPort}`,
        ],
      ],
    ],
    [
      'the advertised one away',
      42,
      (side) => [['listeners', withAddress(side, `NEW://127.0.0.1:${side.newPort}`)]],
    ],
    ['other advertised ones', 42, (side) => [['advertised.listeners', side.listeners]]],
    [
      'another port, which counts from the next start on',
      0,
      (side) => [['listeners', `${side.listeners},NEW://127.0.0.1:${side.newPort + 1}`]],
    ],
    [
      'keys of its own',
      0,
      () => [
        ['listener.name.new.max.connections', '5'],
        ['listener.name.other.connections.max.reauth.ms', '5000'],
        ['listener.name.other.no.such.key', '5'],
      ],
    ],
  ])('a listener gets %s', async (_case, errorCode, changesOf) => {
    await expectSameOutcome(errorCode, changesOf)
  })

  it('one that is removed is closed, with its connections', async () => {
    await expectSameOutcome(0, added)
    for (const side of [sides.theirs, sides.ours]) {
      const client = await openWhenBound(side.newPort)
      expect(
        await alter(side.client, [
          ['listeners', null],
          ['listener.security.protocol.map', null],
        ]),
      ).toBe(0)
      expect(await client.nextFrame()).toBeNull()
    }
  })
})

type Changes = readonly (readonly [name: string, value: string | null])[]

const added = ({ listeners, protocols, newPort }: Side): Changes => [
  ['listener.security.protocol.map', `${protocols},NEW:PLAINTEXT`],
  ['listeners', `${listeners},NEW://127.0.0.1:${newPort}`],
]

/** Kafka's controller has a listener as well, which stays. */
function withAddress({ listeners }: Side, address: string): string {
  return listeners.replace(/PLAINTEXT:[^,]*/, address)
}

async function expectSameOutcome(errorCode: number, changesOf: (side: Side) => Changes) {
  const { theirs, ours } = sides
  const outcomes = {
    theirs: await alter(theirs.client, changesOf(theirs)),
    ours: await alter(ours.client, changesOf(ours)),
  }
  expect(outcomes).toEqual({ theirs: errorCode, ours: errorCode })
}

async function alter(client: RawClient, changes: Changes): Promise<number> {
  const configs = changes.map(([name, value]) => ({
    name,
    configOperation: value === null ? DELETE : SET,
    value,
  }))
  const { responses } = await client.ask(ApiKey.IncrementalAlterConfigs, 1, {
    resources: [{ resourceType: BROKER, resourceName: '1', configs }],
    validateOnly: false,
  })
  return responses[0].errorCode
}

/** What clients of a listener learn, without what differs between two clusters. */
async function whatIsTold(client: RawClient) {
  const metadata = []
  for (const version of [1, 5, 6, 12])
    metadata.push(await client.ask(ApiKey.Metadata, version, { topics: [{ name: 't' }] }))
  const cluster = await client.ask(ApiKey.DescribeCluster, 1, {
    includeClusterAuthorizedOperations: false,
  })
  const partitions = await client.ask(ApiKey.DescribeTopicPartitions, 0, {
    topics: [{ name: 't' }],
    responsePartitionLimit: 10,
    cursor: null,
  })
  const coordinator = await client.ask(ApiKey.FindCoordinator, 3, { key: 'g', keyType: 0 })
  return JSON.parse(
    JSON.stringify({ metadata, cluster, partitions, coordinator }, (name, value: unknown) =>
      ['errorMessage', 'topicId', 'clusterId', 'leaderEpoch'].includes(name) ? undefined : value,
    ),
  )
}

async function openSide(port: number, newPort: number): Promise<Side> {
  const client = await RawClient.open(port)
  const { results } = await client.ask(ApiKey.DescribeConfigs, 4, {
    resources: [{ resourceType: BROKER, resourceName: '1', configurationKeys: null }],
    includeSynonyms: false,
    includeDocumentation: false,
  })
  const valueOf = (name: string) =>
    results[0].configs.find((config) => config.name === name)!.value!
  const protocols = valueOf('listener.security.protocol.map')
  return { client, listeners: valueOf('listeners'), protocols, newPort }
}

/** Kafka answers before it listens. */
async function openWhenBound(port: number): Promise<RawClient> {
  for (;;) {
    try {
      return await RawClient.open(port)
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
