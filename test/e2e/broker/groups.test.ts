import { ApiKey, ErrorCode } from '@millrace/wire'
import { RawClient, startTestBroker, type TestBroker } from './harness'

let broker: TestBroker
let client: RawClient
const UNKNOWN_ID = 'abcdefghijklmnopqrstuA'

beforeAll(async () => {
  broker = await startTestBroker()
  client = await RawClient.open(broker.port)
  await client.ask(ApiKey.FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })
})
afterAll(async () => {
  client.close()
  await broker.stop()
})

async function createTopic(name: string): Promise<string> {
  const { topics } = await client.ask(ApiKey.Metadata, 12, { topics: [{ name }] })
  return topics[0].topicId
}

function commitById(topicIds: readonly string[], committedOffset: number) {
  return client.ask(ApiKey.OffsetCommit, 10, {
    groupId: 'g',
    memberId: '',
    topics: topicIds.map((topicId) => ({
      topicId,
      partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: 'note' }],
    })),
  })
}

function fetchById(topicIds: readonly string[] | null) {
  return client.ask(ApiKey.OffsetFetch, 10, {
    groups: [
      {
        groupId: 'g',
        topics: topicIds?.map((topicId) => ({ topicId, partitionIndexes: [0] })) ?? null,
      },
    ],
  })
}

describe('offsets by topic id', () => {
  it('are stored for the topics that exist, and refused for those that do not', async () => {
    const topicId = await createTopic('by-id')
    const { topics } = await commitById([topicId, UNKNOWN_ID], 7)
    expect(topics).toMatchObject([
      { topicId, partitions: [{ errorCode: ErrorCode.NONE }] },
      { topicId: UNKNOWN_ID, partitions: [{ errorCode: ErrorCode.UNKNOWN_TOPIC_ID }] },
    ])
    const { groups } = await fetchById([UNKNOWN_ID, topicId])
    expect(groups[0].topics).toMatchObject([
      { topicId, partitions: [{ committedOffset: 7, metadata: 'note', errorCode: 0 }] },
      { topicId: UNKNOWN_ID, partitions: [{ errorCode: ErrorCode.UNKNOWN_TOPIC_ID }] },
    ])
    expect((await fetchById(null)).groups[0].topics).toMatchObject([{ topicId }])
  })

  it('go with their topic: one of the same name begins without', async () => {
    const before = await createTopic('again')
    await commitById([before], 5)
    await client.ask(ApiKey.DeleteTopics, 6, {
      topics: [{ name: null, topicId: before }],
      timeoutMs: 1000,
    })
    const after = await createTopic('again')
    expect(after).not.toBe(before)
    const { groups } = await fetchById([after])
    expect(groups[0].topics[0].partitions[0].committedOffset).toBe(-1)
  })

  it('survive a restart, as do the groups that hold them (ACK-3)', async () => {
    const topicId = await createTopic('kept')
    await commitById([topicId], 11)
    await broker.restart()
    client.close()
    client = await RawClient.open(broker.port)
    const { groups } = await fetchById([topicId])
    expect(groups[0].topics[0].partitions[0].committedOffset).toBe(11)
  })
})

describe('FindCoordinator', () => {
  it('tells those who look for a share coordinator that there is none, without a retry', async () => {
    const answer = await client.ask(ApiKey.FindCoordinator, 4, {
      keyType: 2,
      coordinatorKeys: ['share'],
    })
    expect(answer.coordinators).toMatchObject([
      { key: 'share', errorCode: ErrorCode.INVALID_REQUEST, errorMessage: expect.any(String) },
    ])
  })
})

describe('listeners', () => {
  it('tell their clients the address that is advertised for the listener they came by', async () => {
    const two = await startTestBroker({
      listeners: 'INSIDE://127.0.0.1:0,OUTSIDE://127.0.0.1:0',
      'advertised.listeners': 'INSIDE://127.0.0.1:0,OUTSIDE://broker.example:19093',
      'listener.security.protocol.map': 'INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT',
    })
    const addressOf = async (port: number) => {
      const raw = await RawClient.open(port)
      const { brokers } = await raw.ask(ApiKey.Metadata, 12, { topics: [] })
      raw.close()
      return `${brokers[0].host}:${brokers[0].port}`
    }
    expect(await addressOf(two.ports[0])).toBe(`127.0.0.1:${two.ports[0]}`)
    expect(await addressOf(two.ports[1])).toBe('broker.example:19093')
    await two.stop()
  })
})
