import { parseConfig } from '@millrace/config'
import { logConfigDefinition, LogManager } from '@millrace/log'
import { BatchBuilder } from '@millrace/record'
import { silentLogger } from '@millrace/telemetry'
import { SimClock, SimDisk, SimRandom } from '@millrace/testing'
import { ErrorCode } from '@millrace/wire'
import { ReplicaManager, type ReplicatedTopic } from './index'

const NODE_ID = 1
const CONFIG = parseConfig(logConfigDefinition, {}).config

async function start(disk: SimDisk) {
  const clock = new SimClock()
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
      leadership: { onElected: () => undefined, onResigned: () => undefined },
    },
    { nodeId: NODE_ID },
  )
  return { logManager, replicas }
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

    const builder = new BatchBuilder()
    builder.append(0, null, null)
    const entries = [{ topic: 't', partition: offline[0], records: builder.build() }]
    const request = { acks: 1, timeoutMs: 100, origin: 'client' } as const
    const [refused] = await replicas.append({ ...request, entries })
    expect(refused.errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
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
