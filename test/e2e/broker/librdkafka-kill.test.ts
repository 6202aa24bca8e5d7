/** Members of confluent-kafka-python, which speak the consumer protocol, while their broker is killed. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiKey, ErrorCode } from '@millrace/wire'
import type { Incoming, Member } from '../../compat/client'
import { startMember } from '../../compat/processes'
import { peersDirectory } from '../../peers/directory'
import { CONFLUENT_KAFKA } from '../../peers/python'
import { BrokerProcess } from './broker-process'
import { aBatch, RawClient } from './harness'

const SCRIPT = join(__dirname, '../../compat/confluent-kafka-python/client.py')
const NAME = 'killed'
const PARTITIONS = [0, 1, 2, 3]
const KILLS = 3
/** Longest time between the start of a member and the kill. */
const REBALANCE_MS = 2000

const packages = join(peersDirectory(), 'python', CONFLUENT_KAFKA)
const title = 'members of librdkafka'
const describeWithLibrary = existsSync(packages)
  ? describe.bind(null, title)
  : describe.skip.bind(null, `${title} (missing: ${CONFLUENT_KAFKA})`)

let broker: BrokerProcess
const members: Member[] = []
beforeAll(async () => {
  broker = await BrokerProcess.prepare({
    'offsets.topic.num.partitions': '1',
    'group.consumer.min.heartbeat.interval.ms': '200',
    'group.consumer.heartbeat.interval.ms': '200',
  })
})
afterAll(async () => {
  await Promise.all(members.map((member) => member.leave()))
  await broker.remove()
})

function startOne(): void {
  const bootstrap = `127.0.0.1:${broker.port}`
  const options = JSON.stringify({ bootstrap, group: NAME, topic: NAME, protocol: 'consumer' })
  const parse = (line: string) => JSON.parse(line) as Incoming
  members.push(startMember('python3', [SCRIPT, 'member', options], parse, { PYTHONPATH: packages }))
}

async function withClient<T>(use: (client: RawClient) => Promise<T>): Promise<T> {
  const client = await RawClient.open(broker.port)
  try {
    return await use(client)
  } finally {
    client.close()
  }
}

function createTopic(): Promise<unknown> {
  const sizes = { numPartitions: PARTITIONS.length, replicationFactor: 1 }
  const topics = [{ name: NAME, ...sizes, assignments: [], configs: [] }]
  return withClient((client) => client.ask(ApiKey.CreateTopics, 5, { topics, timeoutMs: 5000 }))
}

/** Some values in each partition, which are acknowledged when this resolves. */
async function produce(round: number): Promise<string[]> {
  const values = Array.from({ length: 10 }, (_, at) => `${round} ${at}`)
  const partitionData = PARTITIONS.map((index) => {
    const records = aBatch(values.map((value) => `${index} ${value}`))
    return { index, records }
  })
  const topicData = [{ name: NAME, partitionData }]
  const request = { transactionalId: null, acks: -1, timeoutMs: 5000, topicData }
  const { responses } = await withClient((client) => client.ask(ApiKey.Produce, 9, request))
  for (const { errorCode } of responses[0].partitionResponses)
    expect(errorCode).toBe(ErrorCode.NONE)
  return PARTITIONS.flatMap((index) => values.map((value) => `${index} ${value}`))
}

const received = () =>
  new Set(members.flatMap((member) => member.received.map(({ value }) => value)))

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) {
    expect(members.flatMap(({ failure }) => failure ?? [])).toEqual([])
    await sleep(50)
  }
}

function isStable(): Promise<boolean> {
  return withClient(async (client) => {
    const request = { groupIds: [NAME], includeAuthorizedOperations: false }
    const { groups } = await client.ask(ApiKey.ConsumerGroupDescribe, 1, request)
    return groups[0].groupState === 'Stable' && groups[0].members.length === members.length
  })
}

function committedOffsets(): Promise<number[]> {
  return withClient(async (client) => {
    const topics = [{ name: NAME, partitionIndexes: PARTITIONS }]
    const { groups } = await client.ask(ApiKey.OffsetFetch, 8, {
      groups: [{ groupId: NAME, topics }],
    })
    return groups[0].topics[0].partitions.map(({ committedOffset }) => committedOffset)
  })
}

describeWithLibrary(() => {
  it('read every record, and become a stable group, however often the broker is killed as they come', async () => {
    await broker.start()
    await createTopic()
    const sent: string[] = []
    for (let kills = 0; kills < KILLS; kills++) {
      startOne()
      sent.push(...(await produce(kills)))
      await until(() => received().size > sent.length / 2)
      startOne()
      await sleep(Math.random() * REBALANCE_MS)
      await broker.kill()
      await broker.start()
    }
    sent.push(...(await produce(KILLS)))
    await until(() => received().size === sent.length)
    expect([...received()].sort()).toEqual(sent.sort())
    await until(isStable)
    // Each commits what it has read as it leaves.
    await Promise.all(members.splice(0).map((member) => member.leave()))
    expect(await committedOffsets()).toEqual(PARTITIONS.map(() => sent.length / PARTITIONS.length))
  }, 120_000)
})
