import { SourceRecord, type SourcePosition } from '@millrace/connect-api'
import fc from 'fast-check'
import { OffsetTracker, positionKey } from './offset-tracker'

function aRecord(partition: Record<string, string>, offset: number): SourceRecord {
  return new SourceRecord({
    topic: 't',
    partition: null,
    keySchema: null,
    key: null,
    valueSchema: null,
    value: null,
    timestamp: null,
    headers: [],
    sourcePartition: partition,
    sourceOffset: { at: offset },
  })
}

describe('OffsetTracker', () => {
  const shop = { server: 'shop' }

  it('holds back an acknowledged poll while an earlier one is open (CONNECT-1)', () => {
    const tracker = new OffsetTracker()
    const first = tracker.submit([aRecord(shop, 1)])
    const second = tracker.submit([aRecord(shop, 2)])
    tracker.acknowledge(second)
    expect(tracker.takeAcknowledged()).toEqual([])
    expect(tracker.openCount).toBe(2)
    tracker.acknowledge(first)
    expect(tracker.takeAcknowledged()).toEqual([{ partition: shop, offset: { at: 2 } }])
    expect(tracker.openCount).toBe(0)
  })

  it('gives the last offset of each partition, also when partition objects are equal and not the same', () => {
    const tracker = new OffsetTracker()
    const submission = tracker.submit([
      aRecord({ file: 'a' }, 1),
      aRecord({ file: 'b' }, 7),
      aRecord({ file: 'a' }, 2),
    ])
    tracker.acknowledge(submission)
    const taken = tracker
      .takeAcknowledged()
      .map(({ partition, offset }) => [partition.file, offset.at])
    expect(new Map(taken as [string, number][])).toEqual(
      new Map([
        ['a', 2],
        ['b', 7],
      ]),
    )
  })

  it('does not let offsets that were given back replace newer ones', () => {
    const tracker = new OffsetTracker()
    tracker.acknowledge(tracker.submit([aRecord(shop, 1)]))
    const taken = tracker.takeAcknowledged()
    tracker.acknowledge(tracker.submit([aRecord(shop, 2)]))
    tracker.giveBack(taken)
    expect(tracker.takeAcknowledged()).toEqual([{ partition: shop, offset: { at: 2 } }])
    tracker.giveBack(taken)
    expect(tracker.takeAcknowledged()).toEqual(taken)
  })

  it('never gives an offset beyond an open poll, in whatever order polls are acknowledged', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.infiniteStream(fc.nat()), (count, random) => {
        const tracker = new OffsetTracker()
        const open = Array.from({ length: count }, (_, poll) => ({
          poll,
          submission: tracker.submit([aRecord(shop, poll)]),
        }))
        while (open.length > 0) {
          const index = random.next().value % open.length
          tracker.acknowledge(open.splice(index, 1)[0].submission)
          const oldestOpen = Math.min(count, ...open.map(({ poll }) => poll))
          for (const { offset } of tracker.takeAcknowledged()) {
            expect(offset.at).toBe(oldestOpen - 1)
          }
        }
      }),
    )
  })
})

describe('positionKey', () => {
  it('is the same for every order of properties', () => {
    expect(positionKey({ a: '1', b: 2 })).toBe(positionKey({ b: 2, a: '1' }))
  })
  it('tells values of different types and names apart', () => {
    const keys = [
      { a: '1' },
      { a: 1 },
      { a: true },
      { a: null },
      { a: 'null' },
      { b: '1' },
      { a: '1', b: '' },
    ]
    expect(new Set(keys.map((key) => positionKey(key as SourcePosition))).size).toBe(keys.length)
  })
  it('takes a small bigint for the number that JSON makes of it', () => {
    expect(positionKey({ lsn: 5n })).toBe(positionKey({ lsn: 5 }))
  })
})
