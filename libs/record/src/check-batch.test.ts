import { batch } from './batch'
import { BatchBuilder } from './batch-builder'
import { checkBatch, checkStoredBatch, nextBatchSize } from './check-batch'

const LENGTH_AT = 8
const MAGIC_AT = 16
const ATTRIBUTES_LOW_AT = 22
const LAST_OFFSET_DELTA_AT = 23
const BASE_TIMESTAMP_AT = 27
const RECORD_COUNT_AT = 57

function aBatch(records = 3): Buffer {
  const builder = new BatchBuilder()
  for (let index = 0; index < records; index++) {
    builder.append(1_700_000_000_000 + index, Buffer.from(`key ${index}`), Buffer.from('value'))
  }
  return builder.build({ baseOffset: 100, leaderEpoch: 7 })
}

/** A batch with one change to its header and a checksum that is right again. */
function aBatchWith(change: (bytes: Buffer) => void): Buffer {
  const bytes = aBatch()
  change(bytes)
  batch.seal(bytes, 0)
  return bytes
}

const withCode = (code: string) => expect.objectContaining({ code })

describe('nextBatchSize', () => {
  it('gives the size of a whole batch and -1 for every beginning of one', () => {
    const bytes = aBatch()
    expect(nextBatchSize(bytes, 0)).toBe(bytes.length)
    for (let length = 0; length < bytes.length; length++) {
      expect(nextBatchSize(bytes.subarray(0, length), 0)).toBe(-1)
    }
  })

  it('walks batches that follow each other', () => {
    const bytes = Buffer.concat([aBatch(1), aBatch(2), aBatch(3).subarray(0, 70)])
    const first = nextBatchSize(bytes, 0)
    const second = nextBatchSize(bytes, first)
    expect(batch.recordCount(bytes, first)).toBe(2)
    expect(nextBatchSize(bytes, first + second)).toBe(-1)
  })

  it.each([-1, -12, 0, 48, -(2 ** 31)])('refuses the length field %d', (length) => {
    const bytes = aBatch()
    bytes.writeInt32BE(length, LENGTH_AT)
    expect(() => nextBatchSize(bytes, 0)).toThrow(withCode('RECORD_BAD_SIZE'))
  })

  it('says -1, not an error, to a length that may still come', () => {
    const bytes = aBatch()
    bytes.writeInt32BE(2 ** 31 - 1, LENGTH_AT)
    expect(nextBatchSize(bytes, 0)).toBe(-1)
  })

  it.each([0, 1, 3, -1])(
    'refuses format version %d by name, even if the length is odd for v2',
    (magic) => {
      const bytes = aBatch()
      bytes.writeInt32BE(20, LENGTH_AT)
      bytes.writeInt8(magic, MAGIC_AT)
      expect(() => nextBatchSize(bytes, 0)).toThrow(withCode('RECORD_BAD_MAGIC'))
    },
  )
})

describe('checkBatch', () => {
  it('accepts what the builder makes, at any position', () => {
    const bytes = Buffer.concat([Buffer.alloc(33, 0xff), aBatch(), Buffer.alloc(9)])
    expect(() => checkBatch(bytes, 33)).not.toThrow()
  })

  it('still accepts it after base offset, leader epoch and append time were set', () => {
    const bytes = aBatch()
    batch.setBaseOffset(bytes, 0, 2 ** 40 + 3)
    batch.setLeaderEpoch(bytes, 0, 9)
    batch.setMaxTimestampAndType(bytes, 0, 'LogAppendTime', 1_800_000_000_000)
    expect(() => checkBatch(bytes, 0)).not.toThrow()
    expect(batch.nextOffset(bytes, 0)).toBe(2 ** 40 + 6)
    expect(batch.leaderEpoch(bytes, 0)).toBe(9)
    expect(batch.timestampType(bytes, 0)).toBe('LogAppendTime')
    expect(batch.maxTimestamp(bytes, 0)).toBe(1_800_000_000_000)
  })

  it('refuses a batch cut at any byte', () => {
    const bytes = aBatch()
    for (let length = 0; length < bytes.length; length++) {
      expect(() => checkBatch(bytes.subarray(0, length), 0)).toThrow(withCode('RECORD_BAD_SIZE'))
    }
  })

  it('refuses every single flipped bit but those of base offset and leader epoch', () => {
    const bytes = aBatch()
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const at = bit >> 3
      if (at < LENGTH_AT || (at >= 12 && at < MAGIC_AT)) continue
      const damaged = Buffer.from(bytes)
      damaged[at] ^= 1 << (bit & 7)
      expect(() => checkBatch(damaged, 0)).toThrow(
        withCode(expect.stringMatching(/^RECORD_BAD_(SIZE|MAGIC|CRC)$/)),
      )
    }
  })

  it.each([5, 6, 7])('refuses codec %d', (codec) => {
    const bytes = aBatchWith((b) => (b[ATTRIBUTES_LOW_AT] |= codec))
    expect(() => checkBatch(bytes, 0)).toThrow(withCode('RECORD_UNKNOWN_CODEC'))
  })

  it.each([
    { recordCount: 2, lastOffsetDelta: 2 },
    { recordCount: 4, lastOffsetDelta: 2 },
    { recordCount: 0, lastOffsetDelta: -1 },
    { recordCount: 0, lastOffsetDelta: 0 },
    { recordCount: -1, lastOffsetDelta: -2 },
    { recordCount: -(2 ** 31), lastOffsetDelta: 2 ** 31 - 1 },
  ])('refuses $recordCount records with last offset delta $lastOffsetDelta', (counts) => {
    const bytes = aBatchWith((b) => {
      b.writeInt32BE(counts.recordCount, RECORD_COUNT_AT)
      b.writeInt32BE(counts.lastOffsetDelta, LAST_OFFSET_DELTA_AT)
    })
    expect(() => checkBatch(bytes, 0)).toThrow(withCode('RECORD_BAD_COUNT'))
  })

  it.each([-(2n ** 63n), 2n ** 53n, 2n ** 63n - 1n])('refuses the timestamp %d', (timestamp) => {
    const bytes = aBatchWith((b) => b.writeBigInt64BE(timestamp, BASE_TIMESTAMP_AT))
    expect(() => checkBatch(bytes, 0)).toThrow(withCode('RECORD_BAD_TIMESTAMP'))
  })
})

describe('checkStoredBatch', () => {
  it('accepts a batch that compaction took records from, or all of them', () => {
    for (const recordCount of [0, 1, 2]) {
      const bytes = aBatchWith((b) => b.writeInt32BE(recordCount, RECORD_COUNT_AT))
      expect(() => checkStoredBatch(bytes, 0)).not.toThrow()
    }
  })

  it('refuses more records than offsets', () => {
    const bytes = aBatchWith((b) => b.writeInt32BE(4, RECORD_COUNT_AT))
    expect(() => checkStoredBatch(bytes, 0)).toThrow(withCode('RECORD_BAD_COUNT'))
  })
})

describe('sequences', () => {
  it('start over at zero after the largest int32', () => {
    const builder = new BatchBuilder()
    for (let index = 0; index < 4; index++) builder.append(0, null, null)
    const lastOf = (baseSequence: number) =>
      batch.lastSequence(builder.build({ producerId: 1, producerEpoch: 0, baseSequence }), 0)
    expect(lastOf(0)).toBe(3)
    expect(lastOf(2 ** 31 - 4)).toBe(2 ** 31 - 1)
    expect(lastOf(2 ** 31 - 2)).toBe(1)
    expect(lastOf(-1)).toBe(-1)
  })
})
