import { batch, BatchBuilder, buildControlBatch, ControlType } from '@millrace/record'
import { AbortedFilter, type AbortedTransaction } from './aborted'

/** `data 7` is a batch of one record in a transaction of producer 7; `plain` is outside of any. */
function aLog(...entries: string[]): { records: Buffer; positions: number[] } {
  const parts = entries.map((entry, offset) => {
    const [kind, id = '-1'] = entry.split(' ')
    const part =
      kind === 'data' || kind === 'plain' ? aBatch(kind, Number(id)) : marker(kind, Number(id))
    batch.setBaseOffset(part, 0, offset)
    return part
  })
  let next = 0
  const positions = parts.map((part) => (next += part.length) - part.length)
  return { records: Buffer.concat(parts), positions }
}

function aBatch(kind: string, producerId: number): Buffer {
  const builder = new BatchBuilder()
  builder.append(1, null, Buffer.from(kind))
  if (kind === 'plain') return builder.build({ producerId, producerEpoch: 0, baseSequence: 0 })
  return builder.build({ producerId, producerEpoch: 0, baseSequence: 0, isTransactional: true })
}

function marker(kind: string, producerId: number): Buffer {
  const type = kind === 'abort' ? ControlType.abort : ControlType.commit
  const coordinatorEpoch = 0
  return buildControlBatch({ type, timestamp: 1, producerId, producerEpoch: 0, coordinatorEpoch })
}

/** Offsets that are left out. */
function leftOut(entries: string[], aborted: AbortedTransaction[]): number[] {
  const { records, positions } = aLog(...entries)
  const filter = new AbortedFilter()
  filter.open(aborted)
  return positions.flatMap((at, offset) => (filter.isAborted(records, at) ? [offset] : []))
}

describe('the filter of aborted transactions', () => {
  it('leaves out what lies between the first record of a transaction and its abort marker', () => {
    const log = ['data 7', 'plain', 'data 7', 'abort 7', 'data 7', 'commit 7']
    expect(leftOut(log, [{ producerId: 7, firstOffset: 0 }])).toEqual([0, 2])
  })

  it('keeps an earlier transaction of the same producer that was committed', () => {
    const log = ['data 7', 'commit 7', 'data 7', 'abort 7']
    expect(leftOut(log, [{ producerId: 7, firstOffset: 2 }])).toEqual([2])
  })

  it('tells the producers of interleaved transactions apart', () => {
    const log = ['data 7', 'data 8', 'data 7', 'commit 8', 'data 9', 'abort 7', 'abort 9']
    const aborted = [
      { producerId: 9, firstOffset: 4 },
      { producerId: 7, firstOffset: 0 },
    ]
    expect(leftOut(log, aborted)).toEqual([0, 2, 4])
  })

  it('knows two aborted transactions of one producer', () => {
    const log = ['data 7', 'abort 7', 'data 7', 'commit 7', 'data 7', 'abort 7']
    const aborted = [0, 4].map((firstOffset) => ({ producerId: 7, firstOffset }))
    expect(leftOut(log, aborted)).toEqual([0, 4])
  })

  it('counts a transaction that began before the fetch', () => {
    const { records, positions } = aLog('data 7', 'data 7', 'abort 7', 'data 7')
    const filter = new AbortedFilter()
    filter.open([{ producerId: 7, firstOffset: 0 }])
    const fetched = positions.slice(1).map((at) => filter.isAborted(records, at))
    expect(fetched).toEqual([true, false, false])
  })

  it('keeps records of an idempotent producer outside of a transaction', () => {
    expect(leftOut(['plain 7', 'data 7', 'abort 7'], [{ producerId: 7, firstOffset: 0 }])).toEqual([
      1,
    ])
  })

  it('forgets everything with the next fetch', () => {
    const { records } = aLog('data 7')
    const filter = new AbortedFilter()
    filter.open([{ producerId: 7, firstOffset: 0 }])
    expect(filter.isAborted(records, 0)).toBe(true)
    filter.open([])
    expect(filter.isAborted(records, 0)).toBe(false)
  })
})
