import { parseConfig } from '@millrace/config'
import { logConfigDefinition, LogManager } from '@millrace/log'
import { BatchBuilder } from '@millrace/record'
import { silentLogger } from '@millrace/telemetry'
import { SimClock, SimDisk, SimRandom } from '@millrace/testing'
import { ErrorCode } from '@millrace/wire'
import {
  ReplicaManager,
  type AppendRequest,
  type FetchRequest,
  type ReplicatedTopic,
} from './index'

const NODE_ID = 1
const CONFIG = parseConfig(logConfigDefinition, {}).config

async function start(disk: SimDisk) {
  const clock = new SimClock()
  const resigned: string[] = []
  const logManager = await LogManager.open(
    { disk, clock, logger: silentLogger, random: new SimRandom(1) },
    { directories: ['/a', '/b'], nodeId: NODE_ID, clusterId: 'cluster', configOf: () => CONFIG },
  )
  const replicas = new ReplicaManager(
    {
      logManager,
      clock,
      logger: silentLogger,
      logConfigOf: () => CONFIG,
      leadership: {
        onElected: () => undefined,
        onResigned: (topic, partition) => resigned.push(`${topic}-${partition}`),
      },
    },
    { nodeId: NODE_ID },
  )
  return { logManager, replicas, clock, resigned }
}

function aTopic(name: string, partitionCount: number): ReplicatedTopic {
  const partitions = Array.from({ length: partitionCount }, (_, index) => ({
    index,
    leader: NODE_ID,
    leaderEpoch: 0,
    replicas: [NODE_ID],
    isr: [NODE_ID],
  }))
  return { id: `${name}-id`.padEnd(22, 'A'), name, partitions, configs: {} }
}

function anAppend(...partitions: number[]): AppendRequest {
  const entries = partitions.map((partition) => {
    const builder = new BatchBuilder()
    builder.append(0, null, null)
    return { topic: 't', partition, records: builder.build() }
  })
  return { acks: 1, timeoutMs: 100, origin: 'client', entries }
}

function aFetch(...partitions: number[]): FetchRequest {
  const entries = partitions.map((partition) => ({
    topic: 't',
    topicId: null,
    partition,
    fetchOffset: 1,
    maxBytes: 1 << 20,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
  }))
  return {
    maxWaitMs: 30_000,
    minBytes: 1,
    maxBytes: 1 << 20,
    isolationLevel: 'read_uncommitted',
    entries,
  }
}

const codesOf = (results: readonly { errorCode: number }[]) =>
  results.map(({ errorCode }) => errorCode)

const imageOf = (...topics: ReplicatedTopic[]) => ({
  topics: new Map(topics.map((topic) => [topic.name, topic])),
})

describe('partitions in a directory that has failed at the start', () => {
  it('are offline with a storage error, while the others and new topics are served', async () => {
    const disk = new SimDisk()
    const topic = aTopic('t', 4)
    const first = await start(disk)
    await first.replicas.applyMetadata(imageOf(topic), ['t'])
    const lost = [...first.logManager.logs()].filter(({ directory }) => directory.startsWith('/a'))
    expect(lost).toHaveLength(2)
    await first.logManager.close()

    const broken = Object.assign(new Error('broken'), { code: 'EIO' })
    disk.options = { onOperation: ({ path }) => (path.startsWith('/a') ? broken : null) }
    const { replicas } = await start(disk)
    await replicas.applyMetadata(imageOf(topic), ['t'], { isStart: true })
    const offline = lost.map(({ partition }) => partition)
    for (let index = 0; index < 4; index++)
      expect(replicas.partition('t', index) === undefined).toBe(offline.includes(index))

    expect(codesOf(await replicas.append(anAppend(offline[0])))).toEqual([
      ErrorCode.KAFKA_STORAGE_ERROR,
    ])
    expect(replicas.missingError('t', 9)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)

    // A change of the topic must not make an empty log of what may come back.
    const changed = imageOf(topic, aTopic('new', 1))
    await expect(replicas.applyMetadata(changed, ['t'])).rejects.toMatchObject({
      code: 'REPLICATION_LOG_NOT_OPENED',
    })
    await replicas.applyMetadata(changed, ['new'])
    expect(replicas.partition('new', 0)?.log.directory).toBe('/b/new-0')
  })
})

describe('partitions in a directory that fails while the node runs', () => {
  const { NONE, KAFKA_STORAGE_ERROR } = ErrorCode

  async function withFourPartitions() {
    const disk = new SimDisk()
    const node = await start(disk)
    await node.replicas.applyMetadata(imageOf(aTopic('t', 4)), ['t'])
    expect(codesOf(await node.replicas.append(anAppend(0, 1, 2, 3)))).toEqual(Array(4).fill(NONE))
    const indexesIn = (directory: string) =>
      [...node.logManager.logs()]
        .filter((log) => log.directory.startsWith(directory))
        .map(({ partition }) => partition)
    const breakDown = () => {
      const broken = Object.assign(new Error('broken'), { code: 'EIO' })
      disk.options = { onOperation: ({ path }) => (path.startsWith('/a') ? broken : null) }
    }
    return { ...node, breakDown, lost: indexesIn('/a'), kept: indexesIn('/b') }
  }

  it('are not read any more, and whoever waits is told at once (LOG-4, FETCH-3)', async () => {
    const { replicas, breakDown, lost, kept, resigned } = await withFourPartitions()
    const waiting = replicas.fetch(aFetch(kept[0], lost[1]))
    breakDown()
    expect(codesOf(await replicas.append(anAppend(lost[0])))).toEqual([KAFKA_STORAGE_ERROR])
    expect(codesOf(await waiting)).toEqual([NONE, KAFKA_STORAGE_ERROR])
    expect(codesOf(await replicas.fetch(aFetch(...lost)))).toEqual(
      lost.map(() => KAFKA_STORAGE_ERROR),
    )
    for (const index of lost) {
      expect(replicas.partition('t', index)).toBeUndefined()
      expect(replicas.isOffline('t', index)).toBe(true)
      expect(replicas.missingError('t', index)).toBe(KAFKA_STORAGE_ERROR)
      const deleted = await replicas.deleteRecords(
        { topic: 't', partition: index },
        { offset: 1, timeoutMs: 1000 },
      )
      expect(deleted).toEqual({ errorCode: KAFKA_STORAGE_ERROR, lowWatermark: -1 })
    }
    expect([...resigned].sort()).toEqual(lost.map((index) => `t-${index}`))
    expect(codesOf(await replicas.append(anAppend(...kept)))).toEqual(kept.map(() => NONE))
    expect([...replicas.partitions()].map(({ index }) => index)).toEqual(kept)
  })

  it('stay offline through changes of their topic, and go with it', async () => {
    const { replicas, breakDown, lost, kept } = await withFourPartitions()
    breakDown()
    await replicas.append(anAppend(lost[0]))
    await replicas.applyMetadata(imageOf(aTopic('t', 5)), ['t'])
    expect(lost.map((index) => replicas.isOffline('t', index))).toEqual([true, true])
    expect(codesOf(await replicas.append(anAppend(4, kept[0])))).toEqual([NONE, NONE])
    await replicas.applyMetadata(imageOf(), ['t'])
    expect(replicas.missingError('t', lost[0])).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  })
})
