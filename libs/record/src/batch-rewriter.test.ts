import { batch } from './batch'
import { BatchBuilder, type BatchFields } from './batch-builder'
import { BatchRewriter } from './batch-rewriter'
import { checkStoredBatch } from './check-batch'
import { Codec } from './compression/codec'
import { RecordCursor } from './record-cursor'

const FIELDS: BatchFields = {
  baseOffset: 100,
  leaderEpoch: 4,
  producerId: 2 ** 40,
  producerEpoch: 3,
  baseSequence: 7,
  isTransactional: true,
}

function aBatch(codec: Codec = Codec.none): Buffer {
  const builder = new BatchBuilder({ codec })
  builder.append(5000, Buffer.from('a'), Buffer.from('1'))
  builder.append(4000, Buffer.from('b'), Buffer.from('2'.repeat(200)), [
    { key: 'trace', value: Buffer.from('x') },
    { key: 'none', value: null },
  ])
  builder.append(-1, Buffer.from('c'), null)
  builder.append(6000, null, Buffer.alloc(0))
  return builder.build(FIELDS)
}

/** What is left of the batch when only these of its records are kept. */
function rewrite(original: Buffer, kept: readonly number[], deleteHorizonMs?: number): Buffer {
  const rewriter = new BatchRewriter()
  const cursor = new RecordCursor()
  rewriter.start(deleteHorizonMs)
  for (cursor.open(original, 0); cursor.next(); ) {
    if (kept.includes(cursor.offsetDelta)) rewriter.keep(cursor)
  }
  expect(rewriter.recordCount).toBe(kept.length)
  return rewriter.build(original, 0)
}

function recordsOf(bytes: Buffer) {
  const found: unknown[] = []
  const cursor = new RecordCursor()
  for (cursor.open(bytes, 0); cursor.next(); ) {
    const { offset, timestamp } = cursor
    const [key, value, headers] = [cursor.key(), cursor.value(), cursor.headers()]
    found.push(structuredClone({ offset, timestamp, key, value, headers }))
  }
  return found
}

describe('BatchRewriter', () => {
  it.each(Object.entries(Codec))('keeps records as they are with codec %s', (_, codec) => {
    const original = aBatch(codec)
    for (const kept of [[0], [3], [1, 2], [0, 1, 2, 3]]) {
      const left = rewrite(original, kept)
      checkStoredBatch(left, 0)
      expect(recordsOf(left)).toEqual(
        recordsOf(original).filter((_, index) => kept.includes(index)),
      )
      expect(batch.codec(left, 0)).toBe(codec)
    }
  })

  it('keeps offsets, sequences, producer and leader epoch whatever is taken out', () => {
    for (const kept of [[], [2], [0, 3]]) {
      const left = rewrite(aBatch(), kept)
      expect(batch.lastOffset(left, 0)).toBe(103)
      expect(batch.lastSequence(left, 0)).toBe(10)
      expect(batch.recordCount(left, 0)).toBe(kept.length)
      expect(batch.producerEpoch(left, 0)).toBe(3)
      expect(batch.leaderEpoch(left, 0)).toBe(4)
      expect(batch.isTransactional(left, 0)).toBe(true)
    }
  })

  it('has the newest time of what is left, or that of the original if nothing is', () => {
    expect(batch.maxTimestamp(rewrite(aBatch(), [0, 1]), 0)).toBe(5000)
    expect(batch.maxTimestamp(rewrite(aBatch(), [2]), 0)).toBe(-1)
    expect(batch.maxTimestamp(rewrite(aBatch(), []), 0)).toBe(6000)
  })

  it('puts the delete horizon in the place of the base timestamp without moving a record in time', () => {
    const left = rewrite(aBatch(), [1, 2, 3], 9_000_000)
    checkStoredBatch(left, 0)
    expect(batch.hasDeleteHorizon(left, 0)).toBe(true)
    expect(batch.baseTimestamp(left, 0)).toBe(9_000_000)
    expect(recordsOf(left)).toEqual(recordsOf(aBatch()).slice(1))
    const again = rewrite(left, [1, 3], batch.baseTimestamp(left, 0))
    expect(recordsOf(again)).toEqual(recordsOf(aBatch()).filter((_, index) => index % 2 === 1))
  })

  it('leaves the time that a broker stamped', () => {
    const stamped = aBatch()
    batch.setMaxTimestampAndType(stamped, 0, 'LogAppendTime', 77_777)
    const left = rewrite(stamped, [1], 9_000_000)
    expect(batch.timestampType(left, 0)).toBe('LogAppendTime')
    expect(recordsOf(left)).toMatchObject([{ offset: 101, timestamp: 77_777 }])
  })
})
