import {
  Admin,
  Consumer,
  FetchIsolationLevels,
  MessagesStreamModes,
  Producer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import { startTestBroker, type TestBroker } from './harness'

let broker: TestBroker

beforeAll(async () => {
  broker = await startTestBroker()
  const admin = new Admin(client())
  await admin.createTopics({ topics: ['records', 'in', 'out'], partitions: 2, replicas: 1 })
  await admin.close()
})
afterAll(() => broker.stop())

const client = () => ({ clientId: 'test', bootstrapBrokers: [broker.bootstrap] })

function transactional(transactionalId: string) {
  const serializers = stringSerializers
  return new Producer({ ...client(), idempotent: true, transactionalId, serializers })
}

const messages = (topic: string, ...values: string[]) =>
  values.map((value) => ({ topic, key: value, value }))

/** What a reader of committed records sees until it has seen `count`. */
async function readCommitted(topic: string, count: number): Promise<string[]> {
  const consumer = new Consumer({
    ...client(),
    groupId: `reader-${topic}`,
    deserializers: stringDeserializers,
  })
  const stream = await consumer.consume({
    topics: [topic],
    mode: MessagesStreamModes.EARLIEST,
    isolationLevel: FetchIsolationLevels.READ_COMMITTED,
  })
  const received: string[] = []
  for await (const { value } of stream) {
    received.push(value ?? '')
    if (received.length === count) break
  }
  await consumer.close(true)
  return received.sort()
}

describe('transactions of @platformatic/kafka', () => {
  it('commit and abort one after the other', async () => {
    const producer = transactional('one-by-one')
    for (const [name, isCommit] of [
      ['a', true],
      ['b', false],
      ['c', true],
    ] as const) {
      const txn = await producer.beginTransaction()
      await txn.send({ messages: messages('records', `${name}1`, `${name}2`, `${name}3`) })
      await (isCommit ? txn.commit() : txn.abort())
    }
    await producer.close()
    expect(await readCommitted('records', 6)).toEqual(['a1', 'a2', 'a3', 'c1', 'c2', 'c3'])
  })

  it('TXN-5: commit the position of a consumer with what it made of the records', async () => {
    const feeder = new Producer({ ...client(), serializers: stringSerializers })
    await feeder.send({ messages: messages('in', '1', '2', '3', '4') })
    await feeder.close()
    const consumer = new Consumer({
      ...client(),
      groupId: 'eos',
      deserializers: stringDeserializers,
    })
    const stream = await consumer.consume({
      topics: ['in'],
      mode: MessagesStreamModes.EARLIEST,
      autocommit: false,
    })
    const producer = transactional('eos')
    let count = 0
    for await (const message of stream) {
      const txn = await producer.beginTransaction()
      await txn.addConsumer(consumer)
      await txn.send({ messages: messages('out', `copy of ${message.value}`) })
      await txn.addOffset(message)
      await txn.commit()
      if (++count === 4) break
    }
    await producer.close()
    await consumer.close(true)
    const expected = ['1', '2', '3', '4'].map((value) => `copy of ${value}`)
    expect(await readCommitted('out', 4)).toEqual(expected)
    const admin = new Admin(client())
    const [group] = await admin.listConsumerGroupOffsets({ groups: ['eos'] })
    const positions = group.topics.flatMap(({ partitions }) =>
      partitions.map(({ committedOffset }) => Number(committedOffset)),
    )
    await admin.close()
    expect(positions.reduce((sum, position) => sum + position, 0)).toBe(4)
  })
})
