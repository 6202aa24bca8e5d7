/** Producing and fetching, and the administration of topics. */
import assert from 'node:assert/strict'
import { BatchBuilder, Codec as codecNumbers, codecName } from '@millrace/record'
import { type Codec, codecs, type Outgoing, type Position } from '../client.ts'
import { appendBatch, storedBatches } from '../direct.ts'
import { sleep, waitFor } from '../wait.ts'
import {
  aTopic,
  assertSame,
  numbered,
  plain,
  type Scenario,
  waitForMessages,
  type World,
} from './world.ts'

const LARGE_MESSAGE_BYTES = 900 * 1024
/** Between two times that must differ in the log. */
const CLOCK_STEP_MS = 20

export const basics: readonly Scenario[] = [
  { name: 'list, create and delete topics', run: administerTopics },
  ...codecs.map((codec) => ({
    name: `produce with acks=all, ${codec}`,
    run: (world: World) => produceWithCodec(world, codec),
  })),
  ...codecs.map((codec) => ({
    name: `read batches of Millrace's own producer, ${codec}`,
    run: (world: World) => readOurBatches(world, codec),
  })),
  { name: 'consume from the beginning', run: (world) => consumeFrom(world, 'beginning', 0) },
  { name: 'consume from an offset', run: (world) => consumeFrom(world, { offset: 7 }, 7) },
  { name: 'consume from a timestamp', run: consumeFromTimestamp },
  { name: 'headers', run: keepHeaders },
  { name: 'large message (900 KB)', run: carryLargeMessage },
  { name: 'keyed ordering', run: keepKeyOrder },
  { name: 'idempotent producer', run: produceIdempotently },
]

async function administerTopics({ client, prefix }: World): Promise<void> {
  const topic = `${prefix}-administered`
  const isListed = async () => (await client.listTopics()).includes(topic)
  await client.createTopic(topic, 3)
  await waitFor(`${topic} to be listed`, isListed)
  await client.deleteTopic(topic)
  await waitFor(`${topic} to disappear`, async () => !(await isListed()))
}

async function produceWithCodec(world: World, codec: Codec): Promise<void> {
  const { client, dataDirectory } = world
  const topic = await aTopic(world, codec, 1)
  const sent = numbered(1000)
  await client.produce(topic, sent, { codec, isIdempotent: false })
  const received = await client.fetch({ topic, partition: 0, from: 'beginning', count: 1000 })
  assertSame(received, sent)
  const stored = storedBatches(dataDirectory, topic, 0).map(({ codec: id }) => codecName(id))
  // librdkafka sends a batch as it is when compression would not make it smaller.
  const others = stored.filter((name) => name !== codec && name !== 'none')
  assert.ok(stored.includes(codec) && others.length === 0, `stored as ${stored.join(', ')}`)
}

async function readOurBatches(world: World, codec: Codec): Promise<void> {
  const { bootstrap, client } = world
  const topic = await aTopic(world, `ours-${codec}`, 1)
  const sent = numbered(1000)
  const builder = new BatchBuilder({ codec: codecNumbers[codec] })
  for (const { key, value } of sent)
    builder.append(Date.now(), Buffer.from(key!), Buffer.from(value))
  await appendBatch(bootstrap, topic, builder.build())
  const received = await client.fetch({ topic, partition: 0, from: 'beginning', count: 1000 })
  assertSame(received, sent)
}

async function consumeFrom(world: World, from: Position, firstIndex: number): Promise<void> {
  const { client } = world
  const topic = await aTopic(world, `from-${firstIndex}`, 1)
  const sent = numbered(20)
  await client.produce(topic, sent, plain)
  const count = sent.length - firstIndex
  const received = await client.fetch({ topic, partition: 0, from, count })
  assertSame(received, sent.slice(firstIndex))
  assert.equal(received[0].offset, firstIndex)
}

async function consumeFromTimestamp(world: World): Promise<void> {
  const { client } = world
  const topic = await aTopic(world, 'timestamp', 1)
  await client.produce(topic, numbered(10), plain)
  await sleep(CLOCK_STEP_MS)
  const timestampMs = Date.now()
  await sleep(CLOCK_STEP_MS)
  const late = numbered(10, 'late')
  await client.produce(topic, late, plain)
  const received = await client.fetch({ topic, partition: 0, from: { timestampMs }, count: 10 })
  assertSame(received, late)
}

async function keepHeaders(world: World): Promise<void> {
  const { client } = world
  const topic = await aTopic(world, 'headers', 1)
  const headers = { trace: 'a1b2', 'content-type': 'text/plain' }
  const sent = numbered(5).map((message) => ({ ...message, headers }))
  await client.produce(topic, sent, plain)
  const received = await client.fetch({ topic, partition: 0, from: 'beginning', count: 5 })
  assertSame(received, sent)
  for (const message of received) assert.deepEqual({ ...message.headers }, headers)
}

async function carryLargeMessage(world: World): Promise<void> {
  const { client } = world
  const topic = await aTopic(world, 'large', 1)
  const value = 'millrace '.repeat(LARGE_MESSAGE_BYTES / 9)
  await client.produce(topic, [{ key: 'large', value }], plain)
  const [received] = await client.fetch({ topic, partition: 0, from: 'beginning', count: 1 })
  assert.equal(received.value.length, value.length)
  assert.ok(received.value === value, 'the value came back changed')
}

async function keepKeyOrder(world: World): Promise<void> {
  const { client, prefix } = world
  const topic = await aTopic(world, 'keyed', 3)
  const sent: Outgoing[] = []
  for (let index = 0; index < 600; index++)
    sent.push({ key: `key ${index % 12}`, value: String(index) })
  await client.produce(topic, sent, plain)
  const member = await client.join({ group: `${prefix}-keyed`, topic })
  try {
    await waitForMessages(member, sent.length)
  } finally {
    await member.leave()
  }
  for (let key = 0; key < 12; key++) {
    const ofKey = member.received.filter((message) => message.key === `key ${key}`)
    const partitions = new Set(ofKey.map(({ partition }) => partition))
    assert.equal(partitions.size, 1, `partitions of key ${key}`)
    const expected = sent.filter((message) => message.key === `key ${key}`)
    assertSame(ofKey, expected)
  }
}

async function produceIdempotently(world: World): Promise<void> {
  const { client, dataDirectory } = world
  const topic = await aTopic(world, 'idempotent', 1)
  const sent = numbered(500)
  await client.produce(topic, sent, { codec: 'none', isIdempotent: true })
  const received = await client.fetch({ topic, partition: 0, from: 'beginning', count: 500 })
  assertSame(received, sent)
  const ids = new Set(storedBatches(dataDirectory, topic, 0).map(({ producerId }) => producerId))
  assert.equal(ids.size, 1, 'producer ids of the stored batches')
  assert.ok(!ids.has(-1), 'the stored batches have no producer id')
}
