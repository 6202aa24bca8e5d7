import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { nextBatchSize, RecordCursor } from '@millrace/record'
import { SimRandom } from '@millrace/testing'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { BrokerProcess } from './broker-process'
import { aBatch, RawClient } from './harness'

const TOPIC = 'killed'
const GROUP = 'g'
const PARTITIONS = [0, 1, 2, 3, 4, 5]
const BATCHES = 300
const KILLS = 6
const MEMBERS_MAX = 4
/** Between a change of the members and the kill: the rebalance takes several heartbeats. */
const REBALANCE_MS = 150

/** MILLRACE_SEED repeats the moments of a run, as far as the machine repeats itself. */
const seed = Number(process.env.MILLRACE_SEED ?? Math.floor(Math.random() * 1e9))
const random = new SimRandom(seed)

let broker: BrokerProcess
let topicId: string
beforeAll(async () => {
  broker = await BrokerProcess.prepare({
    'offsets.topic.num.partitions': '1',
    'group.consumer.assignment.interval.ms': '0',
  })
})
afterAll(() => broker.remove())

/** What all members together have done. */
const story = {
  seen: new Set<string>(),
  /** Behind the last record that was worked on, by partition. */
  processed: new Map<number, number>(),
  /** The last position of which the commit was acknowledged. */
  acknowledged: new Map<number, number>(),
  owners: new Map<number, string>(),
  commitCount: 0,
  /** Members connect once this is resolved. */
  mayConnect: Promise.resolve(),
  /** What must not happen. */
  violations: [] as string[],
}

/** A member as clients are: gives up before it says so, and works only on what it was told that it has. */
class Member {
  readonly id = randomUUID()
  readonly #ended: Promise<void>
  #isLeaving = false
  #epoch = 0
  #owned: ReadonlySet<number> = new Set()
  readonly #positions = new Map<number, number>()

  constructor() {
    this.#ended = this.#run()
  }

  leave(): Promise<void> {
    this.#isLeaving = true
    return this.#ended
  }

  async #run(): Promise<void> {
    for (let hasLeft = false; !hasLeft; ) {
      // A lost connection is no end: it connects again until it has said goodbye.
      hasLeft = await this.#serve().catch((error: unknown) => {
        if (!/the broker closed|ECONNREFUSED|ECONNRESET/.test(String(error)))
          story.violations.push(String(error))
        return sleep(10, false)
      })
    }
  }

  /** True once it has left; rejects when the connection is lost. */
  async #serve(): Promise<boolean> {
    await story.mayConnect
    const client = await RawClient.open(broker.port)
    try {
      await client.ask(ApiKey.FindCoordinator, 4, { keyType: 0, coordinatorKeys: [GROUP] })
      for (let isFirst = true; !this.#isLeaving; isFirst = false) {
        await this.#beat(client, isFirst)
        for (const partition of this.#owned) await this.#work(client, partition)
        await sleep(5)
      }
      this.#own(new Set())
      return await this.#sayGoodbye(client)
    } finally {
      client.close()
    }
  }

  async #sayGoodbye(client: RawClient): Promise<boolean> {
    if (this.#epoch === 0) return true
    const goodbye = { groupId: GROUP, memberId: this.id, memberEpoch: -1 }
    const { errorCode } = await client.ask(ApiKey.ConsumerGroupHeartbeat, 1, goodbye)
    return errorCode === ErrorCode.NONE || errorCode === ErrorCode.UNKNOWN_MEMBER_ID
  }

  /** The first one of a connection tells everything: the answer to the last one of the connection before may be lost. */
  async #beat(client: RawClient, isFirst: boolean): Promise<void> {
    const isFull = isFirst || this.#epoch === 0
    const partitions = [...this.#owned]
    const answer = await client.ask(ApiKey.ConsumerGroupHeartbeat, 1, {
      groupId: GROUP,
      memberId: this.id,
      memberEpoch: this.#epoch,
      ...(isFull && { rebalanceTimeoutMs: 60_000, subscribedTopicNames: [TOPIC] }),
      topicPartitions: partitions.length > 0 ? [{ topicId, partitions }] : [],
    })
    if (answer.errorCode === ErrorCode.NONE) {
      this.#epoch = answer.memberEpoch
      if (answer.assignment)
        this.#own(new Set(answer.assignment.topicPartitions.flatMap((topic) => topic.partitions)))
      return
    }
    const { errorCode } = answer
    const isOut =
      errorCode === ErrorCode.FENCED_MEMBER_EPOCH || errorCode === ErrorCode.UNKNOWN_MEMBER_ID
    if (!isOut) return
    // No answer is lost for so long that the broker could have given up a member.
    if (this.#epoch > 0) story.violations.push(`${this.id} was thrown out: ${errorCode}`)
    this.#own(new Set())
    this.#epoch = 0
  }

  /** Reads a batch, and commits that it did. */
  async #work(client: RawClient, partition: number): Promise<void> {
    const position = this.#positions.get(partition) ?? (await this.#committed(client, partition))
    if (position === null) return
    const records = await fetch(client, partition, position)
    let nextOffset = position
    const cursor = new RecordCursor()
    for (let at = 0; at < records.length; at += nextBatchSize(records, at)) {
      cursor.open(records, at)
      while (cursor.next()) {
        if (cursor.offset < position) continue
        story.seen.add(String(cursor.value()))
        nextOffset = cursor.offset + 1
      }
    }
    this.#positions.set(partition, nextOffset)
    if (nextOffset === position) return
    story.processed.set(partition, Math.max(nextOffset, story.processed.get(partition) ?? 0))
    await this.#commit(client, partition, nextOffset)
  }

  /** Null if the member has to come again. */
  async #committed(client: RawClient, partition: number): Promise<number | null> {
    const { groups } = await client.ask(ApiKey.OffsetFetch, 9, {
      groups: [
        {
          groupId: GROUP,
          memberId: this.id,
          memberEpoch: this.#epoch,
          topics: [{ name: TOPIC, partitionIndexes: [partition] }],
        },
      ],
    })
    if (groups[0].errorCode !== ErrorCode.NONE) return null
    return Math.max(0, groups[0].topics[0].partitions[0].committedOffset)
  }

  async #commit(client: RawClient, partition: number, committedOffset: number): Promise<void> {
    const partitions = [{ partitionIndex: partition, committedOffset, committedMetadata: '' }]
    const { topics } = await client.ask(ApiKey.OffsetCommit, 9, {
      groupId: GROUP,
      memberId: this.id,
      generationIdOrMemberEpoch: this.#epoch,
      topics: [{ name: TOPIC, partitions }],
    })
    if (topics[0].partitions[0].errorCode !== ErrorCode.NONE) return
    story.acknowledged.set(partition, committedOffset)
    story.commitCount++
  }

  #own(owned: ReadonlySet<number>): void {
    for (const partition of this.#owned) {
      if (owned.has(partition)) continue
      this.#positions.delete(partition)
      story.owners.delete(partition)
    }
    for (const partition of owned) {
      const owner = story.owners.get(partition) ?? this.id
      if (owner !== this.id)
        story.violations.push(`${partition} is with ${owner} and ${this.id} at ${this.#epoch}`)
      story.owners.set(partition, this.id)
    }
    this.#owned = owned
  }
}

async function fetch(client: RawClient, partition: number, fetchOffset: number): Promise<Buffer> {
  const partitions = [{ partition, fetchOffset, partitionMaxBytes: 1 }]
  const topics = [{ topic: TOPIC, partitions }]
  const request = { maxWaitMs: 0, minBytes: 1, sessionEpoch: -1, topics }
  const { responses } = await client.ask(ApiKey.Fetch, 12, request)
  return responses[0].partitions[0].records ?? Buffer.alloc(0)
}

/** All that there is to read: batches of two, so that a member takes many steps. */
async function produce(client: RawClient): Promise<Set<string>> {
  const values = new Set<string>()
  for (let at = 0; at < BATCHES; at++) {
    const partitionData = PARTITIONS.map((index) => {
      const pair = [`${index} ${at} a`, `${index} ${at} b`]
      for (const value of pair) values.add(value)
      return { index, records: aBatch(pair) }
    })
    const topicData = [{ name: TOPIC, partitionData }]
    const { responses } = await client.ask(ApiKey.Produce, 9, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 5000,
      topicData,
    })
    for (const { errorCode } of responses[0].partitionResponses)
      expect(errorCode).toBe(ErrorCode.NONE)
  }
  return values
}

async function committedOffsets(client: RawClient): Promise<Map<number, number>> {
  const groups = [{ groupId: GROUP, topics: [{ name: TOPIC, partitionIndexes: PARTITIONS }] }]
  for (;;) {
    const { groups: found } = await client.ask(ApiKey.OffsetFetch, 9, { groups })
    const [{ errorCode, topics }] = found
    if (errorCode === ErrorCode.NONE)
      return new Map(
        topics[0].partitions.map((row) => [row.partitionIndex, Math.max(0, row.committedOffset)]),
      )
    await sleep(10)
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) {
    expect(story.violations).toEqual([])
    await sleep(10)
  }
}

/** Kills the broker and starts it again. Nobody commits anything before it is seen what is left. */
async function killAndRestart(): Promise<void> {
  let letConnect = () => {}
  story.mayConnect = new Promise((resolve) => (letConnect = resolve))
  await broker.kill()
  await broker.start()
  await checkCommitted()
  letConnect()
}

/** No acknowledged commit is lost, and none is ahead of the work. */
async function checkCommitted(): Promise<void> {
  const client = await RawClient.open(broker.port)
  const committed = await committedOffsets(client)
  client.close()
  for (const partition of PARTITIONS) {
    const offset = committed.get(partition)!
    expect(offset).toBeGreaterThanOrEqual(story.acknowledged.get(partition) ?? 0)
    expect(offset).toBeLessThanOrEqual(story.processed.get(partition) ?? 0)
  }
}

/** Somebody comes, or somebody goes. Those who went are returned while they say goodbye. */
function changeMembers(members: Member[]): Promise<void> {
  const grows = members.length === 1 || (members.length < MEMBERS_MAX && random.chance(50))
  if (grows) members.push(new Member())
  else return members.splice(random.int(members.length), 1)[0].leave()
  return Promise.resolve()
}

describe('a broker that is killed in the middle of rebalances', () => {
  it(`GROUP-1, GROUP-6: loses no commit, gives no partition to two, and its group goes on (MILLRACE_SEED=${seed})`, async () => {
    await broker.start()
    const admin = await RawClient.open(broker.port)
    const sizes = { numPartitions: PARTITIONS.length, replicationFactor: 1 }
    const topics = [{ name: TOPIC, ...sizes, assignments: [], configs: [] }]
    await admin.ask(ApiKey.CreateTopics, 5, { topics, timeoutMs: 5000 })
    const metadata = await admin.ask(ApiKey.Metadata, 12, { topics: [{ name: TOPIC }] })
    topicId = metadata.topics[0].topicId
    const values = await produce(admin)
    admin.close()

    const members = Array.from({ length: 3 }, () => new Member())
    const goodbyes: Promise<void>[] = []
    for (let kills = 0; kills < KILLS; kills++) {
      const { commitCount } = story
      await until(() => story.commitCount >= commitCount + PARTITIONS.length)
      goodbyes.push(changeMembers(members))
      await sleep(random.int(REBALANCE_MS))
      await killAndRestart()
    }
    await Promise.all(goodbyes)
    await until(() => story.seen.size === values.size)
    const client = await RawClient.open(broker.port)
    const describeGroup = { groupIds: [GROUP], includeAuthorizedOperations: false }
    await until(async () => {
      const { groups } = await client.ask(ApiKey.ConsumerGroupDescribe, 1, describeGroup)
      const [{ groupState, members: described }] = groups
      return groupState === 'Stable' && described.length === members.length
    })
    client.close()
    expect(story.violations).toEqual([])
    expect(new Set(story.owners.keys())).toEqual(new Set(PARTITIONS))
    expect(story.seen).toEqual(values)
    await checkCommitted()
    await Promise.all(members.map((member) => member.leave()))
  }, 120_000)
})
