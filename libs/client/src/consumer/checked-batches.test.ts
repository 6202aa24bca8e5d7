import { batch, BatchBuilder } from '@millrace/record'
import { checkBatches } from './checked-batches'

/** Batches of the given numbers of records, one after the other from `baseOffset` on. */
function someBatches(counts: readonly number[], baseOffset = 0): Buffer[] {
  let nextOffset = baseOffset
  return counts.map((count) => {
    const builder = new BatchBuilder()
    for (let i = 0; i < count; i++) builder.append(1, null, Buffer.from('value'))
    const bytes = builder.build({ baseOffset: nextOffset })
    nextOffset += count
    return bytes
  })
}

const fetched = (parts: readonly Buffer[], fromOffset = 0) => ({
  topic: 't',
  partition: 3,
  highWatermark: 99,
  records: Buffer.concat(parts),
  fromOffset,
})
const none = () => false

describe('fetched bytes', () => {
  it('are handed on whole when they are sound', () => {
    const given = fetched(someBatches([2, 3]), 1)
    const { runs, nextOffset } = checkBatches(given, none)
    expect(runs).toEqual([given])
    expect(runs[0].records.buffer).toBe(given.records.buffer)
    expect(nextOffset).toBe(5)
  })

  it('lose a batch that is cut short at the end, wherever the cut is', () => {
    const [first, second] = someBatches([2, 3])
    for (let length = 0; length < second.length; length++) {
      const { runs, nextOffset } = checkBatches(fetched([first, second.subarray(0, length)]), none)
      expect(runs.map(({ records }) => records.length)).toEqual([first.length])
      expect(nextOffset).toBe(2)
    }
  })

  it('are nothing without one whole batch', () => {
    const [first] = someBatches([2], 10)
    expect(checkBatches(fetched([first.subarray(0, 70)], 10), none)).toEqual({
      runs: [],
      nextOffset: 10,
    })
    expect(checkBatches(fetched([], 10), none)).toEqual({ runs: [], nextOffset: 10 })
  })

  it('fail if the first batch is damaged, and end before a later one that is', () => {
    const [first, second] = someBatches([2, 3])
    second[second.length - 1] ^= 1
    const { runs, nextOffset } = checkBatches(fetched([first, second]), none)
    expect(runs.map(({ records }) => records.length)).toEqual([first.length])
    expect(nextOffset).toBe(2)
    expect(() => checkBatches(fetched([second], 2), none)).toThrow(
      expect.objectContaining({
        code: 'CLIENT_CORRUPT_BATCH',
        message: expect.stringContaining('offset 2 of t-3'),
        cause: expect.objectContaining({ code: 'RECORD_BAD_CRC' }),
      }),
    )
  })

  it('fail if they are of a format that is not known', () => {
    const [first] = someBatches([1])
    first[16] = 1
    expect(() => checkBatches(fetched([first]), none)).toThrow(
      expect.objectContaining({ code: 'CLIENT_CORRUPT_BATCH' }),
    )
  })

  it('are split around batches that are left out, and read on past these', () => {
    const parts = someBatches([1, 2, 3, 4, 5])
    const leftOut = new Set([0, 3, 10]) // base offsets of the first, third and last
    const { runs, nextOffset } = checkBatches(fetched(parts), (bytes, at) =>
      leftOut.has(batch.baseOffset(bytes, at)),
    )
    expect(runs.map(({ fromOffset }) => fromOffset)).toEqual([1, 6])
    expect(runs.map(({ records }) => batch.baseOffset(records, 0))).toEqual([1, 6])
    expect(nextOffset).toBe(15)
  })
})
