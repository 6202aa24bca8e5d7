/** @platformatic/kafka: the current Node.js client, which speaks the newest versions of each request. */
import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { join as joinPath } from 'node:path'
import { readFileSync } from 'node:fs'
import {
  Admin,
  Consumer,
  type Message,
  type MessagesStream,
  MessagesStreamModes,
  Producer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import type { Client, ClientEntry, FetchOptions, Incoming, Member } from '../client.ts'
import { waitFor } from '../wait.ts'

type StringConsumer = Consumer<string, string, string, string>
type StringStream = MessagesStream<string, string, string, string>

export const platformaticKafka: ClientEntry = {
  name: '@platformatic/kafka',
  async open(bootstrap) {
    return openPlatformatic(bootstrap, installedVersion())
  },
}

/** The package does not export its package.json. */
function installedVersion(): string {
  const main = createRequire(import.meta.url).resolve('@platformatic/kafka')
  const file = joinPath(main, '..', '..', 'package.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

function openPlatformatic(bootstrap: string, version: string): Client {
  const common = { clientId: 'compat', bootstrapBrokers: [bootstrap] }
  const newConsumer = (groupId: string): StringConsumer =>
    new Consumer({
      ...common,
      groupId,
      deserializers: stringDeserializers,
      sessionTimeout: 6000,
      heartbeatInterval: 500,
      rebalanceTimeout: 10_000,
      maxWaitTime: 500,
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
    join: ({ group, topic }) => join(newConsumer(group), topic),
  }
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
