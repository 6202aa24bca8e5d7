import {
  Admin,
  Consumer,
  ListOffsetTimestamps,
  MessagesStreamModes,
  Producer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import { startTestBroker, type TestBroker } from './harness'

let broker: TestBroker

beforeAll(async () => {
  broker = await startTestBroker()
})
afterAll(() => broker.stop())

const client = () => ({ clientId: 'test', bootstrapBrokers: [broker.bootstrap] })
const values = (count: number) => Array.from({ length: count }, (_, i) => `value ${i}`)

async function createTopic(topic: string, partitions: number): Promise<void> {
  const admin = new Admin(client())
  await admin.createTopics({ topics: [topic], partitions, replicas: 1 })
  await admin.close()
}

describe('@platformatic/kafka', () => {
  it.each([0, 1, -1])(
    'produces with acks=%i and consumes from the beginning',
    async (acks) => {
      const topic = `acks${acks}`
      await createTopic(topic, 3)
      const producer = new Producer({ ...client(), serializers: stringSerializers })
      await producer.send({
        acks,
        messages: values(300).map((value) => ({ topic, key: value, value })),
      })
      await producer.close()
      const consumer = new Consumer({
        ...client(),
        groupId: `group-${topic}`,
        deserializers: stringDeserializers,
      })
      const stream = await consumer.consume({
        topics: [topic],
        mode: MessagesStreamModes.EARLIEST,
        autocommit: true,
      })
      const received: string[] = []
      for await (const message of stream) {
        received.push(message.value ?? '')
        if (received.length === 300) break
      }
      await consumer.close(true)
      expect(received.sort()).toEqual(values(300).sort())
    },
    20_000,
  )

  it('produces idempotently, and lists offsets', async () => {
    const topic = 'idempotent'
    await createTopic(topic, 1)
    const producer = new Producer({
      ...client(),
      serializers: stringSerializers,
      idempotent: true,
    })
    for (const value of values(10)) await producer.send({ messages: [{ topic, value }] })
    await producer.close()
    const admin = new Admin(client())
    const offsets = await admin.listOffsets({
      topics: [
        {
          name: topic,
          partitions: [{ partitionIndex: 0, timestamp: ListOffsetTimestamps.LATEST }],
        },
      ],
    })
    expect(offsets[0].partitions[0].offset).toBe(10n)
    await admin.close()
  })
})
