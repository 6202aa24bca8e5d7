import { batch, BatchBuilder, Codec } from '@millrace/record'
import { ApiKey, ApiVersionsResponse, decodeResponse, ErrorCode } from '@millrace/wire'
import { aBatch, RawClient, startTestBroker, type TestBroker } from './harness'

const FIRST_VERSION_WITH_FEATURES = 3
let broker: TestBroker
let client: RawClient

beforeAll(async () => {
  broker = await startTestBroker({ 'socket.request.max.bytes': '1000000' })
})
afterAll(() => broker.stop())
beforeEach(async () => {
  client = await RawClient.open(broker.port)
})
afterEach(() => client.close())

/** Creates a topic and returns its id. */
async function createTopic(name: string, numPartitions = 1): Promise<string> {
  const { topics } = await client.ask(ApiKey.CreateTopics, 7, {
    topics: [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }],
  })
  expect(topics[0]).toMatchObject({ name, errorCode: ErrorCode.NONE })
  return topics[0].topicId
}

function produceRequest(name: string, records: Buffer | null, acks = -1) {
  return {
    acks,
    timeoutMs: 5000,
    topicData: [{ name, partitionData: [{ index: 0, records }] }],
  }
}

async function latestOffset(name: string): Promise<number> {
  const { topics } = await client.ask(ApiKey.ListOffsets, 7, {
    replicaId: -1,
    topics: [{ name, partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
  })
  return topics[0].partitions[0].offset
}

function fetchRequest(name: string, fetchOffset: number, maxWaitMs = 0) {
  return {
    maxWaitMs,
    minBytes: 1,
    topics: [
      { topic: name, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 }] },
    ],
  }
}

describe('bad frames', () => {
  it.each([
    ['larger than socket.request.max.bytes', Buffer.from('3b9aca00', 'hex')],
    ['of a negative size', Buffer.from('ffffffff', 'hex')],
    ['too short for a header', Buffer.from('0000000200120', 'hex')],
    ['of another protocol', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
  ])('close the connection when %s', async (_, bytes) => {
    const other = await RawClient.open(broker.port)
    client.sendBytes(bytes)
    expect(await client.nextFrame()).toBeNull()
    const { errorCode } = await other.ask(ApiKey.ApiVersions, 0, {})
    expect(errorCode).toBe(ErrorCode.NONE)
    other.close()
  })

  it('close the connection with one line in the log when the body is cut short', async () => {
    const before = broker.complaints.length
    // Metadata v1 that announces a hundred topics and has none.
    client.sendBytes(
      Buffer.from('0000000e 0003 0001 00000007 0000 00000064'.replaceAll(' ', ''), 'hex'),
    )
    expect(await client.nextFrame()).toBeNull()
    expect(broker.complaints.length - before).toBe(1)
  })

  it('are answered when bytes follow the body, as librdkafka 2.16 sends them', async () => {
    const metadataV1 = '0003 0001 00000007 0000 00000000 000000'
    client.sendBytes(Buffer.from(`00000011 ${metadataV1}`.replaceAll(' ', ''), 'hex'))
    const frame = await client.nextFrame()
    expect(frame?.readInt32BE(0)).toBe(7)
  })

  it('close the connection for a key or a version that is not served', async () => {
    client.sendBytes(Buffer.from('0000000a 7fff 0000 00000001 ffff'.replaceAll(' ', ''), 'hex'))
    expect(await client.nextFrame()).toBeNull()
    const next = await RawClient.open(broker.port)
    next.sendBytes(Buffer.from('0000000a 0000 0002 00000001 ffff'.replaceAll(' ', ''), 'hex'))
    expect(await next.nextFrame()).toBeNull()
  })
})

describe('ApiVersions', () => {
  it('answers an unknown version in a version 0 body with UNSUPPORTED_VERSION and what is served', async () => {
    client.sendBytes(Buffer.from('0000000b 0012 0063 00000009 ffff 00'.replaceAll(' ', ''), 'hex'))
    const frame = await client.nextFrame()
    const { correlationId, value } = decodeResponse(ApiVersionsResponse, 0, frame!)
    expect(correlationId).toBe(9)
    expect(value.errorCode).toBe(ErrorCode.UNSUPPORTED_VERSION)
    expect(value.apiKeys).toContainEqual({ apiKey: 18, minVersion: 0, maxVersion: 4 })
  })

  it.each([0, 1, 2, 3, 4])('answers version %i', async (version) => {
    const answer = await client.ask(ApiKey.ApiVersions, version, {
      clientSoftwareName: 'raw',
      clientSoftwareVersion: '1.0',
    })
    expect(answer.apiKeys).toContainEqual({ apiKey: 0, minVersion: 0, maxVersion: 13 })
    const levels = answer.finalizedFeatures.map(({ name, maxVersionLevel }) => [
      name,
      maxVersionLevel,
    ])
    const known = expect.arrayContaining([['transaction.version', 2]]) as string[]
    expect(levels).toEqual(version < FIRST_VERSION_WITH_FEATURES ? [] : known)
  })
})

describe('the order of answers (ACK-4)', () => {
  it('is that of the requests, though a fetch in front waits for records', async () => {
    await createTopic('ordered')
    const first = client.send(ApiKey.Fetch, 12, fetchRequest('ordered', 0, 500))
    const second = client.send(ApiKey.ApiVersions, 0, {})
    expect((await client.receive(ApiKey.Fetch, 12)).correlationId).toBe(first)
    expect((await client.receive(ApiKey.ApiVersions, 0)).correlationId).toBe(second)
  })

  it('stores pipelined batches in the order they were sent', async () => {
    await createTopic('pipelined')
    const count = 50
    for (let i = 0; i < count; i++)
      client.send(ApiKey.Produce, 9, produceRequest('pipelined', aBatch([`value ${i}`])))
    for (let i = 0; i < count; i++) {
      const { value } = await client.receive(ApiKey.Produce, 9)
      expect(value.responses[0].partitionResponses[0].baseOffset).toBe(i)
    }
  })
})

describe('Produce', () => {
  it('answers a bad CRC with CORRUPT_MESSAGE and stores nothing', async () => {
    await createTopic('crc')
    const records = aBatch(['good', 'bad'])
    records[records.length - 1] ^= 0xff
    const { responses } = await client.ask(ApiKey.Produce, 9, produceRequest('crc', records))
    expect(responses[0].partitionResponses[0]).toMatchObject({
      errorCode: ErrorCode.CORRUPT_MESSAGE,
      baseOffset: -1,
    })
    expect(await latestOffset('crc')).toBe(0)
  })

  it('answers for each partition by itself', async () => {
    await createTopic('mixed')
    const { responses } = await client.ask(ApiKey.Produce, 9, {
      acks: 1,
      timeoutMs: 5000,
      topicData: [
        {
          name: 'mixed',
          partitionData: [
            { index: 0, records: aBatch(['a']) },
            { index: 7, records: aBatch(['b']) },
          ],
        },
        { name: 'nowhere', partitionData: [{ index: 0, records: null }] },
      ],
    })
    expect(responses.map((topic) => topic.partitionResponses.map((p) => p.errorCode))).toEqual([
      [ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
      [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ])
  })

  it('stores a retried batch of an idempotent producer once, and refuses a gap', async () => {
    await createTopic('once')
    const { producerId } = await client.ask(ApiKey.InitProducerId, 4, {
      transactionalId: null,
      transactionTimeoutMs: 1000,
    })
    const produceFrom = async (baseSequence: number) => {
      const records = aBatch(['a', 'b'], {
        producer: { producerId, producerEpoch: 0, baseSequence },
      })
      const { responses } = await client.ask(ApiKey.Produce, 9, produceRequest('once', records))
      const { errorCode, baseOffset } = responses[0].partitionResponses[0]
      return { errorCode, baseOffset }
    }
    expect(await produceFrom(0)).toEqual({ errorCode: ErrorCode.NONE, baseOffset: 0 })
    expect(await produceFrom(0)).toEqual({ errorCode: ErrorCode.NONE, baseOffset: 0 })
    expect((await produceFrom(4)).errorCode).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(await produceFrom(2)).toEqual({ errorCode: ErrorCode.NONE, baseOffset: 2 })
    expect(await latestOffset('once')).toBe(4)
  })

  it('keeps clients out of the topics of the coordinators', async () => {
    await client.ask(ApiKey.FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })
    const records = aBatch(['forged'], { key: 'k' })
    const request = produceRequest('__consumer_offsets', records)
    const { responses } = await client.ask(ApiKey.Produce, 9, request)
    expect(responses[0].partitionResponses[0].errorCode).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION)
  })

  it('refuses records that are null, and acks that mean nothing', async () => {
    await createTopic('refused')
    const empty = await client.ask(ApiKey.Produce, 9, produceRequest('refused', null))
    expect(empty.responses[0].partitionResponses[0].errorCode).toBe(ErrorCode.INVALID_RECORD)
    const acks = await client.ask(ApiKey.Produce, 9, produceRequest('refused', aBatch(['a']), 2))
    expect(acks.responses[0].partitionResponses[0].errorCode).toBe(ErrorCode.INVALID_REQUIRED_ACKS)
    expect(await latestOffset('refused')).toBe(0)
  })

  it('refuses zstd before version 7, and two batches in one', async () => {
    await createTopic('forms')
    const errorOf = async (version: number, records: Buffer) => {
      const request = produceRequest('forms', records)
      const { responses } = await client.ask(ApiKey.Produce, version, request)
      return responses[0].partitionResponses[0].errorCode
    }
    const zstd = new BatchBuilder({ codec: Codec.zstd })
    zstd.append(Date.now(), null, Buffer.from('a'))
    expect(await errorOf(6, zstd.build())).toBe(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE)
    expect(await errorOf(7, zstd.build())).toBe(ErrorCode.NONE)
    const two = Buffer.concat([aBatch(['a']), aBatch(['b'])])
    expect(await errorOf(9, two)).toBe(ErrorCode.INVALID_RECORD)
    expect(await latestOffset('forms')).toBe(1)
  })

  it('answers nothing for acks=0, and closes the connection if the append fails', async () => {
    await createTopic('unacked')
    client.send(ApiKey.Produce, 9, produceRequest('unacked', aBatch(['a']), 0))
    const after = client.send(ApiKey.ApiVersions, 0, {})
    expect((await client.receive(ApiKey.ApiVersions, 0)).correlationId).toBe(after)
    client.send(ApiKey.Produce, 9, produceRequest('nowhere', aBatch(['a']), 0))
    expect(await client.nextFrame()).toBeNull()
  })

  it('refuses a keyless record on a compacted topic', async () => {
    await client.ask(ApiKey.CreateTopics, 7, {
      topics: [
        {
          name: 'compacted',
          numPartitions: 1,
          replicationFactor: 1,
          assignments: [],
          configs: [{ name: 'cleanup.policy', value: 'compact' }],
        },
      ],
    })
    const { responses } = await client.ask(
      ApiKey.Produce,
      9,
      produceRequest('compacted', aBatch(['no key'])),
    )
    expect(responses[0].partitionResponses[0].errorCode).toBe(ErrorCode.INVALID_RECORD)
    const keyed = aBatch(['with key'], { key: 'k' })
    const good = await client.ask(ApiKey.Produce, 9, produceRequest('compacted', keyed))
    expect(good.responses[0].partitionResponses[0].errorCode).toBe(ErrorCode.NONE)
  })

  it('takes topic ids in version 13, and does not know the id of a deleted topic', async () => {
    const topicId = await createTopic('by-id')
    const request = {
      acks: -1,
      timeoutMs: 5000,
      topicData: [{ topicId, partitionData: [{ index: 0, records: aBatch(['a']) }] }],
    }
    const { responses } = await client.ask(ApiKey.Produce, 13, request)
    expect(responses[0]).toMatchObject({ topicId, partitionResponses: [{ errorCode: 0 }] })
    await client.ask(ApiKey.DeleteTopics, 6, { topics: [{ topicId }], timeoutMs: 1000 })
    const again = await client.ask(ApiKey.Produce, 13, {
      ...request,
      topicData: [{ topicId, partitionData: [{ index: 0, records: aBatch(['a']) }] }],
    })
    expect(again.responses[0].partitionResponses[0].errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_ID)
  })
})

describe('Fetch', () => {
  it('waits for records and answers as soon as they are safe', async () => {
    await createTopic('waited')
    const reader = await RawClient.open(broker.port)
    reader.send(ApiKey.Fetch, 12, fetchRequest('waited', 0, 30_000))
    await client.ask(ApiKey.Produce, 9, produceRequest('waited', aBatch(['a', 'b'])))
    const { value } = await reader.receive(ApiKey.Fetch, 12)
    const [partition] = value.responses[0].partitions
    expect(partition).toMatchObject({ errorCode: 0, highWatermark: 2, lastStableOffset: 2 })
    expect(batch.recordCount(partition.records!, 0)).toBe(2)
    reader.close()
  })

  it('gives the whole batch for an offset inside it, and the first batch though it is too large', async () => {
    await createTopic('whole')
    const records = aBatch(['a', 'b', 'c', 'd'.repeat(10_000)])
    await client.ask(ApiKey.Produce, 9, produceRequest('whole', records))
    const { responses } = await client.ask(ApiKey.Fetch, 12, {
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 10,
      topics: [
        {
          topic: 'whole',
          partitions: [{ partition: 0, fetchOffset: 2, partitionMaxBytes: 10 }],
        },
      ],
    })
    const fetched = responses[0].partitions[0].records!
    expect(batch.baseOffset(fetched, 0)).toBe(0)
    expect(fetched.length).toBe(records.length)
  })

  it('keeps to the bytes of the answer over several partitions', async () => {
    await createTopic('several', 3)
    for (let index = 0; index < 3; index++)
      await client.ask(ApiKey.Produce, 9, {
        acks: -1,
        timeoutMs: 5000,
        topicData: [
          { name: 'several', partitionData: [{ index, records: aBatch(['x'.repeat(1000)]) }] },
        ],
      })
    const { responses } = await client.ask(ApiKey.Fetch, 12, {
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 1500,
      topics: [
        {
          topic: 'several',
          partitions: [2, 0, 1].map((partition) => ({
            partition,
            fetchOffset: 0,
            partitionMaxBytes: 1 << 20,
          })),
        },
      ],
    })
    const sizes = responses[0].partitions.map(({ records }) => records?.length ?? 0)
    expect(sizes[0]).toBeGreaterThan(1000)
    expect(sizes.slice(1)).toEqual([0, 0])
  })

  it.each([
    ['an offset beyond the end', { fetchOffset: 5 }, ErrorCode.OFFSET_OUT_OF_RANGE],
    ['a leader epoch of the future', { currentLeaderEpoch: 99 }, ErrorCode.UNKNOWN_LEADER_EPOCH],
    ['a partition that is not there', { partition: 9 }, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
  ])('tells at once of %s', async (_, wrong, errorCode) => {
    await client.ask(ApiKey.Metadata, 12, { topics: [{ name: 'wrong' }] })
    const partition = { partition: 0, fetchOffset: 0, partitionMaxBytes: 1000, ...wrong }
    const { responses } = await client.ask(ApiKey.Fetch, 12, {
      maxWaitMs: 30_000,
      minBytes: 1,
      topics: [{ topic: 'wrong', partitions: [partition] }],
    })
    expect(responses[0].partitions[0].errorCode).toBe(errorCode)
  })

  it('does not know fetch sessions that it never gave out', async () => {
    const { errorCode } = await client.ask(ApiKey.Fetch, 12, {
      ...fetchRequest('ordered', 0),
      sessionId: 7,
      sessionEpoch: 1,
    })
    expect(errorCode).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
  })
})

describe('ListOffsets', () => {
  it('finds the special timestamps and those of records', async () => {
    await createTopic('listed')
    const before = Date.now()
    await client.ask(ApiKey.Produce, 9, produceRequest('listed', aBatch(['a', 'b', 'c'])))
    const ask = async (timestamp: number) => {
      const { topics } = await client.ask(ApiKey.ListOffsets, 9, {
        replicaId: -1,
        topics: [{ name: 'listed', partitions: [{ partitionIndex: 0, timestamp }] }],
      })
      return topics[0].partitions[0].offset
    }
    expect(await ask(-1)).toBe(3)
    expect(await ask(-2)).toBe(0)
    expect(await ask(-3)).toBeGreaterThanOrEqual(0)
    expect(await ask(-4)).toBe(0)
    expect(await ask(-5)).toBe(-1)
    expect(await ask(before)).toBe(0)
    expect(await ask(Date.now() + 100_000)).toBe(-1)
  })
})

describe('topics', () => {
  it('are created automatically by Metadata when client and broker allow it', async () => {
    const refused = await client.ask(ApiKey.Metadata, 9, {
      topics: [{ name: 'auto' }],
      allowAutoTopicCreation: false,
    })
    expect(refused.topics[0].errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const created = await client.ask(ApiKey.Metadata, 9, { topics: [{ name: 'auto' }] })
    expect(created.topics[0]).toMatchObject({
      errorCode: ErrorCode.NONE,
      partitions: [{ leaderId: 1, isrNodes: [1] }],
    })
    const invalid = await client.ask(ApiKey.Metadata, 9, { topics: [{ name: 'not ok!' }] })
    expect(invalid.topics[0].errorCode).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION)
  })

  it('are only checked with validateOnly, and named once per request', async () => {
    const topic = {
      name: 'checked',
      numPartitions: 2,
      replicationFactor: -1,
      assignments: [],
      configs: [{ name: 'retention.ms', value: '1000' }],
    }
    const checked = await client.ask(ApiKey.CreateTopics, 7, {
      topics: [topic],
      validateOnly: true,
    })
    expect(checked.topics[0]).toMatchObject({
      errorCode: 0,
      numPartitions: 2,
      replicationFactor: 1,
    })
    const { topics } = await client.ask(ApiKey.Metadata, 9, {
      topics: [{ name: 'checked' }],
      allowAutoTopicCreation: false,
    })
    expect(topics[0].errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const twice = await client.ask(ApiKey.CreateTopics, 7, { topics: [topic, topic] })
    expect(twice.topics).toMatchObject([{ name: 'checked', errorCode: ErrorCode.INVALID_REQUEST }])
  })

  it.each([
    ['a replication factor above the brokers', { replicationFactor: 3 }, 38],
    ['no partitions', { numPartitions: 0 }, 37],
    ['a bad config value', { configs: [{ name: 'retention.ms', value: 'x' }] }, 40],
    ['a bad name', { name: 'a/b' }, 17],
  ])('are refused with %s', async (_, wrong, errorCode) => {
    const topic = {
      name: 'bad',
      numPartitions: 1,
      replicationFactor: 1,
      assignments: [],
      configs: [],
    }
    const { topics } = await client.ask(ApiKey.CreateTopics, 7, {
      topics: [{ ...topic, ...wrong }],
    })
    expect(topics[0].errorCode).toBe(errorCode)
    expect(topics[0].errorMessage).toBeTruthy()
  })

  it('describe their configs with sources and synonyms', async () => {
    await client.ask(ApiKey.CreateTopics, 7, {
      topics: [
        {
          name: 'described',
          numPartitions: 1,
          replicationFactor: 1,
          assignments: [],
          configs: [{ name: 'retention.ms', value: '1000' }],
        },
      ],
    })
    const { results } = await client.ask(ApiKey.DescribeConfigs, 4, {
      resources: [
        {
          resourceType: 2,
          resourceName: 'described',
          configurationKeys: ['retention.ms', 'segment.bytes'],
        },
        { resourceType: 4, resourceName: '1', configurationKeys: ['socket.request.max.bytes'] },
        { resourceType: 2, resourceName: 'nowhere', configurationKeys: null },
      ],
      includeSynonyms: true,
      includeDocumentation: true,
    })
    const byName = new Map(results[0].configs.map((config) => [config.name, config]))
    expect(byName.get('retention.ms')).toMatchObject({
      value: '1000',
      configSource: 1,
      configType: 5,
      synonyms: [{ name: 'retention.ms', value: '1000', source: 1 }],
    })
    expect(byName.get('segment.bytes')).toMatchObject({ value: '1073741824', configSource: 5 })
    expect(byName.size).toBe(2)
    expect(results[1].configs).toMatchObject([
      { value: '1000000', configSource: 4, readOnly: true },
    ])
    expect(results[2].errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  })
})

describe('InitProducerId', () => {
  it('gives each producer another id', async () => {
    const ask = () =>
      client.ask(ApiKey.InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1000 })
    const first = await ask()
    const second = await ask()
    expect(first).toMatchObject({ errorCode: 0, producerEpoch: 0 })
    expect(second.producerId).not.toBe(first.producerId)
  })
})
