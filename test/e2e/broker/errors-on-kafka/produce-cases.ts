import { Codec } from '@millrace/record'
import { ApiKey } from '@millrace/wire'
import { changed, oldMessage, plainBatch, recordsOf, TIME_MS, withRecords } from './batches'
import type { RequestOf, Scenario, Script, Topic } from './script'

export const NOBODY: Topic = { name: 'nobody', id: 'bm9ib2R5IGhhcyB0aGlzIQ' }
/** The first of all, and each that changes what is answered. */
const VERSIONS = [3, 7, 9, 12, 13] as const

interface ProduceCase {
  readonly title: string
  readonly records: Buffer | null
  readonly configs?: Record<string, string>
  readonly partition?: number
  readonly topic?: Topic
  readonly acks?: number
  readonly transactionalId?: string
  readonly versions?: readonly number[]
}

export function produceRequest(
  topic: Topic,
  records: Buffer | null,
  more: { partition?: number; acks?: number; transactionalId?: string } = {},
): RequestOf<typeof ApiKey.Produce> {
  const { partition = 0, acks = -1, transactionalId = null } = more
  const partitionData = [{ index: partition, records }]
  const topicData = [{ name: topic.name, topicId: topic.id, partitionData }]
  return { transactionalId, acks, timeoutMs: 5000, topicData }
}

const [ATTRIBUTES_AT, LAST_DELTA_AT, BASE_TIME_AT, MAX_TIME_AT, COUNT_AT] = [21, 23, 27, 35, 57]
const two = () => plainBatch()
const compacted = { 'cleanup.policy': 'compact' }
const int64 = (value: bigint | number) => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}

/** A record that says it is the so manieth. */
function recordAt(offsetDelta: number): Buffer {
  const record = recordsOf({ values: ['a'] })
  record[3] = offsetDelta * 2
  return record
}

const cases: ProduceCase[] = [
  { title: 'a good batch', records: two() },
  { title: 'a good batch that the leader alone must have', records: two(), acks: 1 },
  { title: 'a topic that there is not', records: two(), topic: NOBODY },
  {
    title: 'a topic without name and id',
    records: two(),
    topic: { name: '', id: 'AAAAAAAAAAAAAAAAAAAAAA' },
  },
  { title: 'an impossible topic', records: two(), topic: { name: 'no/body', id: NOBODY.id } },
  {
    title: 'a topic of the coordinators',
    records: two(),
    topic: { name: '__consumer_offsets', id: NOBODY.id },
  },
  { title: 'a partition that there is not', records: two(), partition: 7 },
  { title: 'a partition below 0', records: two(), partition: -1 },
  { title: 'acks of 2', records: two(), acks: 2 },
  { title: 'acks of -2', records: two(), acks: -2 },
  { title: 'acks of 2 to a topic that there is not', records: two(), acks: 2, topic: NOBODY },
  { title: 'no records', records: Buffer.alloc(0) },
  { title: 'null for records', records: null, versions: [9] },
  { title: 'less than the size of a batch', records: two().subarray(0, 11) },
  { title: 'less than a header', records: two().subarray(0, 40) },
  { title: 'a cut batch', records: two().subarray(0, -1) },
  { title: 'bytes behind the batch', records: Buffer.concat([two(), Buffer.from([1])]) },
  { title: 'many bytes behind the batch', records: Buffer.concat([two(), Buffer.alloc(100)]) },
  { title: 'two batches', records: Buffer.concat([two(), two()]) },
  { title: 'a message of format 0', records: oldMessage(0) },
  { title: 'a message of format 1', records: oldMessage(1) },
  { title: 'a message of format 1 with the time of appending', records: oldMessage(1, 8) },
  { title: 'a message of format 1 behind a batch', records: Buffer.concat([two(), oldMessage(1)]) },
  { title: 'a format to come', records: changed(two(), (bytes) => (bytes[16] = 3)) },
  { title: 'a format below 0', records: changed(two(), (bytes) => (bytes[16] = 255)) },
  { title: 'a wrong checksum', records: Buffer.from(two().fill(7, 17, 18)) },
  { title: 'a length below 0', records: Buffer.from(two().fill(255, 8, 9)) },
  { title: 'a length that is too small', records: Buffer.from(two().fill(0, 8, 12)) },
  { title: 'a length beyond the records', records: Buffer.from(two().fill(1, 10, 11)) },
  { title: 'a base offset', records: changed(two(), (bytes) => int64(5).copy(bytes, 0)) },
  { title: 'a base offset below 0', records: changed(two(), (bytes) => int64(-1).copy(bytes, 0)) },
  { title: 'a leader epoch', records: changed(two(), (bytes) => bytes.writeInt32BE(9, 12)) },
  {
    title: 'a count below 0',
    records: changed(two(), (bytes) => bytes.writeInt32BE(-1, COUNT_AT)),
  },
  { title: 'a count of 0', records: changed(two(), (bytes) => bytes.writeInt32BE(0, COUNT_AT)) },
  {
    title: 'no records in a batch',
    records: changed(two().subarray(0, 61), (bytes) => {
      bytes.writeInt32BE(61 - 12, 8)
      bytes.writeInt32BE(0, COUNT_AT)
      bytes.writeInt32BE(-1, LAST_DELTA_AT)
    }),
  },
  {
    title: 'a count above the records',
    records: changed(two(), (bytes) => bytes.writeInt32BE(3, COUNT_AT)),
  },
  {
    title: 'a count and last offset above the records',
    records: changed(two(), (bytes) => {
      bytes.writeInt32BE(3, COUNT_AT)
      bytes.writeInt32BE(2, LAST_DELTA_AT)
    }),
  },
  {
    title: 'a count and last offset below the records',
    records: changed(two(), (bytes) => {
      bytes.writeInt32BE(1, COUNT_AT)
      bytes.writeInt32BE(0, LAST_DELTA_AT)
    }),
  },
  {
    title: 'a last offset below 0',
    records: changed(two(), (bytes) => bytes.writeInt32BE(-2, LAST_DELTA_AT)),
  },
  {
    title: 'a gap in the offsets',
    records: changed(two(), (bytes) => bytes.writeInt32BE(5, LAST_DELTA_AT)),
  },
  { title: 'records that are noise', records: withRecords(Buffer.alloc(30, 0xee)) },
  { title: 'a record with a length below 0', records: withRecords(Buffer.alloc(30, 0x01)) },
  {
    title: 'a byte behind the last record',
    records: withRecords(Buffer.concat([recordsOf(), Buffer.from([0])])),
  },
  {
    title: 'offsets of records in disorder',
    records: withRecords(
      Buffer.concat([recordsOf({ values: ['a'] }), recordsOf({ values: ['a'] })]),
    ),
  },
  {
    title: 'a compressed batch of one record more',
    records: withRecords(recordsOf({ values: ['a', 'b', 'c'] }), Codec.gzip),
  },
  {
    title: 'a compressed batch of one record less',
    records: withRecords(recordsOf({ values: ['a'] }), Codec.gzip),
  },
  {
    title: 'a compressed batch with a byte behind',
    records: withRecords(Buffer.concat([recordsOf(), Buffer.from([0])]), Codec.gzip),
  },
  ...[Codec.gzip, Codec.snappy, Codec.lz4, Codec.zstd].flatMap((codec) => [
    { title: `a batch under codec ${codec}`, records: plainBatch({ codec }) },
    {
      title: `offsets in disorder under codec ${codec}`,
      records: withRecords(
        Buffer.concat([recordsOf({ values: ['a'] }), recordsOf({ values: ['a'] })]),
        codec,
      ),
    },
  ]),
  ...[
    { order: [1, 0], title: 'backwards' },
    { order: [0, 2], title: 'with a gap' },
  ].map(({ order, title }) => ({
    title: `compressed records ${title}`,
    records: changed(
      withRecords(Buffer.concat(order.map((delta) => recordAt(delta))), Codec.gzip),
      (bytes) => bytes.writeInt32BE(Math.max(...order), LAST_DELTA_AT),
    ),
  })),
  {
    title: 'a compressed batch of noise',
    records: withRecords(Buffer.alloc(30, 0xee), Codec.gzip),
  },
  ...[Codec.gzip, Codec.snappy, Codec.lz4, Codec.zstd].map((codec) => ({
    title: `noise instead of what codec ${codec} makes`,
    records: changed(
      withRecords(Buffer.alloc(30, 0xee)),
      (bytes) => (bytes[ATTRIBUTES_AT + 1] = codec),
    ),
  })),
  { title: 'an unknown codec', records: changed(two(), (bytes) => (bytes[ATTRIBUTES_AT + 1] = 5)) },
  {
    title: 'the last unknown codec',
    records: changed(two(), (bytes) => (bytes[ATTRIBUTES_AT + 1] = 7)),
  },
  {
    title: 'bits of attributes that mean nothing',
    records: changed(two(), (bytes) => (bytes[ATTRIBUTES_AT] = 0x7f)),
  },
  {
    title: 'the bit of a delete horizon',
    records: changed(two(), (bytes) => (bytes[ATTRIBUTES_AT + 1] = 0x40)),
  },
  {
    title: 'the bit of the time of appending',
    records: changed(two(), (bytes) => (bytes[ATTRIBUTES_AT + 1] = 8)),
  },
  {
    title: 'the time of appending in a topic that has it',
    records: changed(two(), (bytes) => (bytes[ATTRIBUTES_AT + 1] = 8)),
    configs: { 'message.timestamp.type': 'LogAppendTime' },
  },
  {
    title: 'the time of appending out of bounds',
    records: changed(two(), (bytes) => (bytes[ATTRIBUTES_AT + 1] = 8)),
    configs: { 'message.timestamp.before.max.ms': '1000' },
  },
  {
    title: 'the time of appending under a codec',
    records: changed(plainBatch({ codec: Codec.gzip }), (bytes) => (bytes[ATTRIBUTES_AT + 1] = 9)),
    configs: { 'message.timestamp.type': 'LogAppendTime' },
  },
  { title: 'a time in the future', records: plainBatch({ timestamps: [TIME_MS * 2] }) },
  {
    title: 'one time of two in the future',
    records: plainBatch({ timestamps: [TIME_MS, TIME_MS * 2] }),
  },
  {
    title: 'a time long ago',
    records: two(),
    configs: { 'message.timestamp.before.max.ms': '1000' },
  },
  {
    title: 'a time far ahead that is allowed',
    records: plainBatch({ timestamps: [TIME_MS * 2] }),
    configs: { 'message.timestamp.after.max.ms': `${2 ** 52}` },
  },
  { title: 'no time', records: plainBatch({ timestamps: [-1] }) },
  {
    title: 'no time, in a topic with bounds',
    records: plainBatch({ timestamps: [-1] }),
    configs: { 'message.timestamp.before.max.ms': '1000' },
  },
  {
    title: 'a largest time below that of the records',
    records: changed(two(), (bytes) => int64(TIME_MS - 9).copy(bytes, MAX_TIME_AT)),
  },
  {
    title: 'a largest time of -1',
    records: changed(two(), (bytes) => int64(-1).copy(bytes, MAX_TIME_AT)),
  },
  {
    title: 'a time below -1',
    records: changed(
      two(),
      (bytes) => (int64(-5).copy(bytes, BASE_TIME_AT), int64(-5).copy(bytes, MAX_TIME_AT)),
    ),
  },
  {
    title: 'a time beyond all bounds',
    records: changed(
      two(),
      (bytes) => (
        int64(2n ** 60n).copy(bytes, BASE_TIME_AT), int64(2n ** 60n).copy(bytes, MAX_TIME_AT)
      ),
    ),
  },
  {
    title: 'a batch too large for the topic',
    records: plainBatch({ values: ['x'.repeat(500)] }),
    configs: { 'max.message.bytes': '400' },
  },
  {
    title: 'a batch too large for all topics',
    records: plainBatch({ values: ['x'.repeat(30_000)] }),
  },
  {
    title: 'a batch above the size of a segment',
    records: plainBatch({ values: ['x'.repeat(1_100_000)] }),
    configs: { 'max.message.bytes': '2000000', 'segment.bytes': `${1 << 20}` },
    versions: [3, 9],
  },
  {
    title: 'a batch that grows too large',
    records: plainBatch({ values: ['x'.repeat(500)], codec: Codec.gzip }),
    configs: { 'max.message.bytes': '400', 'compression.type': 'uncompressed' },
  },
  { title: 'records without key for compaction', records: two(), configs: compacted },
  {
    title: 'records with key for compaction',
    records: plainBatch({ key: 'k' }),
    configs: compacted,
  },
  {
    title: 'compressed records without key for compaction',
    records: plainBatch({ codec: Codec.gzip }),
    configs: compacted,
  },
  { title: 'a control batch', records: plainBatch({ isControl: true }) },
  {
    title: 'a control batch of a transaction',
    records: plainBatch({
      isControl: true,
      isTransactional: true,
      producer: { producerId: 5, producerEpoch: 0, baseSequence: 0 },
    }),
    transactionalId: 'mine',
  },
  {
    title: 'a producer without sequence',
    records: plainBatch({ producer: { producerId: 5, producerEpoch: 0, baseSequence: -1 } }),
  },
  {
    title: 'a producer without epoch',
    records: plainBatch({ producer: { producerId: 5, producerEpoch: -1, baseSequence: 0 } }),
  },
  {
    title: 'a sequence without producer',
    records: plainBatch({ producer: { producerId: -1, producerEpoch: 0, baseSequence: 0 } }),
  },
  {
    title: 'a producer below -1',
    records: plainBatch({ producer: { producerId: -2, producerEpoch: 0, baseSequence: 0 } }),
  },
  {
    title: 'a transaction of nobody',
    records: plainBatch({ isTransactional: true }),
    transactionalId: 'mine',
  },
  {
    title: 'a transaction without id',
    records: plainBatch({
      isTransactional: true,
      producer: { producerId: 5, producerEpoch: 0, baseSequence: 0 },
    }),
  },
  {
    title: 'a transaction of an unknown id',
    records: plainBatch({
      isTransactional: true,
      producer: { producerId: 5, producerEpoch: 0, baseSequence: 0 },
    }),
    transactionalId: 'mine',
  },
  {
    title: 'a transaction with an empty id',
    records: plainBatch({
      isTransactional: true,
      producer: { producerId: 5, producerEpoch: 0, baseSequence: 0 },
    }),
    transactionalId: '',
  },
  { title: 'a plain batch with a transactional id', records: two(), transactionalId: 'mine' },
]

async function askEach(
  on: Script,
  { records, configs, partition, topic, acks, transactionalId, versions = VERSIONS }: ProduceCase,
): Promise<void> {
  for (const version of versions) {
    const request = produceRequest(topic ?? (await on.topic(configs)), records, {
      partition,
      acks,
      transactionalId,
    })
    await on.ask(ApiKey.Produce, version, request)
  }
}

/** With acks=0 nobody is told: what is wrong closes the connection. */
async function fireOnce(on: Script, one: ProduceCase): Promise<void> {
  const topic = one.topic ?? (await on.topic(one.configs))
  await on.fire(ApiKey.Produce, 9, produceRequest(topic, one.records, { ...one, acks: 0 }))
}

export const produceScenarios: Scenario[] = [
  ...cases.map((one) => ({ title: one.title, run: (on: Script) => askEach(on, one) })),
  ...cases
    .filter(({ acks }) => acks === undefined)
    .map((one) => ({
      title: `${one.title}, with acks=0`,
      run: (on: Script) => fireOnce(on, one),
    })),
]
