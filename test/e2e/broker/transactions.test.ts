/** The rules of transactions that a client can see, request by request. All of it holds for Apache Kafka 4.3.1 as well. */
import { ApiKey, ErrorCode, errorName, isRetriable } from '@millrace/wire'
import { aBatch, RawClient, startTestBroker, type TestBroker } from './harness'

const PRODUCE_V1 = 9
const PRODUCE_ABORTABLE = 11
const PRODUCE_V2 = 12
const END_V2 = 5

interface Identity {
  readonly producerId: number
  readonly producerEpoch: number
}

let broker: TestBroker
let client: RawClient
let counter = 0

beforeAll(async () => {
  // A transaction that begins while the markers of the one before are written waits for them, on a slow disk, too.
  broker = await startTestBroker({ 'add.partitions.to.txn.retry.backoff.max.ms': '10000' })
  client = await RawClient.open(broker.port)
  for (const keyType of [0, 1])
    await client.ask(ApiKey.FindCoordinator, 4, { keyType, coordinatorKeys: ['x'] })
})
afterAll(async () => {
  client.close()
  await broker.stop()
})

/** A topic and a producer that no other test knows. */
async function aProducer(): Promise<{ id: string; topic: string; producer: Identity }> {
  const id = `id-${++counter}`
  const topic = `topic-${counter}`
  const sizes = { numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }
  await client.ask(ApiKey.CreateTopics, 5, { topics: [{ name: topic, ...sizes }], timeoutMs: 5000 })
  return { id, topic, producer: await init(id) }
}

async function init(transactionalId: string): Promise<Identity> {
  for (;;) {
    const answer = await client.ask(ApiKey.InitProducerId, 5, {
      transactionalId,
      transactionTimeoutMs: 60_000,
    })
    const { errorCode, producerId, producerEpoch } = answer
    if (errorCode === ErrorCode.NONE) return { producerId, producerEpoch }
    if (!isRetriable(errorCode)) throw new Error(errorName(errorCode))
  }
}

async function produce(
  { id, topic, producer }: { id: string; topic: string; producer: Identity },
  options: { version?: number; sequence?: number; partition?: number } = {},
): Promise<string> {
  const { version = PRODUCE_V2, sequence = 0, partition = 0 } = options
  const records = aBatch(['x'], {
    producer: { ...producer, baseSequence: sequence },
    isTransactional: true,
  })
  const topicData = [{ name: topic, partitionData: [{ index: partition, records }] }]
  const request = { transactionalId: id, acks: -1, timeoutMs: 5000, topicData }
  for (;;) {
    const { responses } = await client.ask(ApiKey.Produce, version, request)
    const { errorCode } = responses[0].partitionResponses[0]
    // Kafka opens the partitions of a topic after it has said that the topic is there.
    if (errorCode !== ErrorCode.NOT_LEADER_OR_FOLLOWER) return errorName(errorCode)
  }
}

function addPartitions(
  { id, topic, producer }: { id: string; topic: string; producer: Identity },
  version = 3,
) {
  return client.ask(ApiKey.AddPartitionsToTxn, version, {
    v3AndBelowTransactionalId: id,
    v3AndBelowProducerId: producer.producerId,
    v3AndBelowProducerEpoch: producer.producerEpoch,
    v3AndBelowTopics: [{ name: topic, partitions: [0, 1] }],
  })
}

/** Ends a transaction; waits while the one before is not complete. */
async function end(id: string, producer: Identity, committed = true, version = END_V2) {
  for (;;) {
    const answer = await client.ask(ApiKey.EndTxn, version, {
      transactionalId: id,
      ...producer,
      committed,
    })
    if (answer.errorCode !== ErrorCode.CONCURRENT_TRANSACTIONS) return answer
  }
}

async function describeState(id: string) {
  const { transactionStates } = await client.ask(ApiKey.DescribeTransactions, 0, {
    transactionalIds: [id],
  })
  return transactionStates[0]
}

async function untilState(id: string, expected: string): Promise<void> {
  while ((await describeState(id)).transactionState !== expected)
    await client.ask(ApiKey.ApiVersions, 0, {})
}

describe('a partition', () => {
  it('joins the transaction by being written to in the newer protocol', async () => {
    const all = await aProducer()
    expect(await produce(all)).toBe('NONE')
    expect(await describeState(all.id)).toMatchObject({
      transactionState: 'Ongoing',
      topics: [{ topic: all.topic, partitions: [0] }],
    })
  })

  it.each([
    [PRODUCE_V1, 'INVALID_TXN_STATE'],
    [PRODUCE_ABORTABLE, 'TRANSACTION_ABORTABLE'],
  ])('TXN-4: must have been added in the older one: Produce %i', async (version, expected) => {
    const all = await aProducer()
    expect(await produce(all, { version })).toBe(expected)
    await addPartitions(all)
    expect(await produce(all, { version })).toBe('NONE')
  })

  it('does not have to if nobody verifies', async () => {
    const entity = { resourceType: 4, resourceName: '' }
    const name = 'transaction.partition.verification.enable'
    const set = (value: string) =>
      client.ask(ApiKey.IncrementalAlterConfigs, 1, {
        resources: [{ ...entity, configs: [{ name, configOperation: 0, value }] }],
        validateOnly: false,
      })
    await set('false')
    const all = await aProducer()
    expect(await produce(all, { version: PRODUCE_V1 })).toBe('NONE')
    await set('true')
  })

  it('is refused with all others of the request if one is unknown', async () => {
    const { id, topic, producer } = await aProducer()
    const { resultsByTopicV3AndBelow: results } = await client.ask(ApiKey.AddPartitionsToTxn, 3, {
      v3AndBelowTransactionalId: id,
      v3AndBelowProducerId: producer.producerId,
      v3AndBelowProducerEpoch: producer.producerEpoch,
      v3AndBelowTopics: [{ name: topic, partitions: [0, 9] }],
    })
    const codes = results[0].resultsByPartition.map(({ partitionErrorCode }) =>
      errorName(partitionErrorCode),
    )
    expect(codes).toEqual(['OPERATION_NOT_ATTEMPTED', 'UNKNOWN_TOPIC_OR_PARTITION'])
    expect((await describeState(id)).transactionState).toBe('Empty')
  })

  it('can be asked after by another broker', async () => {
    const { id, topic, producer } = await aProducer()
    await produce({ id, topic, producer })
    const topics = [{ name: topic, partitions: [0, 1] }]
    const transactions = [{ transactionalId: id, ...producer, verifyOnly: true, topics }]
    const answer = await client.ask(ApiKey.AddPartitionsToTxn, 5, { transactions })
    const [result] = answer.resultsByTransaction[0].topicResults
    expect(new Map(result.resultsByPartition.map((each) => [each.partitionIndex, each]))).toEqual(
      new Map([
        [0, { partitionIndex: 0, partitionErrorCode: ErrorCode.NONE }],
        [1, { partitionIndex: 1, partitionErrorCode: ErrorCode.TRANSACTION_ABORTABLE }],
      ]),
    )
  })

  it('whose topic is deleted does not keep the transaction from its end', async () => {
    const all = await aProducer()
    await produce(all)
    const topics = [{ name: all.topic, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }]
    await client.ask(ApiKey.DeleteTopics, 6, { topics, topicNames: [all.topic], timeoutMs: 5000 })
    expect((await end(all.id, all.producer)).errorCode).toBe(ErrorCode.NONE)
    await untilState(all.id, 'CompleteCommit')
  })
})

describe('the end of a transaction', () => {
  it('gives the producer the epoch of the next one, which it can use at once', async () => {
    const all = await aProducer()
    let { producer } = all
    for (let i = 0; i < 5; i++) {
      expect(await produce({ ...all, producer })).toBe('NONE')
      const next = await end(all.id, producer)
      expect(next).toMatchObject({ errorCode: 0, producerEpoch: producer.producerEpoch + 1 })
      producer = next
    }
  })

  it('TXN-3: that comes late does not end the next transaction', async () => {
    const all = await aProducer()
    await produce(all)
    const next = await end(all.id, all.producer)
    expect(await produce({ ...all, producer: next })).toBe('NONE')
    for (const committed of [true, false]) {
      expect(errorName((await end(all.id, all.producer, committed)).errorCode)).toBe(
        'PRODUCER_FENCED',
      )
    }
    expect((await describeState(all.id)).transactionState).toBe('Ongoing')
  })

  it('that is repeated is answered as the first time', async () => {
    const all = await aProducer()
    await produce(all)
    const first = await end(all.id, all.producer)
    await untilState(all.id, 'CompleteCommit')
    expect(await end(all.id, all.producer)).toEqual(first)
    expect(errorName((await end(all.id, all.producer, false)).errorCode)).toBe('INVALID_TXN_STATE')
  })

  it('of an older producer keeps its epoch', async () => {
    const all = await aProducer()
    await addPartitions(all)
    await produce(all, { version: PRODUCE_V1 })
    expect((await end(all.id, all.producer, true, 3)).errorCode).toBe(ErrorCode.NONE)
    await untilState(all.id, 'CompleteCommit')
    await addPartitions(all)
    expect(await produce(all, { version: PRODUCE_V1, sequence: 1 })).toBe('NONE')
  })
})

describe('a producer', () => {
  it('fences the one before it', async () => {
    const zombie = await aProducer()
    await produce(zombie)
    const producer = await init(zombie.id)
    expect(producer.producerEpoch).toBeGreaterThan(zombie.producer.producerEpoch)
    expect(await produce(zombie, { sequence: 1 })).toBe('INVALID_PRODUCER_EPOCH')
    expect(errorName((await end(zombie.id, zombie.producer)).errorCode)).toBe('PRODUCER_FENCED')
    expect(await produce({ ...zombie, producer })).toBe('NONE')
  })

  it('of an older version is told so in words that it knows', async () => {
    const zombie = await aProducer()
    await init(zombie.id)
    const old = await client.ask(ApiKey.InitProducerId, 3, {
      transactionalId: zombie.id,
      transactionTimeoutMs: 1000,
      ...zombie.producer,
    })
    expect(errorName(old.errorCode)).toBe('INVALID_PRODUCER_EPOCH')
    const ended = await end(zombie.id, zombie.producer, true, 1)
    expect(errorName(ended.errorCode)).toBe('INVALID_PRODUCER_EPOCH')
    const added = await addPartitions(zombie, 1)
    const [result] = added.resultsByTopicV3AndBelow[0].resultsByPartition
    expect(errorName(result.partitionErrorCode)).toBe('INVALID_PRODUCER_EPOCH')
  })

  it.each([
    ['INVALID_TRANSACTION_TIMEOUT', { transactionTimeoutMs: 900_001 }],
    ['INVALID_TRANSACTION_TIMEOUT', { transactionTimeoutMs: 0 }],
    ['INVALID_REQUEST', { transactionalId: '' }],
    ['INVALID_REQUEST', { producerId: 5 }],
    ['INVALID_REQUEST', { producerEpoch: 5 }],
  ])('is refused with %s: %j', async (expected, fields) => {
    const request = { transactionalId: 'refused', transactionTimeoutMs: 1000, ...fields }
    expect(errorName((await client.ask(ApiKey.InitProducerId, 5, request)).errorCode)).toBe(
      expected,
    )
  })
})

describe('offsets in a transaction', () => {
  const commit = async (
    { id, topic, producer }: { id: string; topic: string; producer: Identity },
    version: number,
  ) => {
    const partitions = [{ partitionIndex: 0, committedOffset: 7, committedMetadata: '' }]
    const { topics } = await client.ask(ApiKey.TxnOffsetCommit, version, {
      transactionalId: id,
      groupId: `group-${id}`,
      ...producer,
      topics: [{ name: topic, partitions }],
    })
    return errorName(topics[0].partitions[0].errorCode)
  }
  const fetched = async ({ id, topic }: { id: string; topic: string }) => {
    const topics = [{ name: topic, partitionIndexes: [0] }]
    const request = { groups: [{ groupId: `group-${id}`, topics }], requireStable: true }
    const { groups } = await client.ask(ApiKey.OffsetFetch, 8, request)
    const { errorCode, committedOffset } = groups[0].topics[0].partitions[0]
    return errorCode === 0 ? committedOffset : errorName(errorCode)
  }

  it('TXN-5: count when it is committed', async () => {
    const all = await aProducer()
    expect(await commit(all, 5)).toBe('NONE')
    expect(await fetched(all)).toBe('UNSTABLE_OFFSET_COMMIT')
    await end(all.id, all.producer)
    await untilState(all.id, 'CompleteCommit')
    expect(await fetched(all)).toBe(7)
  })

  it.each([
    [3, 'INVALID_TXN_STATE'],
    [4, 'TRANSACTION_ABORTABLE'],
  ])('TXN-4: need AddOffsetsToTxn in the older protocol: version %i', async (version, expected) => {
    const all = await aProducer()
    expect(await commit(all, version)).toBe(expected)
    const request = { transactionalId: all.id, ...all.producer, groupId: `group-${all.id}` }
    expect((await client.ask(ApiKey.AddOffsetsToTxn, 3, request)).errorCode).toBe(0)
    expect(await commit(all, version)).toBe('NONE')
    await end(all.id, all.producer, false, 3)
    await untilState(all.id, 'CompleteAbort')
    expect(await fetched(all)).toBe(-1)
  })

  it('need a group and a topic that exists', async () => {
    const all = await aProducer()
    expect(await commit({ ...all, topic: 'nowhere' }, 5)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    const { topics } = await client.ask(ApiKey.TxnOffsetCommit, 5, {
      transactionalId: all.id,
      groupId: '',
      ...all.producer,
      topics: [
        {
          name: all.topic,
          partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }],
        },
      ],
    })
    expect(errorName(topics[0].partitions[0].errorCode)).toBe('INVALID_GROUP_ID')
  })
})

describe('a marker from outside', () => {
  const mark = async (
    topic: string,
    producer: Identity,
    coordinatorEpoch = 0,
    transactionVersion = 0,
  ) => {
    const topics = [{ name: topic, partitionIndexes: [0] }]
    const marker = {
      ...producer,
      transactionResult: false,
      coordinatorEpoch,
      transactionVersion,
      topics,
    }
    const answer = await client.ask(ApiKey.WriteTxnMarkers, 2, { markers: [marker] })
    return errorName(answer.markers[0].topics[0].partitions[0].errorCode)
  }

  it('ends what hangs', async () => {
    const all = await aProducer()
    await produce(all)
    const producers = async () => {
      const topics = [{ name: all.topic, partitionIndexes: [0] }]
      const answer = await client.ask(ApiKey.DescribeProducers, 0, { topics })
      return answer.topics[0].partitions[0].activeProducers
    }
    expect(await producers()).toMatchObject([{ ...all.producer, currentTxnStartOffset: 0 }])
    expect(await mark(all.topic, all.producer)).toBe('NONE')
    expect(await producers()).toMatchObject([{ currentTxnStartOffset: -1 }])
  })

  it('is refused if it is out of date, or for no partition', async () => {
    const all = await aProducer()
    await produce(all)
    const { producerId, producerEpoch } = all.producer
    expect(await mark(all.topic, { producerId, producerEpoch }, 0, 2)).toBe(
      'INVALID_PRODUCER_EPOCH',
    )
    expect(await mark(all.topic, { producerId, producerEpoch: producerEpoch + 1 }, 9, 2)).toBe(
      'NONE',
    )
    expect(await mark(all.topic, { producerId, producerEpoch: producerEpoch + 2 }, 8, 2)).toBe(
      'TRANSACTION_COORDINATOR_FENCED',
    )
    expect(await mark('nowhere', all.producer)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  })
})

describe('transactional ids', () => {
  it('are found by pattern', async () => {
    const { id } = await aProducer()
    const list = async (transactionalIdPattern: string) => {
      const filters = { stateFilters: [], producerIdFilters: [], durationFilter: -1 }
      return client.ask(ApiKey.ListTransactions, 2, { ...filters, transactionalIdPattern })
    }
    const { transactionStates } = await list(`${id.slice(0, 2)}-\\d+`)
    expect(transactionStates.map(({ transactionalId }) => transactionalId)).toContain(id)
    expect((await list('nothing.*')).transactionStates).toEqual([])
    expect(errorName((await list('(')).errorCode)).toBe('INVALID_REGULAR_EXPRESSION')
  })

  it('live in a topic that is compacted', async () => {
    const resources = [
      {
        resourceType: 2,
        resourceName: '__transaction_state',
        configurationKeys: ['cleanup.policy'],
      },
    ]
    const { results } = await client.ask(ApiKey.DescribeConfigs, 4, { resources })
    expect(results[0].configs[0]).toMatchObject({ value: 'compact' })
  })
})
