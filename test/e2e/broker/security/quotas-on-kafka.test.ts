import { ApiKey } from '@millrace/wire'
import { findKafka, startKafka, type KafkaNode } from '../../../peers/apache-kafka'
import { aBatch, RawClient, startTestBroker, type TestBroker } from '../harness'

/** What clients see of quotas on this broker and on a real Kafka must be the same. */
const home = findKafka()
const describeOnKafka = 'missing' in home ? describe.skip : describe
const title =
  'missing' in home
    ? `quotas beside Kafka's (skipped: no ${home.missing})`
    : "quotas beside Kafka's"

/** A long sample: no busy machine takes that long to answer. */
const SAMPLE_SECONDS = 5
const PROPERTIES = {
  'offsets.topic.num.partitions': '1',
  'quota.window.size.seconds': String(SAMPLE_SECONDS),
}
const IN_FORCE_MAX_MS = 10_000

let kafka: KafkaNode
let broker: TestBroker
const clients: RawClient[] = []

async function open(port: number): Promise<RawClient> {
  const client = await RawClient.open(port)
  clients.push(client)
  return client
}

async function setQuota(admin: RawClient, key: string, value: number | null): Promise<void> {
  const entity = [{ entityType: 'user', entityName: null }]
  const ops = [{ key, value: value ?? 0, remove: value === null }]
  const request = { entries: [{ entity, ops }], validateOnly: false }
  expect((await admin.ask(ApiKey.AlterClientQuotas, 1, request)).entries[0].errorCode).toBe(0)
}

function aFetch(maxWaitMs: number) {
  const partitions = [{ partition: 0, fetchOffset: 1, partitionMaxBytes: 1000 }]
  const topics = [{ topic: 'data', partitions }]
  return { maxWaitMs, minBytes: 1, maxBytes: 1000, sessionEpoch: -1, topics }
}

function aProduce(acks: number) {
  const partitionData = [{ index: 0, records: aBatch(['x']) }]
  return {
    transactionalId: null,
    acks,
    timeoutMs: 5000,
    topicData: [{ name: 'data', partitionData }],
  }
}

/** The throttle times of some requests on one broker, each on a connection of its own: no wait holds up the next one. */
async function throttleTimes(port: number): Promise<Record<string, number>> {
  const admin = await open(port)
  const shape = { numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
  const topics = [{ name: 'data', ...shape }]
  await admin.ask(ApiKey.CreateTopics, 7, { topics, timeoutMs: 10_000 })
  await admin.ask(ApiKey.Produce, 9, aProduce(-1))
  const times: Record<string, number> = {}
  await setQuota(admin, 'request_percentage', 20)
  for (let count = 0; count < 3; count++) {
    const waiting = await open(port)
    const { throttleTimeMs } = await waiting.ask(ApiKey.Fetch, 12, aFetch(700))
    times[`fetch ${count} that waits`] = throttleTimeMs
  }
  await setQuota(admin, 'request_percentage', 0.000_001)
  await untilThrottled(port)
  const metadata = { topics: null, allowAutoTopicCreation: false }
  const ask = {
    metadata: (one: RawClient) => one.ask(ApiKey.Metadata, 9, metadata),
    versions: (one: RawClient) => one.ask(ApiKey.ApiVersions, 1, {}),
    fetch: (one: RawClient) => one.ask(ApiKey.Fetch, 12, aFetch(1)),
    produce: (one: RawClient) => one.ask(ApiKey.Produce, 9, aProduce(-1)),
    group: (one: RawClient) => one.ask(ApiKey.ListGroups, 4, {}),
  }
  for (const [name, request] of Object.entries(ask))
    times[name] = (await request(await open(port))).throttleTimeMs
  const unacked = await open(port)
  unacked.send(ApiKey.Produce, 9, aProduce(0))
  const startedMs = performance.now()
  await unacked.ask(ApiKey.ApiVersions, 1, {})
  times['muted after acks=0'] = Number(performance.now() - startedMs > 900 * SAMPLE_SECONDS)
  await setQuota(await open(port), 'request_percentage', null)
  return times
}

async function untilThrottled(port: number): Promise<void> {
  for (const deadline = Date.now() + IN_FORCE_MAX_MS; Date.now() < deadline; ) {
    const { throttleTimeMs } = await (await open(port)).ask(ApiKey.ApiVersions, 1, {})
    if (throttleTimeMs > 0) return
  }
  throw new Error('the quota is not in force')
}

/** What is told of entities with a user and a client id, and with one to three quotas, in each order of the request. */
async function toldQuotas(port: number): Promise<object[]> {
  const admin = await open(port)
  const keys = [
    'producer_byte_rate',
    'consumer_byte_rate',
    'request_percentage',
    'controller_mutation_rate',
  ]
  const told: object[] = []
  const pairs = keys.flatMap((one) => keys.map((other) => [one, other]))
  const triples = pairs.flatMap((pair) =>
    keys.map((third) => [...new Set([...pair, third])].join()),
  )
  for (const wanted of [...new Set(triples)].map((joined) => joined.split(',')))
    for (const type of ['user', 'client-id']) {
      const named = [type, type === 'user' ? 'client-id' : 'user']
      const entity = named.map((entityType) => ({ entityType, entityName: wanted.join() }))
      for (const remove of [false, true]) {
        const ops = wanted.map((key) => ({ key, value: 1_000_000, remove }))
        const request = { entries: [{ entity, ops }], validateOnly: false }
        told.push(await admin.ask(ApiKey.AlterClientQuotas, 1, request))
        if (!remove) told.push(await untilTold(admin, wanted.join()))
      }
    }
  return told
}

/** A change is answered before it is in force. */
async function untilTold(admin: RawClient, user: string): Promise<object> {
  const components = [{ entityType: 'user', matchType: 0, match: user }]
  for (const deadline = Date.now() + IN_FORCE_MAX_MS; Date.now() < deadline; ) {
    const answer = await admin.ask(ApiKey.DescribeClientQuotas, 1, { components, strict: false })
    if (answer.entries?.length === 1) return answer
  }
  throw new Error(`no quotas of ${user} are told`)
}

describeOnKafka(title, () => {
  beforeAll(async () => {
    if ('missing' in home) return
    kafka = await startKafka(home, { heapMb: 256, properties: PROPERTIES })
    broker = await startTestBroker(PROPERTIES)
  }, 90_000)
  afterAll(async () => {
    await kafka?.stop()
    await broker?.stop()
  })
  afterEach(() => {
    for (const client of clients.splice(0)) client.close()
  })

  it('the one on the time for requests holds up the same requests for the same time', async () => {
    const theirs = await throttleTimes(kafka.port)
    expect(await throttleTimes(broker.port)).toEqual(theirs)
  })

  it('entities and values are told in the same order', async () => {
    expect(await toldQuotas(broker.port)).toEqual(await toldQuotas(kafka.port))
  })
})
