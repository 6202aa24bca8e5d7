import fc from 'fast-check'
import { batch, BATCH_HEADER_BYTES } from './batch'
import { BatchBuilder, type RecordHeader } from './batch-builder'
import { Codec } from './compression/codec'
import {
  inspectRecords,
  MAX_LISTED_FAULTS,
  recompressBatch,
  renumberBatch,
  type RecordRules,
} from './inspect-records'
import { RecordCursor } from './record-cursor'

const ANYTHING: RecordRules = { isKeyRequired: false, oldestMs: -Infinity, newestMs: Infinity }
const malformed = expect.objectContaining({ code: 'RECORD_MALFORMED' })
const codecs = [Codec.none, Codec.gzip, Codec.snappy, Codec.lz4, Codec.zstd]

interface GivenRecord {
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: RecordHeader[]
}

const anyBytes = fc.option(fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)))
const anyRecord: fc.Arbitrary<GivenRecord> = fc.record({
  timestamp: fc.integer({ min: 0, max: 2 ** 41 }),
  key: anyBytes,
  value: anyBytes,
  headers: fc.array(fc.record({ key: fc.string({ maxLength: 5 }), value: anyBytes }), {
    maxLength: 3,
  }),
})

function build(records: readonly GivenRecord[], codec: Codec = Codec.none): Buffer {
  const builder = new BatchBuilder({ codec })
  for (const { timestamp, key, value, headers } of records)
    builder.append(timestamp, key, value, headers)
  return builder.build({ producerId: 7, producerEpoch: 1, baseSequence: 3, isTransactional: true })
}

/** A batch around a payload that no builder would make, sealed. */
function aBatchOf(payload: readonly number[], recordCount = 1): Buffer {
  const bytes = Buffer.concat([
    build([{ timestamp: 5, key: null, value: null, headers: [] }]).subarray(0, BATCH_HEADER_BYTES),
    Buffer.from(payload),
  ])
  bytes.writeInt32BE(bytes.length - 12, 8)
  bytes.writeInt32BE(recordCount - 1, 23)
  bytes.writeInt32BE(recordCount, 57)
  batch.seal(bytes, 0)
  return bytes
}

function contentOf(bytes: Buffer): unknown[] {
  const cursor = new RecordCursor()
  const found: unknown[] = []
  for (cursor.open(bytes, 0); cursor.next(); )
    found.push([cursor.offset, cursor.timestamp, cursor.key(), cursor.value(), cursor.headers()])
  return found
}

describe('inspectRecords', () => {
  it('takes whatever the builder makes, under every codec, and finds the newest time', () => {
    fc.assert(
      fc.property(
        fc.array(anyRecord, { minLength: 1, maxLength: 20 }),
        fc.constantFrom(...codecs),
        (records, codec) => {
          const found = inspectRecords(build(records, codec), 0, ANYTHING)
          expect(found.isDense).toBe(true)
          expect(found.faults).toEqual([])
          expect(found.maxTimestamp).toBe(Math.max(...records.map(({ timestamp }) => timestamp)))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('says no to, or reads as many records from, a batch with any one byte changed', () => {
    const bytes = build([
      { timestamp: 1000, key: Buffer.from('k'), value: Buffer.from('value'), headers: [] },
      { timestamp: 1300, key: null, value: null, headers: [{ key: 'h', value: Buffer.from('x') }] },
    ])
    const twoRecords = [expect.anything(), expect.anything()]
    for (let at = BATCH_HEADER_BYTES; at < bytes.length; at++) {
      for (const change of [1, 2, 0x40, 0x80, 0xff]) {
        const damaged = Buffer.from(bytes)
        damaged[at] ^= change
        let error: unknown = null
        try {
          inspectRecords(damaged, 0, ANYTHING)
        } catch (thrown) {
          error = thrown
        }
        // What is let in must be readable by the consumers behind it.
        expect(error ?? contentOf(damaged)).toEqual(error === null ? twoRecords : malformed)
      }
    }
  })

  it.each([
    ['a record longer than the batch', [40, 0, 0, 0, 1, 1, 0]],
    ['a record of no bytes', [0]],
    ['a negative length', [1, 0, 0, 0, 1, 1, 0]],
    ['a value beyond its record', [14, 0, 0, 0, 1, 60, 0, 0]],
    ['a key of length -2', [14, 0, 0, 0, 3, 1, 0, 0]],
    ['headers that are counted but not there', [12, 0, 0, 0, 1, 1, 6]],
    ['two thousand million headers', [20, 0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f]],
    ['a header without a key', [16, 0, 0, 0, 1, 1, 2, 1, 1]],
    ['bytes behind the headers', [14, 0, 0, 0, 1, 1, 0, 0]],
    ['bytes behind the last record', [12, 0, 0, 0, 1, 1, 0, 12]],
    ['a varint without an end', [12, 0, 0x80, 0x80, 0x80, 0x80, 0x80]],
  ])('refuses %s', (_, payload) => {
    expect(() => inspectRecords(aBatchOf(payload), 0, ANYTHING)).toThrow(malformed)
  })

  it('refuses a batch with fewer records than it counts', () => {
    expect(() => inspectRecords(aBatchOf([12, 0, 0, 0, 1, 1, 0], 2), 0, ANYTHING)).toThrow(
      malformed,
    )
  })

  it('lists records without a key, and times outside the bounds, by their place', () => {
    const bytes = build([
      { timestamp: 100, key: Buffer.from('k'), value: null, headers: [] },
      { timestamp: 50, key: null, value: null, headers: [] },
      { timestamp: 201, key: Buffer.from('k'), value: null, headers: [] },
      { timestamp: 99, key: Buffer.from('k'), value: null, headers: [] },
    ])
    const rules = { isKeyRequired: true, oldestMs: 100, newestMs: 200 }
    expect(inspectRecords(bytes, 0, rules).faults).toEqual([
      { index: 1, kind: 'keyless', timestamp: 50 },
      { index: 2, kind: 'timestamp', timestamp: 201 },
      { index: 3, kind: 'timestamp', timestamp: 99 },
    ])
  })

  it('holds a record without a time to no bounds', () => {
    const builder = new BatchBuilder()
    builder.append(-1, null, null)
    const rules = { isKeyRequired: false, oldestMs: 100, newestMs: 200 }
    expect(inspectRecords(builder.build(), 0, rules)).toMatchObject({
      faults: [],
      maxTimestamp: -1,
    })
  })

  it('lists no more faults than its bound', () => {
    const builder = new BatchBuilder()
    for (let index = 0; index < MAX_LISTED_FAULTS + 5; index++) builder.append(1, null, null)
    const rules = { ...ANYTHING, isKeyRequired: true }
    expect(inspectRecords(builder.build(), 0, rules).faults).toHaveLength(MAX_LISTED_FAULTS)
  })

  it('notices offsets that do not count up, which renumberBatch puts right', () => {
    const odd = aBatchOf([12, 0, 0, 8, 1, 1, 0, 12, 0, 0, 8, 1, 1, 0], 2)
    expect(inspectRecords(odd, 0, ANYTHING).isDense).toBe(false)
    const good = renumberBatch(odd, 0, { codec: Codec.none })
    expect(inspectRecords(good, 0, ANYTHING).isDense).toBe(true)
    expect(contentOf(good)).toEqual([
      [0, 5, null, null, []],
      [1, 5, null, null, []],
    ])
    expect(batch.baseSequence(good, 0)).toBe(3)
    expect(batch.isTransactional(good, 0)).toBe(true)
  })
})

describe('recompressBatch', () => {
  it('keeps everything but the codec, between any two of them', () => {
    const records = Array.from({ length: 20 }, (_, index) => ({
      timestamp: 1000 + index,
      key: Buffer.from(`key ${index}`),
      value: Buffer.alloc(50, index),
      headers: [{ key: 'h', value: null }],
    }))
    for (const from of codecs) {
      for (const to of codecs) {
        const given = build(records, from)
        const { payload } = inspectRecords(given, 0, ANYTHING)
        const made = recompressBatch(given, 0, { payload, codec: to })
        expect(batch.codec(made, 0)).toBe(to)
        expect(batch.isCrcValid(made, 0)).toBe(true)
        expect(batch.producerId(made, 0)).toBe(7)
        expect(batch.isTransactional(made, 0)).toBe(true)
        expect(contentOf(made)).toEqual(contentOf(given))
      }
    }
  })
})
