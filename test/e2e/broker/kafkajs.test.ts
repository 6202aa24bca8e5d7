import { Kafka, logLevel, Partitioners, type Consumer } from 'kafkajs'
import { startTestBroker, type TestBroker } from './harness'

let broker: TestBroker
let kafka: Kafka

beforeAll(async () => {
  broker = await startTestBroker()
  kafka = new Kafka({
    brokers: [broker.bootstrap],
    clientId: 'test',
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 20, retries: 8 },
  })
})
afterAll(() => broker.stop())

async function createTopic(topic: string, numPartitions: number): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions }] })
  await admin.disconnect()
}

async function produce(topic: string, values: readonly string[], acks = -1): Promise<void> {
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  await producer.send({
    topic,
    acks,
    messages: values.map((value) => ({ key: value, value, headers: { from: 'test' } })),
  })
  await producer.disconnect()
}

/** Consumes until `count` values have come in, over all the members. */
async function consume(
  members: readonly { consumer: Consumer; topic: string }[],
  count: number,
): Promise<string[][]> {
  const received: string[][] = members.map(() => [])
  await new Promise<void>((resolve, reject) => {
    let total = 0
    for (const [index, { consumer, topic }] of members.entries()) {
      const run = async () => {
        await consumer.connect()
        await consumer.subscribe({ topic, fromBeginning: true })
        await consumer.run({
          eachMessage: async ({ message }) => {
            received[index].push(String(message.value))
            total += 1
            if (total === count) resolve()
          },
        })
      }
      run().catch(reject)
    }
  })
  return received
}

const values = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `value ${from + i}`)

describe('kafkajs', () => {
  it.each([0, 1, -1])('produces with acks=%i and consumes', async (acks) => {
    const topic = `acks${acks}`
    await createTopic(topic, 2)
    await produce(topic, values(0, 100), acks)
    const consumer = kafka.consumer({ groupId: `group-${topic}` })
    const [received] = await consume([{ consumer, topic }], 100)
    await consumer.disconnect()
    expect(received.sort()).toEqual(values(0, 100).sort())
  })

  it('shares a topic among the three members of a group', async () => {
    const topic = 'shared'
    await createTopic(topic, 6)
    const members = [1, 2, 3].map(() => ({
      consumer: kafka.consumer({ groupId: 'three', rebalanceTimeout: 3000 }),
      topic,
    }))
    const joined = members.map(
      ({ consumer }) =>
        new Promise<number>((resolve) =>
          consumer.on('consumer.group_join', ({ payload }) => {
            const count = payload.memberAssignment[topic]?.length ?? 0
            if (count === 2) resolve(count)
          }),
        ),
    )
    const consumed = consume(members, 300)
    expect(await Promise.all(joined)).toEqual([2, 2, 2])
    await produce(topic, values(0, 300))
    const received = await consumed
    expect(received.flat().sort()).toEqual(values(0, 300).sort())
    for (const part of received) expect(part.length).toBeGreaterThan(0)

    const admin = kafka.admin()
    await admin.connect()
    const { groups } = await admin.describeGroups(['three'])
    expect(groups[0]).toMatchObject({ state: 'Stable', protocolType: 'consumer' })
    expect(groups[0].members).toHaveLength(3)
    expect((await admin.listGroups()).groups.map(({ groupId }) => groupId)).toContain('three')
    await admin.disconnect()
    await Promise.all(members.map(({ consumer }) => consumer.disconnect()))
  }, 30_000)

  it('goes on where the group has committed, also after a restart of the broker', async () => {
    const topic = 'resumed'
    await createTopic(topic, 1)
    await produce(topic, values(0, 50))
    const first = kafka.consumer({ groupId: 'resume' })
    await consume([{ consumer: first, topic }], 50)
    await first.disconnect() // commits what it has consumed

    const { port } = broker
    await broker.restart({ listeners: `PLAINTEXT://127.0.0.1:${port}` })
    await produce(topic, values(50, 60))
    const second = kafka.consumer({ groupId: 'resume' })
    const [received] = await consume([{ consumer: second, topic }], 10)
    await second.disconnect()
    expect(received).toEqual(values(50, 60))

    const admin = kafka.admin()
    await admin.connect()
    const [offsets] = await admin.fetchOffsets({ groupId: 'resume', topics: [topic] })
    expect(offsets.partitions).toMatchObject([{ partition: 0, offset: '60' }])
    await admin.disconnect()
  }, 30_000)

  it('produces idempotently', async () => {
    await createTopic('idempotent', 1)
    const producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
    })
    await producer.connect()
    for (const value of values(0, 20))
      await producer.send({ topic: 'idempotent', messages: [{ value }] })
    await producer.disconnect()
    const admin = kafka.admin()
    await admin.connect()
    expect(await admin.fetchTopicOffsets('idempotent')).toMatchObject([{ high: '20' }])
    await admin.disconnect()
  })
})
