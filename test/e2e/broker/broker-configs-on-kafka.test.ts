import { ApiKey, type apiMessages, type Infer } from '@millrace/wire'
import { findKafka, startKafka, type KafkaNode } from '../../peers/apache-kafka'
import { RawClient, startTestBroker, type TestBroker } from './harness'

/** What DescribeConfigs tells of a broker, key by key, for the same server.properties and the same changes since. */
const home = findKafka()
const describeOnKafka = 'missing' in home ? describe.skip : describe

const BROKER = 4
const SET = 0
const STATIC_BROKER = 4

type Description = Infer<
  (typeof apiMessages)[typeof ApiKey.DescribeConfigs]['response']
>['results'][number]

/** Spelled as people do, with secrets, with what a plugin may read, and for a listener. */
const GIVEN = {
  'a.plugin.key': 'x',
  'auto.create.topics.enable': 'TRUE',
  'compression.type': 'gzip',
  'listener.name.plaintext.connections.max.reauth.ms': '7000',
  'listener.name.plaintext.max.connections': '77',
  'listener.name.plaintext.scram-sha-256.sasl.jaas.config':
    'org.apache.kafka.common.security.scram.ScramLoginModule required;',
  'listener.name.plaintext.ssl.client.auth': 'none',
  'listener.name.plaintext.ssl.keystore.password': 'secret',
  'log.cleaner.min.cleanable.ratio': '.6',
  'log.cleanup.policy': 'delete, compact',
  'log.flush.interval.messages': '99',
  'log.message.timestamp.type': 'LogAppendTime',
  'log.retention.bytes': '-1',
  'log.retention.hours': '24',
  'log.roll.ms': '100000',
  'message.max.bytes': '2000000',
  'num.io.threads': '5',
  'producer.id.expiration.check.interval.ms': '500000',
  'ssl.keystore.password': 'p',
  'ssl.keystore.type': 'PEM',
  'super.users': 'User:a;User:b',
  'transaction.state.log.num.partitions': '4',
}

const CHANGED = {
  '1': {
    'listener.name.plaintext.max.connections': '88',
    'listener.name.plaintext.ssl.truststore.password': 'zz',
    'log.cleaner.threads': '2',
    'log.retention.ms': '5000',
    'some.plugin': 'x',
  },
  '': {
    'log.cleaner.threads': '3',
    'log.segment.bytes': '3000000',
    'max.connections': '400',
    'other.plugin': 'y',
  },
}

const ADDRESSES = ['listeners', 'advertised.listeners', 'log.dirs']
const DIFFERENT_ON_PURPOSE = [
  ...ADDRESSES,
  // One setting under two names, with one default; Kafka has no default of node.id: it must be told.
  'broker.id',
  'node.id',
  'process.roles',
  'controller.listener.names',
  'log.dir',
  // A list that is read as such; Kafka takes it apart itself.
  'listener.security.protocol.map',
  // A cluster of Kafka is formatted with a default for all brokers.
  'min.insync.replicas',
]
/** Keys that Kafka has not, or describes only once they are set. */
const OUR_OWN = [
  'log.ack.after.flush',
  'metrics.http.listener',
  'replica.alter.log.dirs.io.max.bytes.per.second',
  'scram.bootstrap.credentials',
]

let kafka: KafkaNode
let broker: TestBroker
let clients: readonly RawClient[] = []

describeOnKafka('the configs of a broker are described as by Kafka', () => {
  beforeAll(async () => {
    if ('missing' in home) return
    kafka = await startKafka(home, { heapMb: 256, properties: GIVEN })
    const theirs = await RawClient.open(kafka.port)
    broker = await startTestBroker({ ...staticOf(await describeBroker(theirs, '1')), ...GIVEN })
    clients = [theirs, await RawClient.open(broker.port)]
    for (const client of clients)
      for (const [name, changes] of Object.entries(CHANGED)) {
        await alter(client, name, changes)
        await untilInForce(client, name, changes)
      }
  }, 90_000)
  afterAll(async () => {
    for (const client of clients) client.close()
    await kafka?.stop()
    await broker?.stop()
  })

  it.each([
    ['1', true],
    ['1', false],
    ['', true],
  ])('of the broker "%s", with synonyms: %s', async (name, includeSynonyms) => {
    const [theirs, ours] = await Promise.all(
      clients.map((client) => describeBroker(client, name, includeSynonyms)),
    )
    const [kafkas, mine] = [tableOf(theirs), tableOf(ours)]
    const differing = Array.from(new Set([...kafkas.keys(), ...mine.keys()]))
      .filter((key) => ![...DIFFERENT_ON_PURPOSE, ...OUR_OWN].includes(key))
      .filter((key) => mine.get(key) !== kafkas.get(key))
      .map((key) => ({ key, kafka: kafkas.get(key), ours: mine.get(key) }))
    expect(differing).toEqual([])
    expect({ ...ours, configs: [] }).toEqual({ ...theirs, configs: [] })
  })
})

async function describeBroker(
  client: RawClient,
  resourceName: string,
  includeSynonyms = true,
): Promise<Description> {
  const { results } = await client.ask(ApiKey.DescribeConfigs, 4, {
    resources: [{ resourceType: BROKER, resourceName, configurationKeys: null }],
    includeSynonyms,
    includeDocumentation: false,
  })
  return results[0]
}

/** What stands in the file that the test bed wrote, but for where the node is. */
function staticOf({ configs }: Description): Record<string, string> {
  const given = configs.flatMap(({ name, synonyms }) =>
    synonyms
      .filter((one) => one.name === name && one.source === STATIC_BROKER && one.value !== null)
      .map(({ value }): [string, string] => [name, value!]),
  )
  return Object.fromEntries(given.filter(([name]) => !DIFFERENT_ON_PURPOSE.includes(name)))
}

function tableOf({ configs }: Description): Map<string, string> {
  return new Map(configs.map(({ name, ...rest }) => [name, JSON.stringify(rest)]))
}

async function alter(
  client: RawClient,
  resourceName: string,
  changes: Readonly<Record<string, string>>,
): Promise<void> {
  const configs = Object.entries(changes).map(([name, value]) => ({
    name,
    configOperation: SET,
    value,
  }))
  const { responses } = await client.ask(ApiKey.IncrementalAlterConfigs, 1, {
    resources: [{ resourceType: BROKER, resourceName, configs }],
    validateOnly: false,
  })
  const { errorCode, errorMessage } = responses[0]
  if (errorCode !== 0) throw new Error(`refused with ${errorCode}: ${errorMessage}`)
}

/** Kafka answers before the broker has heard of it. */
async function untilInForce(
  client: RawClient,
  resourceName: string,
  changes: Readonly<Record<string, string>>,
): Promise<void> {
  for (;;) {
    const { configs } = await describeBroker(client, resourceName)
    const names = new Set(configs.map(({ name }) => name))
    const threads = configs.find(({ name }) => name === 'log.cleaner.threads')?.value
    const isThere = Object.keys(changes).every((name) => names.has(name))
    if (isThere && threads === changes['log.cleaner.threads']) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
