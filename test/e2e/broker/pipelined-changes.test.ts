import { ApiKey } from '@millrace/wire'
import { aBatch, RawClient, startTestBroker, type TestBroker } from './harness'

let broker: TestBroker
let client: RawClient

beforeAll(async () => {
  broker = await startTestBroker()
})
afterAll(() => broker.stop())
beforeEach(async () => {
  client = await RawClient.open(broker.port)
})
afterEach(() => client.close())

const createTopic = (name: string) => ({
  topics: [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
  timeoutMs: 5000,
})
const metadataOf = (name: string) => ({ topics: [{ name }], allowAutoTopicCreation: false })
const TOPIC = 2
const SET = 0

/** As clients do that do not wait for one answer before they send the next request. */
describe('a request that was sent right after a change on the same connection', () => {
  it('finds a topic that was created, and no longer one that was deleted', async () => {
    client.send(ApiKey.CreateTopics, 7, createTopic('brief'))
    client.send(ApiKey.Metadata, 12, metadataOf('brief'))
    client.send(ApiKey.DeleteTopics, 5, { topicNames: ['brief'], timeoutMs: 5000 })
    client.send(ApiKey.Metadata, 12, metadataOf('brief'))
    await client.receive(ApiKey.CreateTopics, 7)
    const created = await client.receive(ApiKey.Metadata, 12)
    await client.receive(ApiKey.DeleteTopics, 5)
    const deleted = await client.receive(ApiKey.Metadata, 12)
    expect(created.value.topics).toMatchObject([{ errorCode: 0, name: 'brief' }])
    expect(deleted.value.topics).toMatchObject([{ errorCode: 3, name: 'brief' }])
  })

  it('finds the earliest offset where records were deleted up to', async () => {
    await client.ask(ApiKey.CreateTopics, 7, createTopic('trimmed'))
    await client.ask(ApiKey.Produce, 9, {
      acks: -1,
      timeoutMs: 5000,
      topicData: [
        { name: 'trimmed', partitionData: [{ index: 0, records: aBatch(['a', 'b', 'c']) }] },
      ],
    })
    client.send(ApiKey.DeleteRecords, 2, {
      topics: [{ name: 'trimmed', partitions: [{ partitionIndex: 0, offset: 2 }] }],
      timeoutMs: 5000,
    })
    client.send(ApiKey.ListOffsets, 7, {
      replicaId: -1,
      topics: [{ name: 'trimmed', partitions: [{ partitionIndex: 0, timestamp: -2 }] }],
    })
    const deleted = await client.receive(ApiKey.DeleteRecords, 2)
    const listed = await client.receive(ApiKey.ListOffsets, 7)
    expect(deleted.value.topics[0].partitions).toMatchObject([{ lowWatermark: 2, errorCode: 0 }])
    expect(listed.value.topics[0].partitions).toMatchObject([{ offset: 2, errorCode: 0 }])
  })

  it('is told the config that was set', async () => {
    await client.ask(ApiKey.CreateTopics, 7, createTopic('tuned'))
    client.send(ApiKey.IncrementalAlterConfigs, 1, {
      resources: [
        {
          resourceType: TOPIC,
          resourceName: 'tuned',
          configs: [{ name: 'retention.ms', configOperation: SET, value: '1234' }],
        },
      ],
      validateOnly: false,
    })
    client.send(ApiKey.DescribeConfigs, 4, {
      resources: [
        { resourceType: TOPIC, resourceName: 'tuned', configurationKeys: ['retention.ms'] },
      ],
      includeSynonyms: false,
      includeDocumentation: false,
    })
    await client.receive(ApiKey.IncrementalAlterConfigs, 1)
    const { value } = await client.receive(ApiKey.DescribeConfigs, 4)
    expect(value.results[0].configs).toMatchObject([{ name: 'retention.ms', value: '1234' }])
  })

  it('is told the offset that was committed', async () => {
    await client.ask(ApiKey.CreateTopics, 7, createTopic('read'))
    await client.ask(ApiKey.FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['readers'] })
    const commit = {
      groupId: 'readers',
      generationIdOrMemberEpoch: -1,
      memberId: '',
      topics: [
        {
          name: 'read',
          partitions: [{ partitionIndex: 0, committedOffset: 7, committedMetadata: '' }],
        },
      ],
    }
    client.send(ApiKey.OffsetCommit, 8, commit)
    client.send(ApiKey.OffsetFetch, 8, {
      groups: [{ groupId: 'readers', topics: [{ name: 'read', partitionIndexes: [0] }] }],
    })
    await client.receive(ApiKey.OffsetCommit, 8)
    const { value } = await client.receive(ApiKey.OffsetFetch, 8)
    expect(value.groups[0].topics[0].partitions).toMatchObject([{ committedOffset: 7 }])
  })
})
