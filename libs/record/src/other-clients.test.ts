import {
  compressionsAlgorithms,
  createRecordsBatch,
  Reader,
  readRecordsBatch,
} from '@platformatic/kafka'
import { batch } from './batch'
import { BatchBuilder } from './batch-builder'
import { checkBatch } from './check-batch'
import { Codec, type CodecName } from './compression/codec'
import { compress, decompress } from './compression/compression'
import { RecordCursor } from './record-cursor'

const TIME = 1_700_000_000_123
const LIMIT = 1 << 20
const text = 'the same words again and again, and then some others; '.repeat(3000)

const messages = [
  { timestamp: TIME, key: 'first', value: 'größer', headers: { trace: 'a1', span: 'ü' } },
  { timestamp: TIME + 70_000, key: 'second', value: text, headers: {} },
  { timestamp: TIME + 5, key: 'third', value: '', headers: {} },
]

function built(codec: CodecName): Buffer {
  const builder = new BatchBuilder({ codec: Codec[codec] })
  for (const { timestamp, key, value, headers } of messages) {
    builder.append(
      timestamp,
      Buffer.from(key),
      Buffer.from(value),
      Object.entries(headers).map(([name, content]) => ({
        key: name,
        value: Buffer.from(content),
      })),
    )
  }
  return builder.build({ baseOffset: 40 })
}

function readByUs(bytes: Buffer): unknown[] {
  checkBatch(bytes, 0)
  expect(batch.sizeBytes(bytes, 0)).toBe(bytes.length)
  expect(batch.maxTimestamp(bytes, 0)).toBe(TIME + 70_000)
  const read: unknown[] = []
  const cursor = new RecordCursor()
  for (cursor.open(bytes, 0); cursor.next(); ) {
    const headers = cursor.headers().map(({ key, value }) => [key, String(value)])
    read.push({
      timestamp: cursor.timestamp,
      key: String(cursor.key()),
      value: String(cursor.value()),
      headers: Object.fromEntries(headers),
    })
  }
  return read
}

describe.each(Object.keys(Codec) as CodecName[])('@platformatic/kafka, codec %s', (codec) => {
  it('writes batches that we read', () => {
    const theirs = createRecordsBatch(
      messages.map((message) => ({
        topic: 't',
        timestamp: BigInt(message.timestamp),
        key: Buffer.from(message.key),
        value: Buffer.from(message.value),
        headers: new Map(
          Object.entries(message.headers).map(([k, v]) => [Buffer.from(k), Buffer.from(v)]),
        ),
      })),
      { compression: codec },
    )
    expect(readByUs(theirs.buffer)).toEqual(messages)
  })

  it('reads batches that we write', () => {
    const theirs = readRecordsBatch(Reader.from(built(codec)))
    const records = theirs.records.map((record) => ({
      timestamp: Number(theirs.firstTimestamp + record.timestampDelta),
      key: String(record.key),
      value: String(record.value),
      headers: Object.fromEntries(record.headers.map(([k, v]) => [String(k), String(v)])),
    }))
    expect(records).toEqual(messages)
    expect(theirs.firstOffset).toBe(40n)
  })

  it('packs and unpacks the same bytes, whatever their size', () => {
    for (const size of [0, 1, 20, 1000, 65_536, 65_537, text.length]) {
      const data = Buffer.from(text.slice(0, size))
      const theirs = compressionsAlgorithms[codec]
      expect(decompress(Codec[codec], theirs.compressSync(data), LIMIT).equals(data)).toBe(true)
      expect(Buffer.from(theirs.decompressSync(compress(Codec[codec], data))).equals(data)).toBe(
        true,
      )
    }
  })
})

// kafkajs has no public way to its codec; snappy, lz4 and zstd would need its plugins.
describe.each([
  ['none', 0],
  ['gzip', 1],
] as const)('kafkajs, codec %s', (name, compression) => {
  const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0')
  const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0')
  const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder')
  const Decoder = require('kafkajs/src/protocol/decoder')

  it('writes batches that we read', async () => {
    const records = messages.map((message, index) =>
      encodeRecord({
        ...message,
        offsetDelta: index,
        timestampDelta: message.timestamp - TIME,
      }),
    )
    const theirs = await RecordBatch({
      compression,
      records,
      firstTimestamp: TIME,
      maxTimestamp: TIME + 70_000,
      lastOffsetDelta: messages.length - 1,
    })
    expect(readByUs(theirs.buffer)).toEqual(messages)
  })

  it('reads batches that we write', async () => {
    const theirs = await decodeBatch(new Decoder(built(name)))
    const records = theirs.records.map((record: Record<string, unknown>) => ({
      timestamp: Number(record.timestamp),
      key: String(record.key),
      value: String(record.value),
      headers: Object.fromEntries(
        Object.entries(record.headers as object).map(([k, v]) => [k, String(v)]),
      ),
    }))
    expect(records).toEqual(messages)
  })
})
