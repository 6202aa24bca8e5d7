/** @platformatic/kafka: the current Node.js client, which speaks the newest versions of each request. */
import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { join as joinPath } from 'node:path'
import { readFileSync } from 'node:fs'
import {
  Admin,
  type ConnectionOptions,
  Consumer,
  FetchIsolationLevels,
  type Message,
  type MessagesStream,
  MessagesStreamModes,
  Producer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import {
  type Client,
  type ClientEntry,
  type FetchOptions,
  type Incoming,
  type JoinOptions,
  type Login,
  type Member,
  NotOffered,
  type TransactionStep,
} from '../client.ts'
import { waitFor } from '../wait.ts'

type StringConsumer = Consumer<string, string, string, string>
type StringStream = MessagesStream<string, string, string, string>

export const platformaticKafka: ClientEntry = {
  name: '@platformatic/kafka',
  async open(bootstrap, login) {
    return openPlatformatic(bootstrap, installedVersion(), login)
  },
}

/** The package does not export its package.json. */
function installedVersion(): string {
  const main = createRequire(import.meta.url).resolve('@platformatic/kafka')
  const file = joinPath(main, '..', '..', 'package.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

function openPlatformatic(bootstrap: string, version: string, login?: Login): Client {
  const common = { clientId: 'compat', bootstrapBrokers: [bootstrap], ...securityOf(login) }
  const newConsumer = (groupId: string, options: Partial<JoinOptions> = {}): StringConsumer =>
    new Consumer({
      ...common,
      groupId,
      deserializers: stringDeserializers,
      maxWaitTime: 500,
      ...(options.protocol === 'consumer'
        ? { groupProtocol: 'consumer' as const }
        : { sessionTimeout: 6000, heartbeatInterval: 500, rebalanceTimeout: 10_000 }),
    })
  const withAdmin = async <T>(use: (admin: Admin) => Promise<T>): Promise<T> => {
    const admin = new Admin(common)
    try {
      return await use(admin)
    } finally {
      await admin.close()
    }
  }
  return {
    version,
    createTopic: (topic, partitions) =>
      withAdmin(async (admin) => {
        await admin.createTopics({ topics: [topic], partitions, replicas: 1 })
      }),
    deleteTopic: (topic) => withAdmin((admin) => admin.deleteTopics({ topics: [topic] })),
    listTopics: () => withAdmin((admin) => admin.listTopics()),
    async produce(topic, messages, { codec, isIdempotent }) {
      const producer = new Producer({ ...common, serializers: stringSerializers })
      try {
        await producer.send({
          messages: messages.map(({ key, value, headers }) => ({
            topic,
            key: key ?? undefined,
            value,
            headers,
          })),
          acks: -1,
          compression: codec,
          idempotent: isIdempotent,
        })
      } finally {
        await producer.close()
      }
    },
    fetch: (options) => fetchMessages(newConsumer(`fetch-${randomUUID()}`), options),
    async transact(transactionalId, steps) {
      const options = { ...common, transactionalId, idempotent: true }
      const producer = new Producer({ ...options, serializers: stringSerializers })
      try {
        for (const step of steps) await transact(producer, step)
      } finally {
        await producer.close()
      }
    },
    async join(options) {
      if (options.instanceId) throw new NotOffered('its static members leave when they close')
      return join(newConsumer(options.group, options), options.topic)
    },
  }
}

function securityOf(login?: Login): Pick<ConnectionOptions, 'sasl' | 'tls'> {
  if (!login) return {}
  const { sasl, caFile } = login
  return {
    ...(sasl && { sasl }),
    ...(caFile && { tls: { ca: readFileSync(caFile), host: 'localhost' } }),
  }
}

async function transact(
  producer: Producer<string, string, string, string>,
  { topic, messages, outcome, position }: TransactionStep,
): Promise<void> {
  if (position) throw new NotOffered('positions go with messages that its consumer has read')
  if (outcome === 'fenced')
    throw new NotOffered('it does not wait until the transaction of the one before is aborted')
  const transaction = await producer.beginTransaction()
  const sent = messages.map(({ key, value }) => ({ topic, key: key ?? undefined, value }))
  await transaction.send({ messages: sent })
  await transaction[outcome]()
}

async function fetchMessages(
  consumer: StringConsumer,
  options: FetchOptions,
): Promise<readonly Incoming[]> {
  const { topic, partition, count } = options
  try {
    const stream = await consumer.consume({
      topics: [topic],
      mode: MessagesStreamModes.MANUAL,
      offsets: [{ topic, partition, offset: await startOffset(consumer, options) }],
      autocommit: false,
      isolationLevel:
        FetchIsolationLevels[options.isolation ? 'READ_COMMITTED' : 'READ_UNCOMMITTED'],
    })
    const { received, failure } = collect(stream)
    await waitFor(`${count} messages`, () => {
      const error = failure()
      if (error) throw error
      return received.length >= count
    })
    return received.slice(0, count)
  } finally {
    await consumer.close(true)
  }
}

async function startOffset(
  consumer: StringConsumer,
  { topic, partition, from }: FetchOptions,
): Promise<bigint> {
  if (from !== 'beginning' && 'offset' in from) return BigInt(from.offset)
  const timestamp = from === 'beginning' ? -2n : BigInt(from.timestampMs)
  const found = await consumer.listOffsets({ topics: [topic], timestamp })
  return found.get(topic)![partition]
}

async function join(consumer: StringConsumer, topic: string): Promise<Member> {
  const stream = await consumer.consume({
    topics: [topic],
    mode: MessagesStreamModes.COMMITTED,
    fallbackMode: 'earliest',
    autocommit: true,
  })
  const { received, failure } = collect(stream)
  return {
    received,
    get failure() {
      return failure()
    },
    async leave() {
      await stream.close()
      await consumer.close()
    },
  }
}

function collect(stream: StringStream): { received: Incoming[]; failure: () => Error | null } {
  const received: Incoming[] = []
  let failure: Error | null = null
  stream.on('error', (error: Error) => (failure = error))
  stream.on('data', (message: Message<string, string, string, string>) =>
    received.push({
      partition: message.partition,
      offset: Number(message.offset),
      key: message.key ?? null,
      value: message.value,
      headers: Object.fromEntries(message.headers),
    }),
  )
  return { received, failure: () => failure }
}
