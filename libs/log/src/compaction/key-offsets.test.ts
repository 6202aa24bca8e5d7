import * as fc from 'fast-check'
import { KeyOffsets } from './key-offsets'

const key = (text: string) => Buffer.from(text)

describe('KeyOffsets', () => {
  it('knows the newest offset of each key, as a map does', () => {
    const puts = fc.array(fc.string({ maxLength: 2 }), { maxLength: 200 })
    fc.assert(
      fc.property(puts, fc.nat(2 ** 31), (texts, firstOffset) => {
        const keys = new KeyOffsets({ slotCount: 300, loadFactor: 1, firstOffset })
        const expected = new Map<string, number>()
        texts.forEach((text, index) => {
          const offset = (firstOffset + index) * 1000
          expect(keys.put(key(text), offset)).toBe(true)
          expected.set(text, offset)
        })
        for (const [text, offset] of expected) expect(keys.get(key(text))).toBe(offset)
        expect(keys.count).toBe(expected.size)
        expect(keys.get(key('never there'))).toBe(-1)
      }),
    )
  })

  it('takes no new key when it is full, but a newer offset of one that it has', () => {
    const keys = new KeyOffsets({ slotCount: 10, loadFactor: 0.5, firstOffset: 0 })
    for (let offset = 0; offset < 5; offset++) expect(keys.put(key(`${offset}`), offset)).toBe(true)
    expect(keys.put(key('one more'), 5)).toBe(false)
    expect(keys.put(key('3'), 6)).toBe(true)
    expect([keys.get(key('3')), keys.get(key('one more')), keys.utilization]).toEqual([6, -1, 0.5])
  })

  it('always ends a search, however full it may become', () => {
    const keys = new KeyOffsets({ slotCount: 4, loadFactor: 1, firstOffset: 0 })
    for (let offset = 0; offset < 9; offset++) keys.put(key(`${offset}`), offset)
    expect(keys.count).toBe(3)
    expect(keys.get(key('unknown'))).toBe(-1)
  })

  it('tells offset 0 from no offset, and holds offsets up to 2^53', () => {
    const keys = new KeyOffsets({ slotCount: 10, loadFactor: 1, firstOffset: 0 })
    keys.put(key('first'), 0)
    keys.put(key(''), 2 ** 53 - 2)
    expect([keys.get(key('first')), keys.get(key(''))]).toEqual([0, 2 ** 53 - 2])
  })
})
