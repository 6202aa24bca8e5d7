import fc from 'fast-check'
import { batch } from './batch'
import { BatchBuilder, type RecordHeader } from './batch-builder'
import { checkBatch } from './check-batch'
import { Codec } from './compression/codec'
import { RecordCursor } from './record-cursor'

interface PlainRecord {
  timestamp: number
  key: Buffer | null
  value: Buffer | null
  headers: RecordHeader[]
}

const bytesOrNull = fc
  .option(fc.uint8Array({ maxLength: 200 }))
  .map((bytes) => bytes && Buffer.from(bytes))

const records = fc.array(
  fc.record<PlainRecord>({
    timestamp: fc.oneof(fc.integer({ min: -1, max: 2 ** 53 - 1 }), fc.constant(1_700_000_000_000)),
    key: bytesOrNull,
    value: bytesOrNull,
    headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme' }), value: bytesOrNull }), {
      maxLength: 4,
    }),
  }),
  { minLength: 1, maxLength: 20 },
)

describe.each(Object.entries(Codec))('a batch with codec %s', (_name, codec) => {
  it('gives back every record as it was appended, behind whatever lies before it', () => {
    const builder = new BatchBuilder({ codec, initialBytes: 64 })
    const cursor = new RecordCursor()
    fc.assert(
      fc.property(records, fc.nat(100), (appended, at) => {
        builder.reset()
        appended.forEach((record, index) =>
          expect(builder.append(record.timestamp, record.key, record.value, record.headers)).toBe(
            index,
          ),
        )
        const buffer = Buffer.concat([Buffer.alloc(at, 0xaa), builder.build({ baseOffset: 5000 })])
        checkBatch(buffer, at)
        expect(batch.lastOffset(buffer, at)).toBe(5000 + appended.length - 1)
        expect(batch.maxTimestamp(buffer, at)).toBe(
          Math.max(...appended.map((record) => record.timestamp)),
        )
        cursor.open(buffer, at)
        for (const [index, record] of appended.entries()) {
          expect(cursor.next()).toBe(true)
          expect(cursor.offset).toBe(5000 + index)
          expect({
            timestamp: cursor.timestamp,
            headers: cursor.headers(),
            value: cursor.value(),
            key: cursor.key(),
          }).toEqual(record)
        }
        expect(cursor.next()).toBe(false)
        expect(cursor.next()).toBe(false)
      }),
    )
  })

  it.each([0, 1, 63, 64, 70_000, 3_000_000])('carries a value of %d bytes', (bytes) => {
    const value = Buffer.alloc(bytes, 'payload ')
    const builder = new BatchBuilder({ codec })
    builder.append(1, null, value)
    builder.append(2, value, null)
    const cursor = new RecordCursor()
    cursor.open(builder.build(), 0)
    cursor.next()
    expect(cursor.key()).toBeNull()
    expect(cursor.value()?.equals(value)).toBe(true)
    cursor.next()
    expect(cursor.key()?.equals(value)).toBe(true)
    expect(cursor.valueBytes).toBe(-1)
    expect(cursor.next()).toBe(false)
  })
})
