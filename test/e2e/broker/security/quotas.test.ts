import { ApiKey, ErrorCode } from '@millrace/wire'
import { aBatch, RawClient, startTestBroker, type TestBroker } from '../harness'

const RATE = 10_000
/** What comes with the records in a request. */
const OVERHEAD_MAX_BYTES = 200

let broker: TestBroker
let admin: RawClient
let client: RawClient

beforeEach(async () => {
  broker = await startTestBroker()
  admin = await RawClient.open(broker.port)
  client = await RawClient.open(broker.port)
  await createTopic('data')
})
afterEach(async () => {
  admin.close()
  client.close()
  await broker.stop()
})

type Entity = Record<string, string | null>

async function setQuota(entity: Entity, key: string, value: number | null): Promise<void> {
  const named = Object.entries(entity).map(([entityType, entityName]) => ({
    entityType,
    entityName,
  }))
  const ops = [{ key, value: value ?? 0, remove: value === null }]
  const { entries } = await admin.ask(ApiKey.AlterClientQuotas, 1, {
    entries: [{ entity: named, ops }],
    validateOnly: false,
  })
  expect(entries).toMatchObject([{ errorCode: ErrorCode.NONE }])
}

async function createTopic(name: string, numPartitions = 1, version = 7) {
  const shape = { numPartitions, replicationFactor: 1, assignments: [], configs: [] }
  const answer = await admin.ask(ApiKey.CreateTopics, version, {
    topics: [{ name, ...shape }],
    timeoutMs: 5000,
  })
  return { ...answer.topics[0], throttleTimeMs: answer.throttleTimeMs }
}

function aProduce(bytes: number, acks = -1) {
  const records = aBatch(['x'.repeat(bytes)])
  const topicData = [{ name: 'data', partitionData: [{ index: 0, records }] }]
  return { transactionalId: null, acks, timeoutMs: 5000, topicData }
}

async function fetchAll(maxBytes = 1_000_000) {
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }]
  const { responses, throttleTimeMs } = await client.ask(ApiKey.Fetch, 12, {
    maxWaitMs: 100,
    minBytes: 1,
    maxBytes,
    sessionEpoch: -1,
    topics: [{ topic: 'data', partitions }],
  })
  const bytes = responses.flatMap((topic) => topic.partitions.map((p) => p.records?.length ?? 0))
  return { throttleTimeMs, bytes: bytes.reduce((a, b) => a + b, 0) }
}

/** Resolves once so many records are in the topic. */
async function untilWritten(count: number): Promise<void> {
  const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1 }]
  const request = { replicaId: -1, isolationLevel: 0, topics: [{ name: 'data', partitions }] }
  for (let offset = 0; offset < count; ) {
    const { topics } = await admin.ask(ApiKey.ListOffsets, 8, request)
    offset = topics[0].partitions[0].offset
  }
}

/** Waits are compared with the time since the cause of them: then it does not matter how slowly a test goes on. */
const msSince = (startedMs: number) => performance.now() - startedMs
/** A timer may fire this much early. */
const TIMER_SLACK_MS = 5

describe('a quota on what is written', () => {
  it('tells the client to wait, and makes it wait if it does not listen', async () => {
    await setQuota({ user: null }, 'producer_byte_rate', RATE)
    // Ten seconds' worth are free; what is more takes its time at the rate.
    const startedMs = performance.now()
    const value = await client.ask(ApiKey.Produce, 9, aProduce(RATE * 12))
    expect(msSince(startedMs)).toBeLessThan(2000) // the answer itself does not wait
    expect(value.responses[0].partitionResponses[0].errorCode).toBe(ErrorCode.NONE)
    expect(value.throttleTimeMs).toBeGreaterThanOrEqual(2000)
    expect(value.throttleTimeMs).toBeLessThan(2000 + (OVERHEAD_MAX_BYTES / RATE) * 1000)
    await client.ask(ApiKey.ApiVersions, 0, {})
    expect(msSince(startedMs)).toBeGreaterThan(2000 - TIMER_SLACK_MS)
  })

  it('holds up who takes no answers, too', async () => {
    await setQuota({ 'client-id': 'raw' }, 'producer_byte_rate', RATE)
    const startedMs = performance.now()
    client.send(ApiKey.Produce, 9, aProduce(RATE * 10.5, 0))
    await untilWritten(1) // it may have company until it is judged
    expect((await client.ask(ApiKey.ApiVersions, 3, SOFTWARE)).errorCode).toBe(0)
    expect(msSince(startedMs)).toBeGreaterThan(500 - TIMER_SLACK_MS)
  })

  it('holds up no other client, and ends when it is removed', async () => {
    await setQuota({ user: 'ANONYMOUS', 'client-id': 'other' }, 'producer_byte_rate', 1)
    expect((await client.ask(ApiKey.Produce, 9, aProduce(5000))).throttleTimeMs).toBe(0)
    await setQuota({ 'client-id': 'raw' }, 'producer_byte_rate', RATE)
    await setQuota({ 'client-id': 'raw' }, 'producer_byte_rate', null)
    expect((await client.ask(ApiKey.Produce, 9, aProduce(RATE * 12))).throttleTimeMs).toBe(0)
  })

  it('is there after a restart', async () => {
    await setQuota({ user: null }, 'producer_byte_rate', RATE)
    client.close()
    await broker.restart()
    client = await RawClient.open(broker.port)
    const { throttleTimeMs } = await client.ask(ApiKey.Produce, 9, aProduce(RATE * 10.5))
    expect(throttleTimeMs).toBeGreaterThanOrEqual(500)
  })
})

const SOFTWARE = { clientSoftwareName: 'raw', clientSoftwareVersion: '1' }

describe('a quota on what is read', () => {
  it('lets a client read in portions that its rate allows, and answers nothing beyond it', async () => {
    for (let count = 0; count < 3; count++) await admin.ask(ApiKey.Produce, 9, aProduce(5000))
    await setQuota({ user: null }, 'consumer_byte_rate', 1000)
    const first = await fetchAll()
    expect(first).toMatchObject({ throttleTimeMs: 0 })
    expect(first.bytes).toBeGreaterThan(5000)
    expect(first.bytes).toBeLessThanOrEqual(10_000)
    const second = await fetchAll()
    expect(second.bytes).toBe(0)
    expect(second.throttleTimeMs).toBeGreaterThan(0)
  })

  it('does not count what it did not answer', async () => {
    await admin.ask(ApiKey.Produce, 9, aProduce(6000))
    await setQuota({ user: null }, 'consumer_byte_rate', 1000)
    expect((await fetchAll()).bytes).toBeGreaterThan(6000)
    const { throttleTimeMs } = await fetchAll()
    const again = await fetchAll() // comes after the first wait
    expect(throttleTimeMs).toBeGreaterThan(0)
    expect(again.throttleTimeMs).toBeLessThanOrEqual(throttleTimeMs)
  })
})

describe('a quota on the time for requests', () => {
  it('asks for waits of at most one sample', async () => {
    await setQuota({ user: null }, 'request_percentage', 0.000_01)
    const { throttleTimeMs } = await client.ask(ApiKey.Metadata, 12, { topics: null })
    expect(throttleTimeMs).toBe(1000)
  })
})

describe('a quota on changes of topics', () => {
  it('refuses what comes before the debt is paid, and lets older clients through', async () => {
    await setQuota({ user: null }, 'controller_mutation_rate', 1)
    const startedMs = performance.now()
    expect(await createTopic('burst', 13)).toMatchObject({ errorCode: 0, throttleTimeMs: 0 })
    const refused = await createTopic('more', 1)
    const refusedAfterMs = msSince(startedMs)
    expect(refused.errorCode).toBe(ErrorCode.THROTTLING_QUOTA_EXCEEDED)
    expect(refused.throttleTimeMs).toBeGreaterThan(1999 - refusedAfterMs)
    expect(refused.throttleTimeMs).toBeLessThanOrEqual(2000)
    admin.close()
    admin = await RawClient.open(broker.port)
    const old = await createTopic('old', 1, 5)
    expect(old.errorCode).toBe(ErrorCode.NONE)
    const betweenMs = msSince(startedMs) - refusedAfterMs
    expect(old.throttleTimeMs).toBeGreaterThan(refused.throttleTimeMs + 999 - betweenMs)
    const { topics } = await client.ask(ApiKey.Metadata, 12, { topics: null })
    const names = new Set(topics.map(({ name }) => name))
    expect(names).toEqual(new Set(['burst', 'data', 'old']))
  })
})

describe('a quota on new connections', () => {
  it('closes those beyond the rate of their address, after a while', async () => {
    await setQuota({ ip: '127.0.0.1' }, 'connection_creation_rate', 1)
    const clients: RawClient[] = []
    const startedMs = performance.now()
    for (let count = 0; count < 13; count++) clients.push(await RawClient.open(broker.port))
    // Ten come at once, and one more with each second.
    const beyondMinCount = 3 - Math.ceil(msSince(startedMs) / 1000)
    const answers = await Promise.all(
      clients.map((one) => one.ask(ApiKey.ApiVersions, 0, {}).catch(() => null)),
    )
    const closed = clients.filter(({ isClosed }) => isClosed)
    expect(answers.filter((answer) => answer === null)).toHaveLength(closed.length)
    expect(closed.length).toBeGreaterThanOrEqual(beyondMinCount)
    expect(closed.length).toBeLessThanOrEqual(3)
    for (const one of clients) one.close()
    expect((await admin.ask(ApiKey.ApiVersions, 0, {})).errorCode).toBe(0)
  })
})

describe('quotas', () => {
  it('are told by the filters of a request', async () => {
    await setQuota({ user: 'a' }, 'request_percentage', 12.5)
    await setQuota({ user: 'a', 'client-id': null }, 'producer_byte_rate', 5)
    await setQuota({ ip: '10.0.0.1' }, 'connection_creation_rate', 7)
    const describeBy = async (components: object[], strict: boolean) => {
      const request = { components: components as never, strict }
      const { entries } = await admin.ask(ApiKey.DescribeClientQuotas, 1, request)
      return entries?.map(({ values }) => values[0].value).sort()
    }
    expect(await describeBy([], false)).toEqual([12.5, 5, 7])
    const user = { entityType: 'user', matchType: 0, match: 'a' }
    expect(await describeBy([user], true)).toEqual([12.5])
    expect(await describeBy([user], false)).toEqual([12.5, 5])
    expect(await describeBy([{ entityType: 'ip', matchType: 2, match: null }], true)).toEqual([7])
    const anyDefault = { entityType: 'client-id', matchType: 1, match: null }
    expect(await describeBy([anyDefault], false)).toEqual([5])
  })

  it('are told in one order, whatever that of the request', async () => {
    await setQuota({ user: 'a', 'client-id': 'c' }, 'producer_byte_rate', 5)
    await setQuota({ user: 'a', 'client-id': 'c' }, 'consumer_byte_rate', 7)
    const all = { components: [], strict: false }
    const told = await admin.ask(ApiKey.DescribeClientQuotas, 1, all)
    expect(told.entries).toMatchObject([
      {
        entity: [{ entityType: 'client-id' }, { entityType: 'user' }],
        values: [{ key: 'consumer_byte_rate' }, { key: 'producer_byte_rate' }],
      },
    ])
  })

  it('are refused one by one', async () => {
    const entry = (entityType: string, entityName: string, key: string, value: number) => ({
      entity: [{ entityType, entityName }],
      ops: [{ key, value, remove: false }],
    })
    const { entries } = await admin.ask(ApiKey.AlterClientQuotas, 1, {
      entries: [
        entry('user', 'a', 'producer_byte_rate', -1),
        entry('user', 'b', 'producer_byte_rate', 1000),
        entry('user', 'b', 'producer_byte_rate', 2000),
        entry('ip', 'no.such.host.invalid', 'connection_creation_rate', 1),
        entry('user', 'c', 'request_percentage', 7),
      ],
      validateOnly: false,
    })
    const { INVALID_REQUEST, NONE } = ErrorCode
    expect(entries.map(({ errorCode }) => errorCode)).toEqual([
      INVALID_REQUEST,
      INVALID_REQUEST, // one result for b: that of its second entry, though the first one counts
      INVALID_REQUEST,
      NONE,
    ])
    const all = { components: [], strict: false }
    const told = await admin.ask(ApiKey.DescribeClientQuotas, 1, all)
    expect(told.entries).toMatchObject([{ values: [{ value: 1000 }] }, { values: [{ value: 7 }] }])
  })
})
