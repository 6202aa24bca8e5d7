import { ApiKey, ZERO_UUID } from '@millrace/wire'
import { plainBatch, TIME_MS } from './batches'
import { NOBODY, produceRequest } from './produce-cases'
import type { RequestOf, Scenario, Script, Topic } from './script'

type FetchRequest = RequestOf<typeof ApiKey.Fetch>
type FetchedPartition = FetchRequest['topics'][number]['partitions'][number]

const VERSIONS = [4, 7, 11, 12, 13, 16, 17] as const

export async function filledTopic(on: Script, batches = 3, numPartitions = 1): Promise<Topic> {
  const topic = await on.topic({}, numPartitions)
  for (let index = 0; index < batches; index++) {
    const records = plainBatch({ values: ['a', 'b'], timestamps: [TIME_MS + index * 100] })
    await on.quietly(ApiKey.Produce, 13, produceRequest(topic, records))
  }
  return topic
}

function fetchOf(
  topics: readonly (readonly [Topic, Partial<FetchedPartition>?])[],
  more: Partial<FetchRequest> = {},
): FetchRequest {
  return {
    maxWaitMs: 0,
    minBytes: 1,
    isolationLevel: 0,
    topics: topics.map(([topic, partition]) => ({
      topic: topic.name,
      topicId: topic.id,
      partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100_000, ...partition }],
    })),
    forgottenTopicsData: [],
    ...more,
  }
}

interface FetchCase {
  readonly title: string
  readonly partition?: Partial<FetchedPartition>
  readonly request?: Partial<FetchRequest>
  readonly topic?: Topic
  readonly versions?: readonly number[]
}

const cases: FetchCase[] = [
  { title: 'all' },
  { title: 'the middle of a batch', partition: { fetchOffset: 3 } },
  { title: 'the end', partition: { fetchOffset: 6 } },
  { title: 'beyond the end', partition: { fetchOffset: 7 } },
  { title: 'below 0', partition: { fetchOffset: -1 } },
  { title: 'a partition that there is not', partition: { partition: 9 } },
  { title: 'a partition below 0', partition: { partition: -1 } },
  { title: 'a topic that there is not', topic: NOBODY },
  { title: 'an impossible topic', topic: { name: 'no/body', id: ZERO_UUID } },
  { title: 'the epoch of the leader', partition: { currentLeaderEpoch: 0 } },
  { title: 'an epoch to come', partition: { currentLeaderEpoch: 7 } },
  { title: 'an epoch below -1', partition: { currentLeaderEpoch: -2 } },
  { title: 'a last fetched epoch', partition: { lastFetchedEpoch: 0 } },
  { title: 'a last fetched epoch to come', partition: { lastFetchedEpoch: 3 } },
  {
    title: 'a last fetched epoch at an offset beyond the end',
    partition: { lastFetchedEpoch: 0, fetchOffset: 9 },
  },
  { title: 'no bytes of a partition', partition: { partitionMaxBytes: 0 } },
  { title: 'bytes of a partition below 0', partition: { partitionMaxBytes: -1 } },
  { title: 'few bytes of a partition', partition: { partitionMaxBytes: 10 } },
  { title: 'bytes for one batch and a half', partition: { partitionMaxBytes: 120 } },
  { title: 'no bytes', request: { maxBytes: 0 } },
  { title: 'bytes below 0', request: { maxBytes: -1 } },
  { title: 'few bytes', request: { maxBytes: 10 } },
  { title: 'at least no bytes', request: { minBytes: 0 } },
  { title: 'at least fewer than no bytes', request: { minBytes: -1 } },
  { title: 'at least many bytes', request: { minBytes: 1 << 20, maxWaitMs: 20 } },
  { title: 'no time to wait', request: { maxWaitMs: -1 }, partition: { fetchOffset: 6 } },
  { title: 'committed', request: { isolationLevel: 1 } },
  { title: 'an isolation that there is not', request: { isolationLevel: 2 } },
  { title: 'an isolation below 0', request: { isolationLevel: -1 } },
  { title: 'a rack', request: { rackId: 'here' } },
  { title: 'another cluster', request: { clusterId: 'another' } },
  {
    title: 'a follower',
    request: { replicaId: 1, replicaState: { replicaId: 1, replicaEpoch: -1 } },
  },
  {
    title: 'a follower that there is not',
    request: { replicaId: 9, replicaState: { replicaId: 9, replicaEpoch: 3 } },
  },
  { title: 'a debugger', request: { replicaId: -2, replicaState: { replicaId: -2 } } },
  { title: 'a session of nobody', request: { sessionId: 77, sessionEpoch: 1 } },
  { title: 'the end of a session of nobody', request: { sessionId: 77, sessionEpoch: -1 } },
  { title: "a new session in place of nobody's", request: { sessionId: 77, sessionEpoch: 0 } },
  { title: 'a session without id that goes on', request: { sessionId: 0, sessionEpoch: 1 } },
  { title: 'an epoch of sessions below -1', request: { sessionId: 0, sessionEpoch: -2 } },
  {
    title: 'an epoch of sessions below -1 in a session',
    request: { sessionId: 77, sessionEpoch: -2 },
  },
  { title: 'no topics', request: { topics: [] } },
  { title: 'no topics in a new session', request: { topics: [], sessionEpoch: 0 } },
]

async function fetchEach(on: Script, one: FetchCase): Promise<void> {
  const topic = one.topic ?? (await filledTopic(on))
  for (const version of one.versions ?? VERSIONS)
    await on.ask(ApiKey.Fetch, version, fetchOf([[topic, one.partition]], one.request))
}

/** What a session remembers; each step gives the number of the session, as the last answer told it. */
const sessions: Scenario[] = [7, 12, 13].flatMap((version) => {
  const open = async (on: Script) => {
    const topics = [await filledTopic(on), await filledTopic(on, 1)]
    const request = fetchOf(
      topics.map((topic) => [topic]),
      { sessionEpoch: 0 },
    )
    const { sessionId } = await on.ask(ApiKey.Fetch, version, request)
    const go = (sessionEpoch: number, more: Partial<FetchRequest> = {}, id = sessionId) =>
      on.ask(ApiKey.Fetch, version, fetchOf([], { sessionId: id, sessionEpoch, ...more }))
    return { topics, go }
  }
  const scenario = (
    title: string,
    run: (session: Awaited<ReturnType<typeof open>>, on: Script) => Promise<unknown>,
  ): Scenario => ({
    title: `session of version ${version}: ${title}`,
    run: async (on) => void (await run(await open(on), on)),
  })
  const at = (topic: Topic, partition: Partial<FetchedPartition>) =>
    fetchOf([[topic, partition]]).topics
  const forget = ({ name, id }: Topic, partitions: number[]) => [
    { topic: name, topicId: id, partitions },
  ]
  return [
    scenario('goes on', async ({ go }) => [await go(1), await go(2)]),
    scenario('an epoch too early', async ({ go }) => [await go(2), await go(1)]),
    scenario('an epoch again', async ({ go }) => [await go(1), await go(1), await go(2)]),
    scenario('another session', async ({ go }) => go(1, {}, 123_456)),
    scenario('ends', async ({ go }) => [await go(-1), await go(1)]),
    scenario('forgets', async ({ go, topics }) => [
      await go(1, { forgottenTopicsData: forget(topics[0], [0]) }),
      await go(2, { forgottenTopicsData: forget(topics[0], [0]) }),
      await go(3, { forgottenTopicsData: forget(topics[1], [0]) }),
      await go(4),
    ]),
    scenario('forgets what it never had', async ({ go, topics }) =>
      go(1, { forgottenTopicsData: [...forget(NOBODY, [0]), ...forget(topics[0], [7, -1])] }),
    ),
    scenario('moves on', async ({ go, topics }) => [
      await go(1, { topics: at(topics[0], { fetchOffset: 6 }) }),
      await go(2, { topics: at(topics[1], { fetchOffset: 2 }) }),
      await go(3),
      await go(4, { topics: at(topics[0], { fetchOffset: 99 }) }),
      await go(5),
    ]),
    scenario('takes up a topic that there is not', async ({ go }) => [
      await go(1, { topics: at(NOBODY, {}) }),
      await go(2),
    ]),
    scenario('by a name, then by an id', async ({ go, topics }, on) => {
      const { sessionId } = await on.ask(
        ApiKey.Fetch,
        version,
        fetchOf([[topics[0]]], { sessionEpoch: 0 }),
      )
      const other = version >= 13 ? 12 : 13
      await on.ask(ApiKey.Fetch, other, fetchOf([[topics[1]]], { sessionId, sessionEpoch: 1 }))
      await go(1)
    }),
  ]
})

export const fetchScenarios: Scenario[] = [
  ...cases.map((one) => ({ title: one.title, run: (on: Script) => fetchEach(on, one) })),
  {
    title: 'known topics beside unknown ones',
    run: async (on) => {
      const topic = await filledTopic(on)
      for (const version of VERSIONS)
        await on.ask(ApiKey.Fetch, version, fetchOf([[NOBODY], [topic], [topic, { partition: 5 }]]))
    },
  },
  {
    title: 'a partition twice',
    run: async (on) => {
      const topic = await filledTopic(on)
      for (const version of [4, 12, 13])
        await on.ask(ApiKey.Fetch, version, fetchOf([[topic], [topic, { fetchOffset: 4 }]]))
    },
  },
  ...sessions,
]
