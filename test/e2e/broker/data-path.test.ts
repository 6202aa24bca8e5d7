import { batch, BatchBuilder, Codec } from '@millrace/record'
import { ApiKey, ErrorCode, errorName } from '@millrace/wire'
import {
  aBatch,
  heldBufferBytes,
  RawClient,
  requestsBegun,
  startTestBroker,
  type TestBroker,
} from './harness'

let broker: TestBroker
let client: RawClient

beforeAll(async () => {
  broker = await startTestBroker({ 'max.incremental.fetch.session.cache.slots': '2' })
})
afterAll(() => broker.stop())
beforeEach(async () => {
  client = await RawClient.open(broker.port)
})
afterEach(() => client.close())

async function createTopic(
  name: string,
  configs: Record<string, string> = {},
  numPartitions = 1,
): Promise<string> {
  const { topics } = await client.ask(ApiKey.CreateTopics, 7, {
    topics: [
      {
        name,
        numPartitions,
        replicationFactor: 1,
        assignments: [],
        configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
      },
    ],
  })
  expect(topics[0]).toMatchObject({ name, errorCode: ErrorCode.NONE })
  return topics[0].topicId
}

async function produce(name: string, records: Buffer | null, version = 9, index = 0) {
  const { responses } = await client.ask(ApiKey.Produce, version, {
    acks: -1,
    timeoutMs: 5000,
    topicData: [{ name, partitionData: [{ index, records }] }],
  })
  return responses[0].partitionResponses[0]
}

function aPartition(change: object = {}) {
  return { partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20, ...change }
}

describe('Produce', () => {
  it('tells which records of a batch it refuses', async () => {
    await createTopic('keyed', { 'cleanup.policy': 'compact' })
    const builder = new BatchBuilder()
    for (const key of ['a', null, 'b', null])
      builder.append(Date.now(), key === null ? null : Buffer.from(key), Buffer.from('v'))
    const result = await produce('keyed', builder.build())
    expect(result.errorCode).toBe(ErrorCode.INVALID_RECORD)
    expect(result.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([1, 3])
    expect(result.logStartOffset).toBe(0)
  })

  it('holds records to the bounds of message.timestamp.after.max.ms', async () => {
    await createTopic('timed', { 'message.timestamp.after.max.ms': '1000' })
    const builder = new BatchBuilder()
    builder.append(Date.now() + 60_000, null, null)
    const result = await produce('timed', builder.build())
    expect(result.errorCode).toBe(ErrorCode.INVALID_TIMESTAMP)
    expect(result.recordErrors).toMatchObject([{ batchIndex: 0 }])
  })

  it('stores under the codec of the topic, and stamps with the time of the log', async () => {
    await createTopic('packed', {
      'compression.type': 'zstd',
      'message.timestamp.type': 'LogAppendTime',
    })
    const before = Date.now()
    const { logAppendTimeMs } = await produce('packed', aBatch(['a'.repeat(500)]))
    expect(logAppendTimeMs).toBeGreaterThanOrEqual(before)
    const { responses } = await client.ask(ApiKey.Fetch, 12, {
      maxWaitMs: 0,
      minBytes: 1,
      sessionEpoch: -1,
      topics: [{ topic: 'packed', partitions: [aPartition()] }],
    })
    const records = responses[0].partitions[0].records!
    expect(batch.codec(records, 0)).toBe(Codec.zstd)
    expect(batch.timestampType(records, 0)).toBe('LogAppendTime')
  })

  it('answers for odd bytes as Kafka does', async () => {
    await createTopic('odd', { 'max.message.bytes': '2000' })
    const good = () => aBatch(['a'])
    const changed = (change: (records: Buffer) => void, isSealed = true) => {
      const records = good()
      change(records)
      if (isSealed) batch.seal(records, 0)
      return records
    }
    const cases: [string, Buffer | null, keyof typeof ErrorCode][] = [
      ['nothing', null, 'INVALID_RECORD'],
      ['no bytes', Buffer.alloc(0), 'INVALID_RECORD'],
      ['too short for a batch', good().subarray(0, 16), 'INVALID_RECORD'],
      ['cut short', good().subarray(0, 64), 'INVALID_RECORD'],
      [
        'a length below that of any batch',
        changed((b) => b.writeInt32BE(5, 8), false),
        'CORRUPT_MESSAGE',
      ],
      ['format 1', changed((b) => (b[16] = 1), false), 'INVALID_RECORD'],
      ['format 3', changed((b) => (b[16] = 3), false), 'CORRUPT_MESSAGE'],
      ['a bad checksum', changed((b) => (b[66] ^= 1), false), 'CORRUPT_MESSAGE'],
      ['two batches', Buffer.concat([good(), good()]), 'INVALID_RECORD'],
      ['a base offset', changed((b) => batch.setBaseOffset(b, 0, 5)), 'INVALID_RECORD'],
      ['a wrong count', changed((b) => b.writeInt32BE(2, 57)), 'INVALID_RECORD'],
      ['no records', changed((b) => b.writeInt32BE(0, 57)), 'INVALID_RECORD'],
      ['a control batch', changed((b) => (b[22] |= 0x20)), 'INVALID_RECORD'],
      ['a codec that does not exist', changed((b) => (b[22] |= 7)), 'UNKNOWN_SERVER_ERROR'],
      ['records that are none', changed((b) => (b[61] = 0x7f)), 'INVALID_RECORD'],
      [
        'a producer without a sequence',
        changed((b) => b.writeBigInt64BE(5n, 43)),
        'INVALID_RECORD',
      ],
      ['too large', aBatch(['x'.repeat(2000)]), 'MESSAGE_TOO_LARGE'],
      ['a few bytes behind the batch', Buffer.concat([good(), Buffer.alloc(11)]), 'NONE'],
    ]
    const found: [string, string][] = []
    for (const [what, records] of cases)
      found.push([what, errorName((await produce('odd', records)).errorCode)])
    expect(found).toEqual(cases.map(([what, , error]) => [what, error]))
  })

  it('takes no transactional batch from who names no transaction, or one that nobody began', async () => {
    await createTopic('transactional')
    const records = aBatch(['a'], {
      producer: { producerId: 77, producerEpoch: 0, baseSequence: 0 },
    })
    records[22] |= 0x10
    batch.seal(records, 0)
    const ask = async (version: number, transactionalId: string | null) => {
      const { responses } = await client.ask(ApiKey.Produce, version, {
        acks: -1,
        timeoutMs: 5000,
        transactionalId,
        topicData: [{ name: 'transactional', partitionData: [{ index: 0, records }] }],
      })
      return errorName(responses[0].partitionResponses[0].errorCode)
    }
    expect(await ask(9, null)).toBe('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
    expect(await ask(9, 'nobody')).not.toBe('NONE')
    expect(await ask(12, 'nobody')).not.toBe('NONE')
  })
})

describe('Fetch in a session', () => {
  it('names its partitions once, and is told only what is new', async () => {
    const topicId = await createTopic('session', {}, 3)
    const opened = await client.ask(ApiKey.Fetch, 13, {
      maxWaitMs: 0,
      minBytes: 1,
      sessionEpoch: 0,
      topics: [{ topicId, partitions: [0, 1, 2].map((partition) => aPartition({ partition })) }],
    })
    expect(opened.sessionId).toBeGreaterThan(0)
    expect(opened.responses[0].partitions).toHaveLength(3)
    const ask = async (sessionEpoch: number, change: object = {}) => {
      const answer = await client.ask(ApiKey.Fetch, 13, {
        maxWaitMs: 0,
        minBytes: 1,
        sessionId: opened.sessionId,
        sessionEpoch,
        topics: [],
        ...change,
      })
      expect(answer.errorCode).toBe(ErrorCode.NONE)
      return answer.responses.flatMap(({ partitions }) =>
        partitions.map(({ partitionIndex, records }) => [partitionIndex, records?.length ?? 0]),
      )
    }
    expect(await ask(1)).toEqual([])
    const records = aBatch(['a'])
    await produce('session', Buffer.from(records), 9, 1)
    expect(await ask(2)).toEqual([[1, records.length]])
    const moved = [{ topicId, partitions: [aPartition({ partition: 1, fetchOffset: 1 })] }]
    expect(await ask(3, { topics: moved })).toEqual([])
    await produce('session', Buffer.from(records), 9, 0)
    expect(await ask(4, { forgottenTopicsData: [{ topicId, partitions: [0] }] })).toEqual([])
    const stale = await client.ask(ApiKey.Fetch, 13, {
      maxWaitMs: 0,
      minBytes: 1,
      sessionId: opened.sessionId,
      sessionEpoch: 4,
      topics: [],
    })
    expect(stale.errorCode).toBe(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
    // Closed, which makes room for another.
    await client.ask(ApiKey.Fetch, 13, {
      maxWaitMs: 0,
      minBytes: 1,
      sessionId: opened.sessionId,
      sessionEpoch: -1,
      topics: [],
    })
  })

  it('does not go on with a topic of the same name but another id', async () => {
    const first = await createTopic('reborn')
    const opened = await client.ask(ApiKey.Fetch, 13, {
      maxWaitMs: 0,
      minBytes: 1,
      sessionEpoch: 0,
      topics: [{ topicId: first, partitions: [aPartition()] }],
    })
    await client.ask(ApiKey.DeleteTopics, 5, { topicNames: ['reborn'], timeoutMs: 5000 })
    await createTopic('reborn')
    const ask = (sessionId: number, sessionEpoch: number, topicId?: string) =>
      client.ask(ApiKey.Fetch, 13, {
        maxWaitMs: 0,
        minBytes: 1,
        sessionId,
        sessionEpoch,
        topics: topicId === undefined ? [] : [{ topicId, partitions: [aPartition()] }],
      })
    const goneOn = await ask(opened.sessionId, 1)
    expect(goneOn.responses[0].partitions[0].errorCode).toBe(ErrorCode.INCONSISTENT_TOPIC_ID)
    const anew = await ask(opened.sessionId, -1, first)
    expect(anew.responses[0].partitions[0].errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_ID)
  })

  it('takes pipelined requests one at a time (FETCH-4)', async () => {
    const topicId = await createTopic('pipelined')
    const opened = await client.ask(ApiKey.Fetch, 13, {
      maxWaitMs: 0,
      minBytes: 1,
      sessionEpoch: 0,
      topics: [{ topicId, partitions: [aPartition()] }],
    })
    for (let sessionEpoch = 1; sessionEpoch <= 5; sessionEpoch++)
      client.send(ApiKey.Fetch, 13, {
        maxWaitMs: 30,
        minBytes: 1,
        sessionId: opened.sessionId,
        sessionEpoch,
        topics: [],
      })
    for (let count = 0; count < 5; count++) {
      const { value } = await client.receive(ApiKey.Fetch, 13)
      expect(value.errorCode).toBe(ErrorCode.NONE)
    }
  })
})

describe('Fetch of a client that pipelines and does not read', () => {
  it('holds no more in memory than a few answers (FETCH-4)', async () => {
    await createTopic('wide')
    for (let count = 0; count < 8; count++) await produce('wide', aBatch(['x'.repeat(900_000)]))
    const before = heldBufferBytes()
    client.pauseReading()
    const begun = await requestsBegun(broker, { request: 'Fetch', version: 12 }, () => {
      for (let count = 0; count < 48; count++)
        client.send(ApiKey.Fetch, 12, {
          maxWaitMs: 0,
          minBytes: 1,
          sessionEpoch: -1,
          topics: [{ topic: 'wide', partitions: [aPartition({ partitionMaxBytes: 8 << 20 })] }],
        })
    })
    // All of it is 345 MB. Some of that is taken by the buffers of the system.
    expect(begun).toBeLessThan(12)
    expect(heldBufferBytes() - before).toBeLessThan(40 << 20)
    client.resumeReading()
    for (let count = 0; count < 48; count++) {
      const frame = await client.nextFrame()
      expect(frame!.length).toBeGreaterThan(7_000_000)
    }
  })
})

describe('Fetch of many readers at once', () => {
  it('gives each of them whole batches, though their memory is used again', async () => {
    await createTopic('shared')
    const batchCount = 40
    for (let offset = 0; offset < batchCount; offset++)
      await produce('shared', aBatch([String(offset % 10).repeat(150_000)]))
    const read = async (firstOffset: number, doesLeave: boolean) => {
      const reader = await RawClient.open(broker.port)
      const offsets = Array.from({ length: 20 }, (_, at) => (firstOffset + at * 7) % batchCount)
      for (const fetchOffset of offsets)
        reader.send(ApiKey.Fetch, 12, {
          maxWaitMs: 0,
          minBytes: 1,
          sessionEpoch: -1,
          topics: [{ topic: 'shared', partitions: [aPartition({ fetchOffset })] }],
        })
      for (const fetchOffset of offsets) {
        const { value } = await reader.receive(ApiKey.Fetch, 12)
        const records = value.responses[0].partitions[0].records!
        expect(batch.baseOffset(records, 0)).toBe(fetchOffset)
        for (let at = 0; at < records.length; at += batch.sizeBytes(records, at))
          expect(batch.isCrcValid(records, at)).toBe(true)
        if (doesLeave) break // with answers on the way
      }
      reader.close()
    }
    await Promise.all(Array.from({ length: 12 }, (_, index) => read(index * 3, index % 3 === 0)))
  })
})

describe('ListOffsets', () => {
  it('refuses special times of later versions, and a partition that is named twice', async () => {
    await createTopic('asked')
    const ask = async (version: number, ...timestamps: number[]) => {
      const { topics } = await client.ask(ApiKey.ListOffsets, version, {
        replicaId: -1,
        topics: [
          {
            name: 'asked',
            partitions: timestamps.map((timestamp) => ({ partitionIndex: 0, timestamp })),
          },
        ],
      })
      return topics[0].partitions.map(({ errorCode }) => errorName(errorCode))
    }
    expect(await ask(6, -3)).toEqual(['UNSUPPORTED_VERSION'])
    expect(await ask(7, -3)).toEqual(['NONE'])
    expect(await ask(10, -6)).toEqual(['UNSUPPORTED_VERSION'])
    expect(await ask(11, -6)).toEqual(['NONE'])
    expect(await ask(11, -7)).toEqual(['UNSUPPORTED_VERSION'])
    expect(await ask(9, -1, -2)).toEqual(['INVALID_REQUEST'])
  })
})

describe('DeleteRecords', () => {
  const remove = async (name: string, offset: number, partitionIndex = 0) => {
    const { topics } = await client.ask(ApiKey.DeleteRecords, 2, {
      topics: [{ name, partitions: [{ partitionIndex, offset }] }],
      timeoutMs: 5000,
    })
    const { errorCode, lowWatermark } = topics[0].partitions[0]
    return [errorName(errorCode), lowWatermark]
  }

  it('moves the start of the log, which stays moved', async () => {
    await createTopic('deleted')
    await produce('deleted', aBatch(['a', 'b', 'c', 'd']))
    expect(await remove('deleted', 2)).toEqual(['NONE', 2])
    expect(await remove('deleted', 1)).toEqual(['NONE', 2])
    const { responses } = await client.ask(ApiKey.Fetch, 12, {
      maxWaitMs: 30_000,
      minBytes: 1,
      sessionEpoch: -1,
      topics: [{ topic: 'deleted', partitions: [aPartition({ fetchOffset: 1 })] }],
    })
    expect(responses[0].partitions[0].errorCode).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    expect(await remove('deleted', -1)).toEqual(['NONE', 4])
    await broker.restart()
    client = await RawClient.open(broker.port)
    expect(await remove('deleted', 0)).toEqual(['NONE', 4])
  })

  it('refuses what Kafka refuses', async () => {
    await createTopic('kept')
    await createTopic('compacted', { 'cleanup.policy': 'compact' })
    expect(await remove('kept', 1)).toEqual(['OFFSET_OUT_OF_RANGE', -1])
    expect(await remove('kept', -2)).toEqual(['OFFSET_OUT_OF_RANGE', -1])
    expect(await remove('kept', 0, 7)).toEqual(['UNKNOWN_TOPIC_OR_PARTITION', -1])
    expect(await remove('nowhere', 0)).toEqual(['UNKNOWN_TOPIC_OR_PARTITION', -1])
    expect(await remove('compacted', 0)).toEqual(['POLICY_VIOLATION', -1])
    await client.ask(ApiKey.FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })
    expect(await remove('__consumer_offsets', 0)).toEqual(['INVALID_TOPIC_EXCEPTION', -1])
  })
})
