/** kafkajs: the client most Node.js services have. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import {
  CompressionTypes,
  type Consumer,
  Kafka,
  type KafkaConfig,
  logLevel,
  Partitioners,
  type Producer,
  type Transaction,
} from 'kafkajs'
import type {
  Client,
  ClientEntry,
  Codec,
  FetchOptions,
  Incoming,
  JoinOptions,
  Login,
  Member,
  ProduceOptions,
  TransactionStep,
} from '../client.ts'
import { NotOffered } from '../client.ts'
import { waitFor } from '../wait.ts'

/** kafkajs waits for the fetch under way before it disconnects. */
const maxWaitTimeInMs = 200

const compressionTypes: Partial<Record<Codec, CompressionTypes>> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
}

export const kafkajs: ClientEntry = {
  name: 'kafkajs',
  async open(bootstrap, login) {
    const { version } = createRequire(import.meta.url)('kafkajs/package.json') as {
      version: string
    }
    return openKafkajs(bootstrap, version, login)
  },
}

function openKafkajs(bootstrap: string, version: string, login?: Login): Client {
  const kafka = new Kafka({
    brokers: [bootstrap],
    ...securityOf(login),
    clientId: 'compat',
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, retries: 8 },
  })
  return {
    version,
    createTopic: (topic, numPartitions) =>
      withAdmin(kafka, async (admin) => {
        await admin.createTopics({ topics: [{ topic, numPartitions }] })
      }),
    deleteTopic: (topic) => withAdmin(kafka, (admin) => admin.deleteTopics({ topics: [topic] })),
    listTopics: () => withAdmin(kafka, (admin) => admin.listTopics()),
    async produce(topic, messages, options) {
      const compression = compressionOf(options)
      const producer = kafka.producer({
        createPartitioner: Partitioners.DefaultPartitioner,
        idempotent: options.isIdempotent,
        maxInFlightRequests: 1,
      })
      await producer.connect()
      try {
        await producer.send({ topic, acks: -1, compression, messages: [...messages] })
      } finally {
        await producer.disconnect()
      }
    },
    fetch: (options) => fetchMessages(kafka, options),
    transact: (transactionalId, steps) => transact(kafka, transactionalId, steps),
    join: (options) => join(kafka, options),
  }
}

function securityOf(login?: Login): Pick<KafkaConfig, 'sasl' | 'ssl'> {
  if (!login) return {}
  const { sasl, caFile } = login
  const ssl = caFile === null ? false : { ca: readFileSync(caFile) }
  if (sasl === null) return { ssl }
  const { username, password } = sasl
  const mechanism = sasl.mechanism.toLowerCase() as 'plain'
  return { ssl, sasl: { mechanism, username, password } }
}

async function transact(
  kafka: Kafka,
  transactionalId: string,
  steps: readonly TransactionStep[],
): Promise<void> {
  const producer = transactionalProducer(kafka, transactionalId)
  await producer.connect()
  try {
    for (const { topic, messages, outcome, position } of steps) {
      const transaction = await producer.transaction()
      await transaction.send({ topic, acks: -1, messages: [...messages] })
      if (position) {
        const partitions = [{ partition: position.partition, offset: String(position.offset) }]
        const topics = [{ topic: position.topic, partitions }]
        await transaction.sendOffsets({ consumerGroupId: position.group, topics })
      }
      if (outcome !== 'fenced') await transaction[outcome]()
      else return await commitFenced(transaction, transactionalProducer(kafka, transactionalId))
    }
  } finally {
    await producer.disconnect()
  }
}

function transactionalProducer(kafka: Kafka, transactionalId: string): Producer {
  return kafka.producer({
    transactionalId,
    createPartitioner: Partitioners.DefaultPartitioner,
    idempotent: true,
    maxInFlightRequests: 1,
  })
}

async function commitFenced(fenced: Transaction, other: Producer): Promise<void> {
  await other.connect()
  await (await other.transaction()).abort()
  await other.disconnect()
  await assert.rejects(fenced.commit(), { type: /FENCED|INVALID_PRODUCER_EPOCH/ })
}

function compressionOf({ codec }: ProduceOptions): CompressionTypes {
  const type = compressionTypes[codec]
  if (type === undefined) throw new NotOffered(`kafkajs has no ${codec} without a further package`)
  return type
}

async function fetchMessages(kafka: Kafka, options: FetchOptions): Promise<readonly Incoming[]> {
  const { topic, partition, count } = options
  const offset = await startOffset(kafka, options)
  const readUncommitted = options.isolation !== 'read_committed'
  const groupId = `fetch-${randomUUID()}`
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs, readUncommitted })
  const received: Incoming[] = []
  const crash = watchCrash(consumer)
  await consumer.connect()
  try {
    await consumer.subscribe({ topic, fromBeginning: true })
    await collect(consumer, received, false)
    consumer.seek({ topic, partition, offset })
    await waitFor(`${count} messages`, () => {
      if (crash.failure) throw explain(crash.failure)
      return received.length >= count
    })
    return received.slice(0, count)
  } finally {
    await consumer.disconnect()
  }
}

async function startOffset(
  kafka: Kafka,
  { topic, partition, from }: FetchOptions,
): Promise<string> {
  if (from === 'beginning') return '-2'
  if ('offset' in from) return String(from.offset)
  return withAdmin(kafka, async (admin) => {
    const found = await admin.fetchTopicOffsetsByTimestamp(topic, from.timestampMs)
    return found.find((entry) => entry.partition === partition)!.offset
  })
}

async function join(
  kafka: Kafka,
  { group: groupId, topic, instanceId, protocol }: JoinOptions,
): Promise<Member> {
  if (instanceId) throw new NotOffered('kafkajs has no static members')
  if (protocol === 'consumer') throw new NotOffered('kafkajs has no consumer protocol')
  const times = { sessionTimeout: 6000, heartbeatInterval: 500, maxWaitTimeInMs }
  const consumer = kafka.consumer({ groupId, ...times })
  const received: Incoming[] = []
  const crash = watchCrash(consumer)
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await collect(consumer, received, true)
  return {
    received,
    get failure() {
      return crash.failure
    },
    async leave() {
      await consumer.stop()
      await consumer.disconnect()
    },
  }
}

async function collect(
  consumer: Consumer,
  received: Incoming[],
  autoCommit: boolean,
): Promise<void> {
  await consumer.run({
    autoCommit,
    eachMessage: async ({ partition, message }) => {
      const headers = Object.entries(message.headers ?? {}).map(([key, value]) => [
        key,
        String(value),
      ])
      received.push({
        partition,
        offset: Number(message.offset),
        key: message.key === null ? null : String(message.key),
        value: String(message.value),
        headers: Object.fromEntries(headers) as Record<string, string>,
      })
    },
  })
}

function watchCrash(consumer: Consumer): { failure: Error | null } {
  const crash: { failure: Error | null } = { failure: null }
  consumer.on(consumer.events.CRASH, ({ payload }) => (crash.failure = payload.error))
  return crash
}

function explain(error: Error): Error {
  const isMissingCodec = error.message.includes('compression not implemented')
  return isMissingCodec ? new NotOffered(`kafkajs: ${error.message}`) : error
}

async function withAdmin<T>(
  kafka: Kafka,
  use: (admin: ReturnType<Kafka['admin']>) => Promise<T>,
): Promise<T> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}
