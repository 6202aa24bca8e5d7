import { systemClock, systemRandom } from '@millrace/base'
import { batch, BatchBuilder, buildControlBatch, ControlType } from '@millrace/record'
import { createLogger, type Logger, silentLogger } from '@millrace/telemetry'
import {
  ApiKey,
  ErrorCode,
  type FetchRequest,
  type FetchResponse,
  type InferInput,
} from '@millrace/wire'
import { Cluster } from '../src/cluster'
import { type ConsumerListener, GroupConsumer } from '../src/consumer/consumer'
import type { ConsumerOptions } from '../src/options'
import { AnsweringBroker } from './answering-broker'

type PartitionReply = Partial<
  InferInput<typeof FetchResponse>['responses'][number]['partitions'][number]
>

const T = { topic: 't', partition: 0 }
const OTHER = { topic: 'other', partition: 0 }

let broker: AnsweringBroker
let consumer: GroupConsumer

beforeEach(() => {
  broker = new AnsweringBroker()
})
afterEach(() => consumer.close())

function aConsumer(options: ConsumerOptions = {}, logger: Logger = silentLogger): GroupConsumer {
  const deps = { clock: systemClock, random: systemRandom, logger, net: broker }
  const cluster = new Cluster(deps, { bootstrapServers: ['answering:9092'], clientId: 'test' })
  return new GroupConsumer(deps, cluster, { fetchMaxWaitMs: 10, ...options })
}

/** Answers fetches partition by partition; null is an empty answer. */
function onFetch(
  answer: (topic: string, offset: number, ordinal: number) => PartitionReply | null,
): { count: number } {
  const fetches = { count: 0 }
  broker.on(ApiKey.Fetch, async (request: FetchRequest) => {
    const ordinal = fetches.count++
    let isEmpty = true
    const responses = request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, fetchOffset }) => {
        const reply = answer(topic, fetchOffset, ordinal)
        isEmpty &&= reply === null
        return {
          partitionIndex: partition,
          errorCode: 0,
          highWatermark: 9,
          records: null,
          ...reply,
        }
      }),
    }))
    if (isEmpty) await systemClock.sleep(request.maxWaitMs)
    return { responses }
  })
  return fetches
}

function aBatch(baseOffset: number, count = 1): Buffer {
  const builder = new BatchBuilder()
  for (let i = 0; i < count; i++) builder.append(1, null, Buffer.from(`value-${baseOffset + i}`))
  return builder.build({ baseOffset })
}

/** Base offsets of the batches of one poll that gave something. */
async function pollBatches(): Promise<string[]> {
  const fetched = await consumer.poll(5_000)
  return fetched.map(({ topic, records }) => `${topic} ${batch.baseOffset(records, 0)}`)
}

describe('a consumer whose broker', () => {
  it.each([
    'NOT_LEADER_OR_FOLLOWER',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'FENCED_LEADER_EPOCH',
    'UNKNOWN_LEADER_EPOCH',
    'OFFSET_NOT_AVAILABLE',
    'KAFKA_STORAGE_ERROR',
  ] as const)('answers %s asks again', async (name) => {
    onFetch((_, offset, ordinal) =>
      ordinal < 2 ? { errorCode: ErrorCode[name] } : { records: aBatch(offset) },
    )
    consumer = aConsumer()
    consumer.assign([T])
    consumer.seek(T, 0)
    expect(await pollBatches()).toEqual(['t 0'])
  })

  it('cuts the connection instead of an answer asks over another one', async () => {
    const offsets: number[] = []
    broker.on(ApiKey.Fetch, ({ topics }) => {
      const [{ fetchOffset }] = topics[0].partitions
      offsets.push(fetchOffset)
      if (offsets.length === 2) return 'cut'
      const reply = {
        partitionIndex: 0,
        errorCode: 0,
        highWatermark: 9,
        records: aBatch(fetchOffset),
      }
      return { responses: [{ topic: 't', partitions: [reply] }] }
    })
    consumer = aConsumer()
    consumer.assign([T])
    consumer.seek(T, 5)
    expect([await pollBatches(), await pollBatches()]).toEqual([['t 5'], ['t 6']])
    expect(offsets.slice(0, 3)).toEqual([5, 6, 6])
  })

  it('sends a damaged batch says so with each poll, and reads on after a seek past it', async () => {
    onFetch((_, offset) => {
      const records = aBatch(offset)
      if (offset === 3) records[records.length - 1] ^= 1
      return { records }
    })
    consumer = aConsumer()
    consumer.assign([T])
    consumer.seek(T, 3)
    const damage = {
      code: 'CLIENT_CORRUPT_BATCH',
      message: expect.stringContaining('offset 3 of t-0'),
    }
    await expect(consumer.poll(5_000)).rejects.toMatchObject(damage)
    await expect(consumer.poll(5_000)).rejects.toMatchObject(damage)
    consumer.seek(T, 4)
    expect(await pollBatches()).toEqual(['t 4'])
  })

  it('refuses one partition still reads the others, and then tells', async () => {
    onFetch((topic, offset) => {
      if (topic === 'other') return { errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED }
      return offset === 0 ? { records: aBatch(0) } : null
    })
    consumer = aConsumer()
    consumer.assign([OTHER, T])
    consumer.seek(OTHER, 0)
    consumer.seek(T, 0)
    expect(await pollBatches()).toEqual(['t 0'])
    await expect(consumer.poll(5_000)).rejects.toMatchObject({ code: 'TOPIC_AUTHORIZATION_FAILED' })
  })

  it('answers late, after a seek, is not believed', async () => {
    const answered = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    broker.on(ApiKey.Fetch, async ({ topics }) => {
      const [{ fetchOffset }] = topics[0].partitions
      asked.resolve()
      if (fetchOffset === 0) await answered.promise
      const reply = {
        partitionIndex: 0,
        errorCode: 0,
        highWatermark: 9,
        records: aBatch(fetchOffset),
      }
      return { responses: [{ topic: 't', partitions: [reply] }] }
    })
    consumer = aConsumer()
    consumer.assign([T])
    consumer.seek(T, 0)
    const polling = pollBatches()
    await asked.promise
    consumer.seek(T, 7)
    answered.resolve()
    expect(await polling).toEqual(['t 7'])
  })

  it('has more is asked while the caller works, once', async () => {
    const fetches = onFetch((_, offset) => ({ records: aBatch(offset, 2) }))
    consumer = aConsumer()
    consumer.assign([T])
    consumer.seek(T, 0)
    expect(await pollBatches()).toEqual(['t 0'])
    await systemClock.sleep(50)
    expect(fetches.count).toBe(2)
    expect(await pollBatches()).toEqual(['t 2'])
  })

  it('tells of aborted transactions leaves their batches out, if it reads only what is committed', async () => {
    const transactional = (baseOffset: number) => {
      const builder = new BatchBuilder()
      builder.append(1, null, Buffer.from('value'))
      return builder.build({ baseOffset, producerId: 7, producerEpoch: 0, isTransactional: true })
    }
    const marker = buildControlBatch({
      type: ControlType.abort,
      timestamp: 1,
      producerId: 7,
      producerEpoch: 0,
      coordinatorEpoch: 0,
    })
    batch.setBaseOffset(marker, 0, 3)
    const records = [aBatch(0), transactional(1), aBatch(2), marker]
    const abortedTransactions = [{ producerId: 7, firstOffset: 1 }]
    onFetch((_, offset) => (offset === 0 ? { records, abortedTransactions } : null))
    consumer = aConsumer({ isolationLevel: 'read_committed' })
    consumer.assign([T])
    consumer.seek(T, 0)
    expect(await pollBatches()).toEqual(['t 0', 't 2'])
    expect(consumer.position(T)).toBe(4)
    await consumer.close()
    consumer = aConsumer()
    consumer.assign([T])
    consumer.seek(T, 0)
    expect(await pollBatches()).toEqual(['t 0'])
  })
})

/** A coordinator of a group of one, which goes wrong where a test says so. */
function coordinate(wrong: {
  join?: (ordinal: number) => number
  sync?: (ordinal: number) => number
  commit?: (ordinal: number) => number
}): void {
  let joinCount = 0
  let syncCount = 0
  let commitCount = 0
  broker.on(ApiKey.JoinGroup, ({ memberId, protocols }) => ({
    errorCode: wrong.join?.(joinCount++) ?? 0,
    generationId: joinCount,
    protocolType: 'consumer',
    protocolName: 'range',
    leader: 'me',
    memberId: memberId === '' ? 'me' : memberId,
    members: [{ memberId: 'me', metadata: protocols[0].metadata }],
  }))
  broker.on(ApiKey.SyncGroup, ({ assignments }) => ({
    errorCode: wrong.sync?.(syncCount++) ?? 0,
    assignment: assignments[0]?.assignment ?? Buffer.alloc(0),
  }))
  broker.on(ApiKey.Heartbeat, () => ({ errorCode: 0 }))
  broker.on(ApiKey.LeaveGroup, () => ({ errorCode: 0, members: [] }))
  broker.on(ApiKey.OffsetFetch, () => ({
    topics: [
      {
        name: 't',
        partitions: [{ partitionIndex: 0, committedOffset: 4, metadata: '', errorCode: 0 }],
      },
    ],
  }))
  broker.on(ApiKey.OffsetCommit, ({ topics }) => {
    const errorCode = wrong.commit?.(commitCount++) ?? 0
    return {
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
      })),
    }
  })
  onFetch((_, offset) => (offset === 4 ? { records: aBatch(4) } : null))
}

function subscribed(logger = silentLogger): string[] {
  const events: string[] = []
  const told = (what: string) => async () => void events.push(what)
  const listener: ConsumerListener = {
    onAssigned: told('assigned'),
    onRevoked: told('revoked'),
    onLost: told('lost'),
  }
  consumer = aConsumer({ groupId: 'g', heartbeatIntervalMs: 10 }, logger)
  consumer.subscribe({ topics: ['t'] }, listener)
  return events
}

const once = (errorCode: number) => (ordinal: number) => (ordinal === 0 ? errorCode : 0)

describe('a member whose coordinator', () => {
  it.each(['COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR', 'UNKNOWN_MEMBER_ID'] as const)(
    'answers a join with %s joins again',
    async (name) => {
      coordinate({ join: once(ErrorCode[name]) })
      const events = subscribed()
      expect(await pollBatches()).toEqual(['t 4'])
      expect(events).toEqual(['assigned'])
    },
  )

  it.each(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'COORDINATOR_NOT_AVAILABLE'] as const)(
    'answers a sync with %s joins again',
    async (name) => {
      coordinate({ sync: once(ErrorCode[name]) })
      const events = subscribed()
      expect(await pollBatches()).toEqual(['t 4'])
      expect(events).toEqual(['assigned'])
    },
  )

  it('is away for long is one line in the log', async () => {
    coordinate({ join: (ordinal) => (ordinal < 4 ? ErrorCode.COORDINATOR_NOT_AVAILABLE : 0) })
    const lines: string[] = []
    const write = (line: string) => void lines.push(line)
    subscribed(createLogger({ level: 'warn', write, now: () => 0 }))
    expect(await pollBatches()).toEqual(['t 4'])
    expect(lines).toEqual([expect.stringContaining('joining a group failed')])
  })

  it('does not let it in tells with poll', async () => {
    coordinate({ join: once(ErrorCode.GROUP_AUTHORIZATION_FAILED) })
    subscribed()
    await expect(consumer.poll(5_000)).rejects.toMatchObject({ code: 'GROUP_AUTHORIZATION_FAILED' })
    expect(await pollBatches()).toEqual(['t 4'])
  })

  it('has moved on refuses the commit, and the member starts over', async () => {
    coordinate({ commit: once(ErrorCode.ILLEGAL_GENERATION) })
    const events = subscribed()
    await pollBatches()
    const commit = consumer.commit([{ ...T, offset: 5 }])
    await expect(commit).rejects.toMatchObject({ code: 'CLIENT_GROUP_MOVED_ON', retriable: true })
    expect(await pollBatches()).toEqual(['t 4'])
    expect(events).toEqual(['assigned', 'lost', 'assigned'])
    await consumer.commit([{ ...T, offset: 5 }])
  })

  it('cannot store a commit for a moment gets it again', async () => {
    coordinate({ commit: once(ErrorCode.NOT_COORDINATOR) })
    const events = subscribed()
    await pollBatches()
    await consumer.commit([{ ...T, offset: 5 }])
    expect(events).toEqual(['assigned'])
  })

  it('rebalances has its partitions given up before the next join', async () => {
    coordinate({})
    let beats = 0
    broker.on(ApiKey.Heartbeat, () => ({
      errorCode: beats++ === 0 ? ErrorCode.REBALANCE_IN_PROGRESS : 0,
    }))
    const events = subscribed()
    expect(await pollBatches()).toEqual(['t 4'])
    expect(await pollBatches()).toEqual(['t 4']) // from the committed offset again
    expect(events).toEqual(['assigned', 'revoked', 'assigned'])
  })
})
