import { ApiKey, ErrorCode } from '@millrace/wire'
import { plainBatch } from './batches'
import { NOBODY, produceRequest } from './produce-cases'
import type { RequestOf, Scenario, Script } from './script'
import { type Txn, txnStates, untilComplete } from './txn-states'

type Ask = (on: Script, txn: Txn) => Promise<unknown>

/** Who asks: the one that has the id, or somebody who is wrong in one thing. */
const callers: Record<string, (txn: Txn) => Partial<Txn>> = {
  'its producer': () => ({}),
  'another producer': ({ producerId }) => ({ producerId: producerId + 1_000_000 }),
  'a producer below 0': () => ({ producerId: -1 }),
  'an older epoch': ({ producerEpoch }) => ({ producerEpoch: producerEpoch - 1 }),
  'a newer epoch': ({ producerEpoch }) => ({ producerEpoch: producerEpoch + 1 }),
  'another id': ({ transactionalId }) => ({ transactionalId: `${transactionalId}-77` }),
  'an empty id': () => ({ transactionalId: '' }),
}

const each = async <T>(values: readonly T[], ask: (value: T) => Promise<unknown>) => {
  for (const value of values) await ask(value)
}

/** One that finds an open transaction has it aborted, and must come again when that is done. */
async function beginOnce(
  on: Script,
  request: RequestOf<typeof ApiKey.InitProducerId>,
  version: number,
): Promise<void> {
  const { errorCode } = await on.ask(ApiKey.InitProducerId, version, request)
  if (errorCode === ErrorCode.CONCURRENT_TRANSACTIONS)
    await untilComplete(on, request.transactionalId!)
}

const init =
  (more: Partial<RequestOf<typeof ApiKey.InitProducerId>> = {}, versions = [0, 3, 4, 5]): Ask =>
  (on, { transactionalId }) =>
    each(versions, async (version) => {
      await beginOnce(on, { transactionalId, transactionTimeoutMs: 60_000, ...more }, version)
    })

const initAs: Ask = (on, { transactionalId, producerId, producerEpoch }) =>
  each([3, 4, 5], (version) =>
    beginOnce(
      on,
      { transactionalId, transactionTimeoutMs: 60_000, producerId, producerEpoch },
      version,
    ),
  )

const addPartitions =
  (names?: readonly (readonly [name: string, partitions: number[]])[], versions = [0, 2, 3]): Ask =>
  (on, { transactionalId, producerId, producerEpoch, topic }) =>
    each(versions, (version) =>
      on.ask(ApiKey.AddPartitionsToTxn, version, {
        transactions: [],
        v3AndBelowTransactionalId: transactionalId,
        v3AndBelowProducerId: producerId,
        v3AndBelowProducerEpoch: producerEpoch,
        v3AndBelowTopics: [
          { name: topic.name, partitions: [0, 1] },
          ...(names ?? []).map(([name, partitions]) => ({ name, partitions })),
        ],
      }),
    )

/** As brokers ask each other. */
const addAsBroker =
  (verifyOnly: boolean): Ask =>
  (on, { transactionalId, producerId, producerEpoch, topic }) =>
    each([4, 5], (version) => {
      const topics = [{ name: topic.name, partitions: [0, 1] }]
      const one = { transactionalId, producerId, producerEpoch, verifyOnly, topics }
      return on.ask(ApiKey.AddPartitionsToTxn, version, { transactions: [one] })
    })

const addOffsets =
  (groupId?: string): Ask =>
  (on, { transactionalId, producerId, producerEpoch }) =>
    each([0, 2, 3, 4], (version) =>
      on.ask(ApiKey.AddOffsetsToTxn, version, {
        transactionalId,
        producerId,
        producerEpoch,
        groupId: groupId ?? on.name,
      }),
    )

const commitOffsets =
  (more: Partial<RequestOf<typeof ApiKey.TxnOffsetCommit>> = {}, partition: object = {}): Ask =>
  (on, { transactionalId, producerId, producerEpoch, topic }) =>
    each([0, 3, 4, 5], (version) => {
      const partitions = [
        { partitionIndex: 0, committedOffset: 3, committedMetadata: null, ...partition },
      ]
      return on.ask(ApiKey.TxnOffsetCommit, version, {
        transactionalId,
        producerId,
        producerEpoch,
        groupId: on.name,
        topics: [{ name: topic.name, partitions }],
        ...more,
      })
    })

const end =
  (committed: boolean, version: number): Ask =>
  async (on, { transactionalId, producerId, producerEpoch }) => {
    const request = { transactionalId, producerId, producerEpoch, committed }
    const { errorCode } = await on.ask(ApiKey.EndTxn, version, request)
    if (errorCode === 0) await untilComplete(on, transactionalId)
    await on.ask(ApiKey.EndTxn, version, request)
    if (errorCode === 0) await untilComplete(on, transactionalId)
    await on.ask(ApiKey.EndTxn, version, { ...request, committed: !committed })
  }

const write =
  (version: number, baseSequence = 0): Ask =>
  async (on, { transactionalId, producerId, producerEpoch, topic }) => {
    for (const partition of [0, 1]) {
      const producer = { producerId, producerEpoch, baseSequence }
      const records = plainBatch({ producer, isTransactional: true })
      const request = produceRequest(topic, records, { transactionalId, partition })
      await on.ask(ApiKey.Produce, version, request)
    }
  }

const writePlain: Ask = (on, { producerId, producerEpoch, topic }) => {
  const records = plainBatch({ producer: { producerId, producerEpoch, baseSequence: 0 } })
  return on.ask(ApiKey.Produce, 9, produceRequest(topic, records))
}

const markers =
  (more: Partial<RequestOf<typeof ApiKey.WriteTxnMarkers>['markers'][number]> = {}): Ask =>
  (on, { producerId, producerEpoch, topic }) =>
    each([1, 2], (version) => {
      const topics = [
        { name: topic.name, partitionIndexes: [0, 9] },
        { name: NOBODY.name, partitionIndexes: [0] },
      ]
      const marker = {
        producerId,
        producerEpoch,
        transactionResult: true,
        coordinatorEpoch: 0,
        topics,
        ...more,
      }
      return on.ask(ApiKey.WriteTxnMarkers, version, { markers: [marker] })
    })

const withoutTimes = (answer: unknown) =>
  JSON.parse(
    JSON.stringify(answer, (key, value: unknown) =>
      ['transactionStartTimeMs', 'lastTimestamp'].includes(key) && Number(value) > 0
        ? 'a time'
        : value,
    ),
  )

const described: Ask = async (on, { transactionalId, producerId, topic }) => {
  const transactionalIds = [transactionalId, '', 'nobody']
  await on.ask(ApiKey.DescribeTransactions, 0, { transactionalIds }, withoutTimes)
  const topics = [topic, NOBODY].map(({ name }) => ({ name, partitionIndexes: [0, 9] }))
  await on.ask(ApiKey.DescribeProducers, 0, { topics }, withoutTimes)
  const producerIdFilters = [producerId]
  for (const more of [
    { stateFilters: [] },
    { stateFilters: ['Ongoing', 'Empty', 'nonsense'] },
    { stateFilters: ['ongoing'] },
    { stateFilters: [], durationFilter: 100_000 },
    { stateFilters: [], transactionalIdPattern: `${transactionalId}` },
    { stateFilters: [], transactionalIdPattern: '[' },
    { stateFilters: [], transactionalIdPattern: '' },
  ])
    await on.ask(ApiKey.ListTransactions, 2, { producerIdFilters, ...more })
}

const requests: Record<string, Ask> = {
  ...Object.fromEntries(
    Object.entries(callers).flatMap(([title, caller]): [string, Ask][] =>
      (
        [
          ['begun', initAs],
          ['partitions added', addPartitions()],
          ['partitions added among brokers', addAsBroker(false)],
          ['partitions verified among brokers', addAsBroker(true)],
          ['offsets added', addOffsets()],
          ['offsets committed', commitOffsets()],
          ['committed', end(true, 3)],
          ['aborted', end(false, 4)],
          ['committed by a newer client', end(true, 5)],
          ['aborted by a newer client', end(false, 5)],
          ['written to', write(9)],
          ['written to by a client that knows what can be aborted', write(11)],
          ['written to by a newer client', write(12)],
        ] as [string, Ask][]
      ).map(([what, ask]) => [
        `${what}: ${title}`,
        (on, txn) => ask(on, { ...txn, ...caller(txn) }),
      ]),
    ),
  ),
  begun: init(),
  'begun without time': init({ transactionTimeoutMs: 0 }, [4, 5]),
  'begun with a time below 0': init({ transactionTimeoutMs: -1 }, [4, 5]),
  'begun with too long a time': init({ transactionTimeoutMs: 900_001 }),
  'begun with an empty id': init({ transactionalId: '' }),
  'begun without id': init({ transactionalId: null, transactionTimeoutMs: -1 }),
  'begun with a producer and no epoch': init({ producerId: 5, producerEpoch: -1 }, [3, 5]),
  'begun with an epoch and no producer': init({ producerId: -1, producerEpoch: 2 }, [3, 5]),
  'begun without id as a producer': init(
    { transactionalId: null, producerId: 5, producerEpoch: 0 },
    [3, 5],
  ),
  'partitions added that there are not': addPartitions([[NOBODY.name, [0]]]),
  'partitions added beyond those of the topic': addPartitions([['__consumer_offsets', [0, 999]]]),
  'offsets added of a group without name': addOffsets(''),
  'offsets committed of a group without name': commitOffsets({ groupId: '' }),
  'offsets committed by somebody unknown': commitOffsets({ memberId: 'nobody', generationId: 3 }),
  'offsets committed in a generation': commitOffsets({ generationId: 3 }),
  'offsets committed of an instance': commitOffsets({ groupInstanceId: 'fixed' }),
  'offsets committed of a topic that there is not': commitOffsets({
    topics: [
      {
        name: NOBODY.name,
        partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }],
      },
    ],
  }),
  'offsets committed with too much metadata': commitOffsets(
    {},
    { committedMetadata: 'x'.repeat(200) },
  ),
  'offsets committed of a partition that there is not': commitOffsets({}, { partitionIndex: 9 }),
  'offsets added, then committed': async (on, txn) => {
    await addOffsets()(on, txn)
    await commitOffsets()(on, txn)
  },
  'written to with a gap': write(9, 7),
  'written to without transaction': writePlain,
  markers: markers(),
  'markers of another epoch': (on, txn) =>
    markers({ producerEpoch: txn.producerEpoch - 1 })(on, txn),
  'markers of an epoch to come': (on, txn) =>
    markers({ producerEpoch: txn.producerEpoch + 1 })(on, txn),
  'markers of a producer below 0': markers({ producerId: -1 }),
  'markers of a coordinator before': markers({ coordinatorEpoch: -1 }),
  'markers of a version to come': markers({ transactionVersion: 2 }),
  described,
}

export const txnScenarios: Scenario[] = Object.entries(txnStates).flatMap(([state, prepare]) =>
  Object.entries(requests).map(([title, ask]) => ({
    title: `${state}: ${title}`,
    run: async (on: Script) => {
      const topic = await on.topic({}, 2)
      await ask(on, await prepare(on, topic))
    },
  })),
)
