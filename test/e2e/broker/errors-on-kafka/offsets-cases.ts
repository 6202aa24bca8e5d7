import { ApiKey } from '@millrace/wire'
import { TIME_MS } from './batches'
import { filledTopic } from './fetch-cases'
import { NOBODY } from './produce-cases'
import type { RequestOf, Scenario, Script, Topic } from './script'

const LIST_VERSIONS = [1, 3, 4, 5, 7, 8, 9, 10, 11]

type ListRequest = RequestOf<typeof ApiKey.ListOffsets>
type ListedPartition = ListRequest['topics'][number]['partitions'][number]

function listOf(
  topic: Topic,
  partition: Partial<ListedPartition>,
  more: Partial<ListRequest> = {},
): ListRequest {
  const partitions = [{ partitionIndex: 0, timestamp: -1, ...partition }]
  const topics = [{ name: topic.name, partitions }]
  return { replicaId: -1, isolationLevel: 0, timeoutMs: 1000, topics, ...more }
}

const times: Record<string, number> = {
  'the latest': -1,
  'the earliest': -2,
  'the largest time': -3,
  'the earliest here': -4,
  'the latest elsewhere': -5,
  'the earliest to be elsewhere': -6,
  'a special time that there is not': -7,
  'a special time far off': -99,
  'time 0': 0,
  'the time of the first record': TIME_MS,
  'a time in between': TIME_MS + 50,
  'the time of the last record': TIME_MS + 200,
  'a time after all': TIME_MS + 201,
  'a time that no number holds': 2 ** 53,
}

const listScenarios: Scenario[] = [
  ...Object.entries(times).flatMap(([title, timestamp]) => [
    { title, run: (on: Script) => listEach(on, { timestamp }) },
    { title: `${title}, of an empty topic`, run: (on: Script) => listEach(on, { timestamp }, 0) },
  ]),
  ...[
    ['a partition that there is not', { partitionIndex: 9 }],
    ['a partition below 0', { partitionIndex: -1 }],
    ['the epoch of the leader', { currentLeaderEpoch: 0 }],
    ['an epoch to come', { currentLeaderEpoch: 5 }],
    ['an epoch below -1', { currentLeaderEpoch: -3 }],
  ].map(([title, partition]) => ({
    title: title as string,
    run: (on: Script) => listEach(on, partition as Partial<ListedPartition>),
  })),
  ...[
    ['committed', { isolationLevel: 1 }],
    ['an isolation that there is not', { isolationLevel: 5 }],
    ['a follower', { replicaId: 1 }],
    ['a follower that there is not', { replicaId: 9 }],
    ['a debugger', { replicaId: -2 }],
    ['a time to wait below 0', { timeoutMs: -1 }],
  ].map(([title, request]) => ({
    title: title as string,
    run: (on: Script) => listEach(on, {}, 3, request as Partial<ListRequest>),
  })),
  {
    title: 'a topic that there is not',
    run: async (on) => {
      for (const version of LIST_VERSIONS)
        await on.ask(ApiKey.ListOffsets, version, listOf(NOBODY, {}))
    },
  },
  {
    title: 'a partition twice',
    run: async (on) => {
      const { name } = await filledTopic(on)
      const partitions = [-1, -2].map((timestamp) => ({ partitionIndex: 0, timestamp }))
      for (const version of [1, 7])
        await on.ask(ApiKey.ListOffsets, version, {
          replicaId: -1,
          isolationLevel: 0,
          timeoutMs: 1000,
          topics: [{ name, partitions }],
        })
    },
  },
]

async function listEach(
  on: Script,
  partition: Partial<ListedPartition>,
  batches = 3,
  more: Partial<ListRequest> = {},
): Promise<void> {
  const topic = await filledTopic(on, batches)
  for (const version of LIST_VERSIONS)
    await on.ask(ApiKey.ListOffsets, version, listOf(topic, partition, more))
}

const epochScenarios: Scenario[] = (
  [
    ['the only epoch', 0, -1, 0],
    ['an epoch to come', 0, -1, 4],
    ['an epoch below 0', 0, -1, -1],
    ['as a leader of the only epoch', 0, 0, 0],
    ['as a leader to come', 0, 4, 0],
    ['as a leader of an epoch below -1', 0, -3, 0],
    ['a partition that there is not', 9, -1, 0],
  ] as const
).map(([title, partition, currentLeaderEpoch, leaderEpoch]) => ({
  title: `end of an epoch: ${title}`,
  run: async (on: Script) => {
    const topic = await filledTopic(on)
    const partitions = [{ partition, currentLeaderEpoch, leaderEpoch }]
    for (const version of [2, 3, 4])
      for (const { name } of [topic, NOBODY])
        await on.ask(ApiKey.OffsetForLeaderEpoch, version, {
          replicaId: -1,
          topics: [{ topic: name, partitions }],
        })
  },
}))

const deleteScenarios: Scenario[] = [
  ['to the middle, and back', [4, 2, 4]],
  ['to the end', [-1, -1]],
  ['beyond the end', [7, 6]],
  ['below -1', [-2]],
  ['to 0', [0]],
].map(([title, offsets]) => ({
  title: `records deleted ${title as string}`,
  run: async (on: Script) => {
    const topic = await filledTopic(on)
    for (const offset of offsets as number[])
      for (const version of [0, 2])
        await on.ask(ApiKey.DeleteRecords, version, deletionOf(topic, 0, offset))
    await on.ask(ApiKey.ListOffsets, 7, listOf(topic, { timestamp: -2 }))
    await on.ask(ApiKey.ListOffsets, 7, listOf(topic, { timestamp: 0 }))
  },
}))

function deletionOf({ name }: Topic, partitionIndex: number, offset: number) {
  return { topics: [{ name, partitions: [{ partitionIndex, offset }] }], timeoutMs: 5000 }
}

export const offsetsScenarios: Scenario[] = [
  ...listScenarios,
  ...epochScenarios,
  ...deleteScenarios,
  {
    title: 'records deleted where there are none',
    run: async (on) => {
      const topic = await filledTopic(on)
      const compacted = await on.topic({ 'cleanup.policy': 'compact' })
      await on.ask(ApiKey.DeleteRecords, 2, deletionOf(NOBODY, 0, 0))
      await on.ask(ApiKey.DeleteRecords, 2, deletionOf(topic, 8, 0))
      await on.ask(ApiKey.DeleteRecords, 2, deletionOf(topic, -1, 0))
      await on.ask(ApiKey.DeleteRecords, 2, deletionOf(compacted, 0, 0))
      await on.ask(
        ApiKey.DeleteRecords,
        2,
        deletionOf({ name: '__consumer_offsets', id: '' }, 0, 0),
      )
    },
  },
]
