import { errorCode } from '@millrace/base'
import { batch } from './batch'
import { BatchBuilder } from './batch-builder'
import { Codec } from './compression/codec'
import { buildControlBatch, controlType, ControlType } from './control-record'
import { RecordCursor } from './record-cursor'

const RECORDS_AT = 61
const RECORD_COUNT_AT = 57
const LENGTH_AT = 8

/** A batch whose records are these bytes, whatever they mean. */
function aBatchOf(records: Buffer | string, recordCount = 1): Buffer {
  const bytes =
    typeof records === 'string' ? Buffer.from(records.replaceAll(' ', ''), 'hex') : records
  const builder = new BatchBuilder()
  builder.append(1000, null, null)
  const made = Buffer.concat([builder.build({ baseOffset: 10 }).subarray(0, RECORDS_AT), bytes])
  made.writeInt32BE(made.length - 12, LENGTH_AT)
  made.writeInt32BE(recordCount, RECORD_COUNT_AT)
  return made
}

/** Reads everything there is to read. */
function drain(bytes: Buffer): number {
  const cursor = new RecordCursor()
  let count = 0
  for (cursor.open(bytes, 0); cursor.next(); count++) {
    cursor.key()
    cursor.value()
    cursor.headers()
  }
  return count
}

/** How draining ended: the count, or the code of the error. */
function outcome(bytes: Buffer): string | undefined {
  try {
    return `${drain(bytes)} records`
  } catch (error) {
    return errorCode(error)
  }
}

const malformed = expect.objectContaining({ code: 'RECORD_MALFORMED' })

function aBatch(codec: Codec = Codec.none): Buffer {
  const builder = new BatchBuilder({ codec })
  builder.append(1000, Buffer.from('k'), Buffer.from('value'), [
    { key: 'trace', value: Buffer.from('abc') },
    { key: 'empty', value: null },
  ])
  builder.append(999, Buffer.from('k2'), null)
  return builder.build({ baseOffset: 10 })
}

describe('RecordCursor', () => {
  it.each([
    ['a length past the batch', '7e 00 00 00 01 01 00'],
    ['a negative length', '01 00 00 00 01 01 00'],
    ['no length', ''],
    ['a length that never stops', 'ff ff ff ff ff ff ff'],
    ['an empty record', '00'],
    ['attributes only', '02 00'],
    ['a key longer than the record', '0c 00 00 00 7e 01 00'],
    ['a key length below null', '0c 00 00 00 03 01 00'],
    ['a value longer than the record', '0c 00 00 00 01 7e 00'],
    ['a value length below null', '0c 00 00 00 01 03 00'],
    ['a value that leaves no room for the header count', '0e 00 00 00 01 04 61 62'],
    ['a negative header count', '0c 00 00 00 01 01 01'],
    ['more headers than bytes', '0c 00 00 00 01 01 7e'],
    ['a header with a null key', '10 00 00 00 01 01 02 01 01'],
    ['a header value longer than the record', '12 00 00 00 01 01 02 02 61 7e'],
    ['bytes after the headers', '0e 00 00 00 01 01 00 00'],
    ['bytes after the last record', '0c 00 00 00 01 01 00 ff'],
  ])('refuses %s', (_what, hex) => {
    expect(() => drain(aBatchOf(hex))).toThrow(malformed)
  })

  it('refuses a record cut at any byte', () => {
    const records = aBatch().subarray(RECORDS_AT)
    for (let length = 0; length < records.length; length++) {
      expect(() => drain(aBatchOf(records.subarray(0, length), 2))).toThrow(malformed)
    }
  })

  it('answers flipped bits in records with RECORD_MALFORMED or other records', () => {
    const bytes = aBatch()
    for (let bit = RECORDS_AT * 8; bit < bytes.length * 8; bit++) {
      const damaged = Buffer.from(bytes)
      damaged[bit >> 3] ^= 1 << (bit & 7)
      expect(['2 records', 'RECORD_MALFORMED']).toContain(outcome(damaged))
    }
  })

  it('refuses a count that promises more records than there are', () => {
    const bytes = aBatch()
    bytes.writeInt32BE(2 ** 31 - 1, RECORD_COUNT_AT)
    expect(() => drain(bytes)).toThrow(malformed)
  })

  it('has nothing to walk after an open that failed', () => {
    const cursor = new RecordCursor()
    cursor.open(aBatch(), 0)
    cursor.next()
    expect(() => cursor.open(Buffer.alloc(70), 0)).toThrow('format version 0')
    expect(cursor.next()).toBe(false)
  })

  it('reads keys, values and headers in any order and more than once', () => {
    const cursor = new RecordCursor()
    cursor.open(aBatch(), 0)
    cursor.next()
    expect(cursor.headers()).toEqual(cursor.headers())
    expect(cursor.value()?.toString()).toBe('value')
    expect(cursor.key()?.toString()).toBe('k')
    expect(cursor.headers()[1]).toEqual({ key: 'empty', value: null })
    expect(cursor.recordBytes).toBe(aBatch()[RECORDS_AT] / 2 + 1)
    cursor.next()
    expect([cursor.offset, cursor.timestamp, cursor.valueBytes]).toEqual([11, 999, -1])
  })

  it('gives every record the time of the broker where the topic is stamped on append', () => {
    const bytes = aBatch()
    batch.setMaxTimestampAndType(bytes, 0, 'LogAppendTime', 5555)
    const cursor = new RecordCursor()
    for (cursor.open(bytes, 0); cursor.next(); ) expect(cursor.timestamp).toBe(5555)
  })

  it('stops unpacking at its limit', () => {
    const builder = new BatchBuilder({ codec: Codec.zstd })
    builder.append(0, null, Buffer.alloc(1_000_000))
    expect(() => new RecordCursor(10_000).open(builder.build(), 0)).toThrow(
      expect.objectContaining({ code: 'RECORD_TOO_LARGE' }),
    )
  })
})

describe('BatchBuilder', () => {
  it.each([-2, 1.5, NaN, Infinity, 2 ** 53])(
    'refuses the timestamp %d and stays as it was',
    (timestamp) => {
      const builder = new BatchBuilder()
      builder.append(5, null, null)
      const before = builder.build()
      expect(() => builder.append(timestamp, null, null)).toThrow(
        expect.objectContaining({ code: 'RECORD_BAD_TIMESTAMP' }),
      )
      expect(builder.build()).toEqual(before)
    },
  )

  it('builds batches that later appends and builds do not touch', () => {
    const builder = new BatchBuilder()
    builder.append(5, null, Buffer.from('one'))
    const first = builder.build()
    const copy = Buffer.from(first)
    builder.reset()
    builder.append(6, null, Buffer.from('two'))
    builder.build()
    expect(first).toEqual(copy)
  })

  it('refuses to build a batch of nothing', () => {
    const builder = new BatchBuilder()
    builder.append(5, null, null)
    builder.reset()
    expect(builder.isEmpty).toBe(true)
    expect(() => builder.build()).toThrow('at least one record')
  })

  it('writes text that is not well formed as replacement characters', () => {
    const builder = new BatchBuilder()
    builder.append(5, null, null, [{ key: 'a\ud800b', value: null }])
    const cursor = new RecordCursor()
    cursor.open(builder.build(), 0)
    cursor.next()
    expect(cursor.headers()).toEqual([{ key: 'a\ufffdb', value: null }])
  })
})

describe('control batches', () => {
  it.each(Object.entries(ControlType))('say %s', (_name, type) => {
    const bytes = buildControlBatch({
      type,
      timestamp: 77,
      producerId: 2 ** 40,
      producerEpoch: 3,
      coordinatorEpoch: 12,
    })
    const cursor = new RecordCursor()
    cursor.open(bytes, 0)
    cursor.next()
    expect(controlType(cursor)).toBe(type)
    expect(cursor.value()?.toString('hex')).toBe('00000000000c')
    expect(batch.isControl(bytes, 0)).toBe(true)
    expect(batch.isTransactional(bytes, 0)).toBe(true)
    expect(batch.producerId(bytes, 0)).toBe(2 ** 40)
    expect(batch.baseSequence(bytes, 0)).toBe(-1)
  })

  it('have type -1 if the key is too short or of no version', () => {
    const builder = new BatchBuilder()
    builder.append(0, null, null)
    builder.append(0, Buffer.from('0000', 'hex'), null)
    builder.append(0, Buffer.from('ffff0001', 'hex'), null)
    const cursor = new RecordCursor()
    for (cursor.open(builder.build(), 0); cursor.next(); ) expect(controlType(cursor)).toBe(-1)
  })
})
