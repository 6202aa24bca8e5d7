import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '@millrace/base'
import { BatchBuilder } from '@millrace/record'
import { ApiKey } from '@millrace/wire'
import { RawClient, startTestBroker, type TestBroker } from './harness'
import { eventually } from '../wait'

/** Small segments and no patience, so that a test sees what takes days otherwise. */
const PROPERTIES = {
  'offsets.topic.num.partitions': '1',
  'offsets.topic.segment.bytes': '1048576',
  'log.cleaner.backoff.ms': '20',
  'log.cleaner.min.cleanable.ratio': '0.1',
  'log.segment.delete.delay.ms': '0',
}
const METADATA = 'm'.repeat(4000)
const COMMITS = 600
const MIB = 1 << 20

let broker: TestBroker

beforeAll(async () => {
  broker = await startTestBroker(PROPERTIES)
})
afterAll(() => broker.stop())

describe('topics with cleanup.policy=compact', () => {
  it('lets the offsets of groups shrink to the last ones, which survive a restart', async () => {
    const client = await RawClient.open(broker.port)
    const created = await createTopic(client, 'orders', {})
    for (let offset = 0; offset < COMMITS; offset++) await commit(client, created, offset)
    client.close()
    await untilSmallerThan('__consumer_offsets-0', 1.5 * MIB)
    await broker.restart()
    const again = await RawClient.open(broker.port)
    expect(await committed(again, created)).toBe(COMMITS - 1)
    again.close()
  })

  it('keeps the newest value of each key of a topic, and says how far it came', async () => {
    const client = await RawClient.open(broker.port)
    const topicId = await createTopic(client, 'prices', {
      'cleanup.policy': 'compact',
      'segment.bytes': '1048576',
    })
    for (let round = 0; round < 40; round++) await produceRound(client, topicId, round)
    client.close()
    await untilSmallerThan('prices-0', 1.5 * MIB)
    // The checkpoint follows the swap.
    const checkpoint = join(broker.directory, 'cleaner-offset-checkpoint')
    await eventually(() => expect(readFileSync(checkpoint, 'utf8')).toMatch(/^prices 0 \d+$/m))
    expect(broker.complaints).toEqual([])
  })
})

async function createTopic(
  client: RawClient,
  name: string,
  configs: Record<string, string>,
): Promise<string> {
  const topic = {
    name,
    numPartitions: 1,
    replicationFactor: 1,
    assignments: [],
    configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
  }
  const { topics } = await client.ask(ApiKey.CreateTopics, 7, {
    topics: [topic],
    timeoutMs: 10_000,
  })
  return topics[0].topicId
}

async function commit(client: RawClient, topicId: string, offset: number): Promise<void> {
  const partitions = [{ partitionIndex: 0, committedOffset: offset, committedMetadata: METADATA }]
  const request = { groupId: 'g', topics: [{ topicId, partitions }] }
  for (;;) {
    const { topics } = await client.ask(ApiKey.OffsetCommit, 10, request)
    const { errorCode } = topics[0].partitions[0]
    if (errorCode === 0) return
    // The coordinator is still coming up.
    if (![14, 15, 16].includes(errorCode)) throw new Error(`the commit answers ${errorCode}`)
    await client.ask(ApiKey.FindCoordinator, 3, { key: 'g', keyType: 0 })
    await systemClock.sleep(20)
  }
}

async function committed(client: RawClient, topicId: string): Promise<number> {
  for (;;) {
    const groups = [{ groupId: 'g', topics: [{ topicId, partitionIndexes: [0] }] }]
    const answer = await client.ask(ApiKey.OffsetFetch, 10, { groups })
    const { errorCode, topics } = answer.groups[0]
    if (errorCode === 0) return topics[0].partitions[0].committedOffset
    await systemClock.sleep(20)
  }
}

async function produceRound(client: RawClient, topicId: string, round: number): Promise<void> {
  const builder = new BatchBuilder()
  for (let key = 0; key < 10; key++) {
    builder.append(Date.now(), Buffer.from(`k${key}`), Buffer.alloc(10_000, `${round}`))
  }
  const topicData = [{ topicId, partitionData: [{ index: 0, records: builder.build() }] }]
  const request = { transactionalId: null, acks: -1, timeoutMs: 10_000, topicData }
  const { responses } = await client.ask(ApiKey.Produce, 13, request)
  expect(responses[0].partitionResponses[0].errorCode).toBe(0)
}

/** The bytes of all logs of a partition. */
function sizeOf(partition: string): number {
  const directory = join(broker.directory, partition)
  const logs = readdirSync(directory).filter((name) => name.endsWith('.log'))
  return logs.reduce(
    (sum, name) => sum + (statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  )
}

async function untilSmallerThan(partition: string, bytes: number): Promise<void> {
  await eventually(() => expect(sizeOf(partition)).toBeLessThan(bytes))
}
