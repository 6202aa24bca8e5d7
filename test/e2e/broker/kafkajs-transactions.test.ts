import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs'
import { startTestBroker, type TestBroker } from './harness'
import { until } from '../wait'

let broker: TestBroker
let kafka: Kafka
const producers: Producer[] = []

beforeAll(async () => {
  broker = await startTestBroker({
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': '100',
  })
  kafka = new Kafka({
    brokers: [broker.bootstrap],
    clientId: 'test',
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 20, retries: 8 },
  })
})
afterEach(async () => {
  await Promise.all(producers.splice(0).map((producer) => producer.disconnect()))
})
afterAll(() => broker.stop())

async function createTopic(topic: string, numPartitions = 1): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions }] })
  await admin.disconnect()
}

async function transactional(
  transactionalId: string,
  options: { transactionTimeout?: number } = {},
): Promise<Producer> {
  const producer = kafka.producer({
    transactionalId,
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
    ...options,
  })
  producers.push(producer)
  await producer.connect()
  return producer
}

/** Everything in the topic up to a record `end` that this writes itself, without a transaction. */
async function readCommitted(
  topic: string,
  options: { readUncommitted?: boolean } = {},
): Promise<string[]> {
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  await producer.send({ topic, messages: [{ value: 'end' }] })
  await producer.disconnect()
  const consumer = kafka.consumer({
    groupId: `reader-${topic}-${Math.random()}`,
    maxWaitTimeInMs: 100,
    ...options,
  })
  const received: string[] = []
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ message }) => {
          if (String(message.value) === 'end') resolve()
          else received.push(String(message.value))
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return received
}

const records = (...values: string[]) => values.map((value) => ({ key: value, value }))

describe('transactions of kafkajs', () => {
  it('are seen as a whole when they are committed, and never when they are aborted', async () => {
    await createTopic('whole')
    const producer = await transactional('whole')
    for (const [name, isCommit] of [
      ['a', true],
      ['b', false],
      ['c', true],
    ] as const) {
      const txn = await producer.transaction()
      await txn.send({ topic: 'whole', messages: records(`${name}1`, `${name}2`) })
      await txn.send({ topic: 'whole', messages: records(`${name}3`) })
      await (isCommit ? txn.commit() : txn.abort())
    }
    expect(await readCommitted('whole')).toEqual(['a1', 'a2', 'a3', 'c1', 'c2', 'c3'])
    expect(await readCommitted('whole', { readUncommitted: true })).toContain('b2')
  })

  it('span topics and partitions', async () => {
    await createTopic('span-1', 3)
    await createTopic('span-2', 1)
    const producer = await transactional('span')
    const txn = await producer.transaction()
    for (const partition of [0, 1, 2]) {
      await txn.send({ topic: 'span-1', messages: [{ value: `p${partition}`, partition }] })
    }
    await txn.send({ topic: 'span-2', messages: records('x') })
    await txn.commit()
    expect(await readCommitted('span-2')).toEqual(['x'])
  })

  it('commit the offsets of a group with the records', async () => {
    await createTopic('input')
    await createTopic('output')
    const producer = await transactional('offsets')
    const admin = kafka.admin()
    await admin.connect()
    const committedOffset = async () => {
      const [{ partitions }] = await admin.fetchOffsets({ groupId: 'eos', topics: ['input'] })
      return partitions[0].offset
    }
    for (const [offset, isCommit, expected] of [
      ['5', false, '-1'],
      ['7', true, '7'],
      ['9', false, '7'],
    ] as const) {
      const txn = await producer.transaction()
      await txn.send({ topic: 'output', messages: records(offset) })
      await txn.sendOffsets({
        consumerGroupId: 'eos',
        topics: [{ topic: 'input', partitions: [{ partition: 0, offset }] }],
      })
      await (isCommit ? txn.commit() : txn.abort())
      // The markers are written after the answer.
      await until(async () => (await committedOffset()) === expected)
    }
    await admin.disconnect()
    expect(await readCommitted('output')).toEqual(['7'])
  })

  it('TXN-3: fence a producer whose transactional id another one has taken over', async () => {
    await createTopic('fenced')
    const zombie = await transactional('fenced')
    const open = await zombie.transaction()
    await open.send({ topic: 'fenced', messages: records('zombie') })
    const successor = await transactional('fenced')
    const txn = await successor.transaction()
    await txn.send({ topic: 'fenced', messages: records('successor') })
    await expect(open.commit()).rejects.toThrow(/epoch|fenced|state|newer/i)
    await txn.commit()
    expect(await readCommitted('fenced')).toEqual(['successor'])
  })

  it('are aborted when their time is over', async () => {
    await createTopic('late')
    const producer = await transactional('late', { transactionTimeout: 300 })
    const txn = await producer.transaction()
    await txn.send({ topic: 'late', messages: records('late') })
    expect(await readCommitted('late')).toEqual([])
    await expect(txn.commit()).rejects.toThrow(/epoch|fenced|state|newer/i)
  })

  it('TXN-1: outlive a restart of the broker between a send and the commit', async () => {
    await createTopic('restart')
    const producer = await transactional('restart')
    const txn = await producer.transaction()
    await txn.send({ topic: 'restart', messages: records('before') })
    const { port } = broker
    await broker.restart({ listeners: `PLAINTEXT://127.0.0.1:${port}` })
    await txn.send({ topic: 'restart', messages: records('after') })
    await txn.commit()
    expect(await readCommitted('restart')).toEqual(['before', 'after'])
  })
})
