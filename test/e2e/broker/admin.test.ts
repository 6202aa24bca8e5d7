import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ApiKey, ErrorCode, ZERO_UUID } from '@millrace/wire'
import { aBatch, RawClient, startTestBroker, type TestBroker } from './harness'

let broker: TestBroker
let client: RawClient

async function createTopic(name: string, numPartitions: number): Promise<void> {
  const shape = { replicationFactor: 1, assignments: [], configs: [] }
  await client.ask(ApiKey.CreateTopics, 7, { topics: [{ name, numPartitions, ...shape }] })
}

beforeAll(async () => {
  broker = await startTestBroker()
  client = await RawClient.open(broker.port)
  await createTopic('a', 2)
  await createTopic('b', 3)
  await createTopic('c', 1)
})
afterAll(async () => {
  client.close()
  await broker.stop()
})

describe('CreatePartitions', () => {
  const add = async (
    topics: { name: string; count: number; assignments: { brokerIds: number[] }[] | null }[],
    validateOnly = false,
  ) =>
    (await client.ask(ApiKey.CreatePartitions, 3, { topics, timeoutMs: 5000, validateOnly }))
      .results

  it('adds partitions that can be used at once', async () => {
    await createTopic('grows', 1)
    expect(await add([{ name: 'grows', count: 2, assignments: null }])).toMatchObject([
      { name: 'grows', errorCode: 0, errorMessage: null },
    ])
    const assignments = [{ brokerIds: [1] }]
    expect(await add([{ name: 'grows', count: 3, assignments }])).toMatchObject([{ errorCode: 0 }])
    const { topics } = await client.ask(ApiKey.ListOffsets, 7, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name: 'grows', partitions: [{ partitionIndex: 2, timestamp: -1 }] }],
    })
    expect(topics[0].partitions).toMatchObject([{ errorCode: 0, offset: 0 }])
  })

  it.each([
    ['as many as there are', 'a', 2, null, ErrorCode.INVALID_PARTITIONS],
    ['fewer than there are', 'a', 1, null, ErrorCode.INVALID_PARTITIONS],
    ['an unknown topic', 'nobody', 2, null, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ['another number of places', 'a', 4, [[1]], ErrorCode.INVALID_REPLICA_ASSIGNMENT],
    ['no place', 'a', 3, [[]], ErrorCode.INVALID_REPLICA_ASSIGNMENT],
    ['an unknown broker', 'a', 3, [[9]], ErrorCode.INVALID_REPLICA_ASSIGNMENT],
    ['a broker twice', 'a', 3, [[1, 1]], ErrorCode.INVALID_REPLICA_ASSIGNMENT],
  ])('refuses %s', async (_case, name, count, places, errorCode) => {
    const assignments = places?.map((brokerIds) => ({ brokerIds })) ?? null
    expect(await add([{ name, count, assignments }])).toMatchObject([{ name, errorCode }])
  })

  it('adds nothing with validateOnly, nor for a topic that is given twice', async () => {
    const topic = { name: 'a', count: 5, assignments: null }
    expect(await add([topic], true)).toMatchObject([{ errorCode: 0 }])
    expect(await add([topic, topic])).toMatchObject([
      { name: 'a', errorCode: ErrorCode.INVALID_REQUEST },
    ])
    const { topics } = await client.ask(ApiKey.Metadata, 12, { topics: [{ name: 'a' }] })
    expect(topics[0].partitions).toHaveLength(2)
  })
})

describe('leaders and places of partitions', () => {
  it('need no election, be it the preferred or any', async () => {
    const topicPartitions = [
      { topic: 'a', partitions: [0, 7] },
      { topic: 'nobody', partitions: [0] },
    ]
    const unknown = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    for (const electionType of [0, 1])
      expect(
        await client.ask(ApiKey.ElectLeaders, 2, { electionType, topicPartitions }),
      ).toMatchObject({
        errorCode: 0,
        replicaElectionResults: [
          {
            partitionResult: [{ errorCode: ErrorCode.ELECTION_NOT_NEEDED }, { errorCode: unknown }],
          },
          { partitionResult: [{ errorCode: unknown }] },
        ],
      })
    expect(
      await client.ask(ApiKey.ElectLeaders, 2, { electionType: 5, topicPartitions }),
    ).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST })
  })

  it('are told for all topics without those that need nothing', async () => {
    const { replicaElectionResults } = await client.ask(ApiKey.ElectLeaders, 2, {
      electionType: 0,
      topicPartitions: null,
    })
    expect(replicaElectionResults.find(({ topic }) => topic === 'a')?.partitionResult).toEqual([])
  })

  it.each([
    ['where it is', [1], true, ErrorCode.NONE],
    ['nowhere', [], true, ErrorCode.INVALID_REPLICA_ASSIGNMENT],
    ['to an unknown broker', [2], true, ErrorCode.INVALID_REPLICA_ASSIGNMENT],
    ['twice to one broker', [1, 1], true, ErrorCode.INVALID_REPLICA_ASSIGNMENT],
    ['nowhere else', null, true, ErrorCode.NO_REASSIGNMENT_IN_PROGRESS],
  ])('move %s', async (_case, replicas, allowReplicationFactorChange, errorCode) => {
    const partitions = [{ partitionIndex: 0, replicas }]
    const { responses } = await client.ask(ApiKey.AlterPartitionReassignments, 1, {
      topics: [{ name: 'a', partitions }],
      allowReplicationFactorChange,
    })
    expect(responses).toMatchObject([{ name: 'a', partitions: [{ errorCode }] }])
  })
})

describe('DescribeTopicPartitions', () => {
  const page = (options: {
    names?: string[]
    limit?: number
    cursor?: { topicName: string; partitionIndex: number } | null
  }) =>
    client.ask(ApiKey.DescribeTopicPartitions, 0, {
      topics: (options.names ?? []).map((name) => ({ name })),
      responsePartitionLimit: options.limit ?? 2000,
      cursor: options.cursor ?? null,
    })

  it('goes through the partitions page by page, in order', async () => {
    const seen: string[] = []
    let cursor: { topicName: string; partitionIndex: number } | null = null
    do {
      const answer = await page({ names: ['c', 'b', 'a', 'b'], limit: 2, cursor })
      const partitions = answer.topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex }) => `${name}${partitionIndex}`),
      )
      expect(partitions.length).toBeLessThanOrEqual(2)
      seen.push(...partitions)
      cursor = answer.nextCursor
    } while (cursor !== null)
    expect(seen).toEqual(['a0', 'a1', 'b0', 'b1', 'b2', 'c0'])
  })

  it('tells each unknown topic that is asked for, and nothing of unknown ones that are not', async () => {
    const { topics } = await page({ names: ['a', 'nobody', 'no/body'] })
    expect(topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['a', 0],
      ['no/body', ErrorCode.INVALID_TOPIC_EXCEPTION],
      ['nobody', ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ])
  })

  it.each([
    ['before the first partition', { topicName: 'a', partitionIndex: -1 }],
    ['at a topic that is not asked for', { topicName: 'b', partitionIndex: 0 }],
  ])('refuses a cursor %s', async (_case, cursor) => {
    expect(await page({ names: ['a'], cursor })).toMatchObject({
      topics: [{ name: 'a', errorCode: ErrorCode.INVALID_REQUEST }],
    })
  })
})

describe('features', () => {
  const told = async (version: number) =>
    client.ask(ApiKey.ApiVersions, version, {
      clientSoftwareName: 'raw',
      clientSoftwareVersion: '1',
    })
  const update = (feature: string, maxVersionLevel: number, upgradeType: number) =>
    client.ask(ApiKey.UpdateFeatures, 2, {
      featureUpdates: [{ feature, maxVersionLevel, upgradeType }],
    })

  it('are told with what is switched on, without level 0 to clients that cannot read it', async () => {
    const four = await told(4)
    expect(four.supportedFeatures.map(({ name }) => name)).toEqual([
      'group.version',
      'metadata.version',
      'transaction.version',
    ])
    expect(four.finalizedFeatures).toContainEqual({
      name: 'transaction.version',
      minVersionLevel: 2,
      maxVersionLevel: 2,
    })
    expect(four.finalizedFeaturesEpoch).toBeGreaterThan(0)
    const three = await told(3)
    expect(three.supportedFeatures.map(({ name }) => name)).toEqual(['metadata.version'])
    expect(three.finalizedFeatures).toEqual(four.finalizedFeatures)
  })

  it('are switched down and up again, which a restart does not undo', async () => {
    expect(await update('transaction.version', 1, 1)).toMatchObject({
      errorCode: ErrorCode.INVALID_UPDATE_VERSION,
    })
    expect(await update('transaction.version', 1, 2)).toMatchObject({ errorCode: 0 })
    await broker.restart()
    client.close()
    client = await RawClient.open(broker.port)
    expect((await told(4)).finalizedFeatures).toContainEqual({
      name: 'transaction.version',
      minVersionLevel: 1,
      maxVersionLevel: 1,
    })
    expect(await update('transaction.version', 2, 1)).toMatchObject({ errorCode: 0 })
  })

  it.each([
    ['an unknown feature', 'nothing.version', 1, 1],
    ['a level above what is supported', 'group.version', 2, 1],
    ['a level below 0', 'group.version', -1, 2],
    ['an upgrade that is called a downgrade', 'metadata.version', 30, 9],
  ])('refuse %s', async (_case, feature, level, upgradeType) => {
    expect(await update(feature, level, upgradeType)).toMatchObject({
      errorCode: ErrorCode.INVALID_UPDATE_VERSION,
    })
  })
})

describe('the quorum and its brokers', () => {
  it('is this node, with the address that the client can use', async () => {
    const ask = (topicName: string) =>
      client.ask(ApiKey.DescribeQuorum, 2, {
        topics: [{ topicName, partitions: [{ partitionIndex: 0 }] }],
      })
    expect(await ask('__cluster_metadata')).toMatchObject({
      errorCode: 0,
      topics: [{ partitions: [{ leaderId: 1, currentVoters: [{ replicaId: 1 }], observers: [] }] }],
      nodes: [{ nodeId: 1, listeners: [{ name: 'PLAINTEXT', port: broker.port }] }],
    })
    expect(await ask('a')).toMatchObject({
      topics: [{ partitions: [{ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }] }],
    })
  })

  it.each([
    [1, ErrorCode.NONE],
    [2, ErrorCode.MISMATCHED_ENDPOINT_TYPE],
    [9, ErrorCode.UNSUPPORTED_ENDPOINT_TYPE],
  ])('tells brokers as endpoints of type %i: error %i', async (endpointType, errorCode) => {
    const request = { includeClusterAuthorizedOperations: false, includeFencedBrokers: true }
    const answer = await client.ask(ApiKey.DescribeCluster, 2, { ...request, endpointType })
    expect(answer).toMatchObject({ errorCode, endpointType: 1 })
    expect(answer.brokers).toHaveLength(errorCode === ErrorCode.NONE ? 1 : 0)
  })

  it('does not forget the broker that is asked', async () => {
    expect(await client.ask(ApiKey.UnregisterBroker, 0, { brokerId: 1 })).toMatchObject({
      errorCode: ErrorCode.INVALID_REQUEST,
    })
  })
})

describe('log directories', () => {
  it('are told with their logs and the room on the disk', async () => {
    const ask = (topics: { topic: string; partitions: number[] }[] | null) =>
      client.ask(ApiKey.DescribeLogDirs, 4, { topics })
    const { results } = await ask([{ topic: 'a', partitions: [1, 9] }])
    expect(results).toMatchObject([
      {
        errorCode: 0,
        logDir: broker.directory,
        topics: [{ name: 'a', partitions: [{ partitionIndex: 1, isFutureKey: false }] }],
      },
    ])
    expect(results[0].totalBytes).toBeGreaterThan(0)
    const all = await ask(null)
    expect(all.results[0].topics.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['a', 'b', 'c']),
    )
    expect((await ask([])).results).toMatchObject([{ topics: [] }])
  })

  it('take logs only that there are, and are taken only if they are there', async () => {
    const move = async (path: string, name: string) => {
      const dirs = [{ path, topics: [{ name, partitions: [0] }] }]
      const { results } = await client.ask(ApiKey.AlterReplicaLogDirs, 2, { dirs })
      return results[0].partitions[0].errorCode
    }
    expect(await move(broker.directory, 'a')).toBe(ErrorCode.NONE)
    expect(await move(broker.directory, 'nobody')).toBe(ErrorCode.REPLICA_NOT_AVAILABLE)
    expect(await move('/nowhere', 'a')).toBe(ErrorCode.LOG_DIR_NOT_FOUND)
  })
})

describe('a log that moves to another directory', () => {
  const directories = [0, 1].map(() => mkdtempSync(join(tmpdir(), 'millrace-dirs-')))
  let two: TestBroker
  let asker: RawClient

  beforeAll(async () => {
    two = await startTestBroker({ 'log.dirs': directories.join(',') })
    asker = await RawClient.open(two.port)
    const shape = { replicationFactor: 1, assignments: [], configs: [] }
    await asker.ask(ApiKey.CreateTopics, 7, { topics: [{ name: 'm', numPartitions: 1, ...shape }] })
  })
  afterAll(async () => {
    asker.close()
    await two.stop()
    for (const directory of directories) rmSync(directory, { recursive: true, force: true })
  })

  const whereItIs = async () => {
    const topics = [{ topic: 'm', partitions: [0] }]
    const { results } = await asker.ask(ApiKey.DescribeLogDirs, 4, { topics })
    return results.filter(({ topics: [topic] }) => topic && !topic.partitions[0].isFutureKey)
  }

  it('is there with its records, and takes more', async () => {
    const produce = async () => {
      const partitionData = [{ index: 0, records: aBatch(['a', 'b']) }]
      const topicData = [{ name: 'm', partitionData }]
      const request = { acks: -1, timeoutMs: 5000, topicData }
      const { responses } = await asker.ask(ApiKey.Produce, 9, request)
      return responses[0].partitionResponses[0]
    }
    await produce()
    const [{ logDir: from }] = await whereItIs()
    const path = directories.find((directory) => directory !== from) ?? ''
    const dirs = [{ path, topics: [{ name: 'm', partitions: [0] }] }]
    const { results } = await asker.ask(ApiKey.AlterReplicaLogDirs, 2, { dirs })
    expect(results[0].partitions[0].errorCode).toBe(ErrorCode.NONE)
    for (let place = from; place !== path; ) [{ logDir: place }] = await whereItIs()
    expect(await produce()).toMatchObject({ errorCode: 0, baseOffset: 2 })
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }]
    const { responses } = await asker.ask(ApiKey.Fetch, 12, {
      maxWaitMs: 0,
      minBytes: 1,
      topics: [{ topic: 'm', partitions }],
    })
    expect(responses[0].partitions[0]).toMatchObject({ errorCode: 0, highWatermark: 4 })
  })
})

describe('metrics of clients', () => {
  const subscribe = (clientInstanceId: string) =>
    client.ask(ApiKey.GetTelemetrySubscriptions, 0, { clientInstanceId })

  it('are asked for as client-metrics configs say, and taken', async () => {
    const configs = [
      { name: 'metrics', configOperation: 0, value: 'org.apache.kafka.' },
      { name: 'interval.ms', configOperation: 0, value: '100' },
      { name: 'match', configOperation: 0, value: 'client_id=r.*' },
    ]
    await client.ask(ApiKey.IncrementalAlterConfigs, 1, {
      resources: [{ resourceType: 16, resourceName: 'mine', configs }],
      validateOnly: false,
    })
    const subscription = await subscribe(ZERO_UUID)
    expect(subscription).toMatchObject({
      errorCode: 0,
      pushIntervalMs: 100,
      requestedMetrics: ['org.apache.kafka.'],
      telemetryMaxBytes: 1_048_576,
      deltaTemporality: true,
    })
    const { clientInstanceId, subscriptionId } = subscription
    expect(clientInstanceId).not.toBe(ZERO_UUID)
    const push = {
      clientInstanceId,
      terminating: false,
      compressionType: 0,
      metrics: Buffer.alloc(9),
    }
    expect(await client.ask(ApiKey.PushTelemetry, 0, { ...push, subscriptionId })).toMatchObject({
      errorCode: 0,
    })
    expect(
      await client.ask(ApiKey.PushTelemetry, 0, {
        ...push,
        subscriptionId: subscriptionId + 1,
        terminating: true,
      }),
    ).toMatchObject({ errorCode: ErrorCode.UNKNOWN_SUBSCRIPTION_ID })
  })
})
