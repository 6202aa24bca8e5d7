import fc from 'fast-check'
import {
  ApiKey,
  apiMessages,
  ErrorCode,
  encodeRequest,
  type InferInput,
  type ServedApiKey,
} from '@millrace/wire'
import { aBatch, RawClient, startTestBroker, type TestBroker } from './harness'

/**
 * Whatever comes in, there is an answer or the connection is closed; the broker lives on, and no connection but the one
 * concerned notices.
 */

const ANSWER_MAX_MS = 5000
let broker: TestBroker
let topicId: string

beforeAll(async () => {
  broker = await startTestBroker({ 'socket.request.max.bytes': '1000000' })
  const client = await RawClient.open(broker.port)
  const { topics } = await client.ask(ApiKey.CreateTopics, 7, {
    topics: [
      { name: 'fuzzed', numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] },
    ],
  })
  topicId = topics[0].topicId
  client.close()
})
afterAll(() => broker.stop())

type DataKey =
  | typeof ApiKey.Produce
  | typeof ApiKey.Fetch
  | typeof ApiKey.ListOffsets
  | typeof ApiKey.DeleteRecords
  | typeof ApiKey.OffsetForLeaderEpoch

const newestVersions: Record<DataKey, number> = {
  [ApiKey.Produce]: 13,
  [ApiKey.Fetch]: 18,
  [ApiKey.ListOffsets]: 11,
  [ApiKey.DeleteRecords]: 2,
  [ApiKey.OffsetForLeaderEpoch]: 4,
}
const oldestVersions: Record<DataKey, number> = {
  [ApiKey.Produce]: 3,
  [ApiKey.Fetch]: 4,
  [ApiKey.ListOffsets]: 1,
  [ApiKey.DeleteRecords]: 0,
  [ApiKey.OffsetForLeaderEpoch]: 2,
}
const keys = Object.keys(newestVersions).map(Number) as DataKey[]

function encode<K extends ServedApiKey>(
  key: K,
  version: number,
  request: InferInput<(typeof apiMessages)[K]['request']>,
): Buffer {
  const header = { correlationId: 77, clientId: 'fuzz' }
  return Buffer.concat(
    encodeRequest(apiMessages[key].request as never, version, header, request as never),
  )
}

/** A request of each kind with numbers and names that mean little. */
function anyRequest(key: DataKey, choose: fc.GeneratorValue): object {
  const int32 = () => choose(fc.integer, { min: -(2 ** 31), max: 2 ** 31 - 1 })
  const offset = () => choose(fc.integer, { min: -9, max: 9 })
  const topic = choose(fc.constantFrom, 'fuzzed', 'nowhere', '', '\0', 'a'.repeat(300))
  const id = choose(fc.constantFrom, topicId, 'AAAAAAAAAAAAAAAAAAAAAA', 'AAAAAAAAAAAAAAAAAAAAAQ')
  const named = { name: topic, topic, topicId: id }
  const index = choose(fc.constantFrom, 0, 1, 2, -1, 2 ** 31 - 1)
  const partition = {
    index,
    partition: index,
    partitionIndex: index,
    currentLeaderEpoch: choose(fc.constantFrom, -1, 0, 1, int32()),
    leaderEpoch: int32(),
    fetchOffset: offset(),
    offset: offset(),
    timestamp: choose(fc.constantFrom, -1, -2, -3, -4, -5, -6, -7, 0, 2 ** 41),
    lastFetchedEpoch: choose(fc.constantFrom, -1, 0, int32()),
    partitionMaxBytes: int32(),
    records: choose(fc.constantFrom, null, Buffer.alloc(0), Buffer.alloc(70, 1), aBatch(['a'])),
  }
  const partitions = Array(choose(fc.integer, { min: 0, max: 3 })).fill(partition)
  const topics = [{ ...named, partitions, partitionData: partitions }]
  return {
    acks: choose(fc.constantFrom, -1, 1, 2, -2),
    timeoutMs: choose(fc.constantFrom, 0, 1, -1, 1000),
    transactionalId: choose(fc.constantFrom, null, '', 't'),
    topicData: topics,
    topics,
    replicaId: choose(fc.constantFrom, -1, -2, 0, int32()),
    replicaState: { replicaId: choose(fc.constantFrom, -1, 0, 9), replicaEpoch: -1 },
    maxWaitMs: choose(fc.constantFrom, 0, 5, -1),
    minBytes: int32(),
    maxBytes: int32(),
    isolationLevel: choose(fc.constantFrom, 0, 1, 2, -1),
    sessionId: choose(fc.constantFrom, 0, 1, int32()),
    sessionEpoch: choose(fc.constantFrom, -1, 0, 1, int32()),
    forgottenTopicsData: [{ ...named, partitions: [index] }],
  }
}

/** The frame of the answer, null if the connection was closed. @throws Error if neither comes */
async function outcomeOf(bytes: Buffer): Promise<Buffer | null> {
  const client = await RawClient.open(broker.port)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`no answer to ${bytes.toString('hex').slice(0, 400)}`)
    timer = setTimeout(() => reject(error), ANSWER_MAX_MS)
  })
  try {
    client.sendBytes(bytes)
    return await Promise.race([client.nextFrame(), late])
  } finally {
    clearTimeout(timer)
    client.close()
  }
}

async function isAlive(): Promise<boolean> {
  const client = await RawClient.open(broker.port)
  const { errorCode } = await client.ask(ApiKey.ApiVersions, 0, {})
  client.close()
  return errorCode === ErrorCode.NONE
}

describe('requests of the data path', () => {
  it('with any values are answered, in every version', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...keys), fc.nat(100), fc.gen(), async (key, at, choose) => {
        const [min, max] = [oldestVersions[key], newestVersions[key]]
        const version = min + (at % (max - min + 1))
        const frame = encode(key, version, anyRequest(key, choose) as never)
        const answer = await outcomeOf(frame)
        expect(answer?.readInt32BE(0)).toBe(77)
      }),
      { numRuns: 150 },
    )
    expect(await isAlive()).toBe(true)
  })

  it('that were changed in any bytes are answered or close their connection', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...keys),
        fc.gen(),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        async (key, choose, changes) => {
          const request = { ...anyRequest(key, choose), maxWaitMs: 0, acks: -1 }
          const frame = encode(key, newestVersions[key], request as never)
          // The size stays true: a wrong one is the matter of other tests, and here would wait for bytes that never come.
          for (const [at, byte] of changes) frame[4 + (at % (frame.length - 4))] = byte
          // A change may make it a request that waits: for a group, or for the time that it says.
          await outcomeOf(frame).catch((error: unknown) => {
            if (!mayWait(frame)) throw error
          })
        },
      ),
      { numRuns: 150 },
    )
    expect(await isAlive()).toBe(true)
  }, 60_000)

  it('that are cut short close their connection', async () => {
    for (const key of keys) {
      const request = aPlainRequest()
      const frame = encode(key, newestVersions[key], request as never)
      const cuts = fc.sample(fc.integer({ min: 5, max: frame.length - 1 }), 12)
      for (const cut of cuts) {
        const short = Buffer.from(frame.subarray(0, cut))
        short.writeInt32BE(cut - 4, 0)
        expect(await outcomeOf(short)).toBeNull()
      }
    }
    expect(await isAlive()).toBe(true)
  })

  it('with lengths beyond the frame close their connection, and take no memory', async () => {
    const before = process.memoryUsage().rss
    for (const key of keys) {
      const version = oldestVersions[key] // plain int32 lengths
      const frame = encode(key, version, aPlainRequest() as never)
      for (let at = 14; at + 4 <= frame.length; at += 3) {
        const changed = Buffer.from(frame)
        changed.writeInt32BE(0x7fff_fff0, at)
        await outcomeOf(changed).catch((error: unknown) => {
          if (!mayWait(changed)) throw error
        })
      }
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(300 << 20)
    expect(await isAlive()).toBe(true)
  }, 60_000)
})

/** One that is plain and complete. */
function aPlainRequest(): object {
  const named = { name: 'fuzzed', topic: 'fuzzed', topicId }
  const partition = {
    index: 0,
    partition: 0,
    partitionIndex: 0,
    leaderEpoch: 0,
    fetchOffset: 0,
    offset: 0,
    timestamp: -1,
    partitionMaxBytes: 1000,
    records: aBatch(['a']),
  }
  const topics = [{ ...named, partitions: [partition], partitionData: [partition] }]
  return {
    acks: -1,
    timeoutMs: 1000,
    replicaId: -1,
    maxWaitMs: 0,
    minBytes: 1,
    sessionEpoch: -1,
    topics,
    topicData: topics,
  }
}

/** Requests with a time to wait in them, which the change may have made a long one, and produce without acks. */
function mayWait(frame: Buffer): boolean {
  const key = frame.readInt16BE(4)
  return [ApiKey.Produce, ApiKey.Fetch, ApiKey.JoinGroup, ApiKey.SyncGroup].includes(key as never)
}
