import fc from 'fast-check'
import {
  intervalIso,
  intervalMicros,
  parseArray,
  parseBits,
  parseHstore,
  parseInterval,
} from './composite-text'

const quote = (text: string) => `"${text.replace(/(["\\])/g, '\\$1')}"`

it('reads back any array of quoted elements', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.string())), (elements) => {
      const text = `{${elements.map((e) => (e === null ? 'NULL' : quote(e))).join(',')}}`
      expect(parseArray(text)).toEqual(elements)
    }),
  )
})

it('puts the elements of nested arrays one after the other and skips bounds', () => {
  expect(parseArray('{{1,2},{3,NULL}}')).toEqual(['1', '2', '3', null])
  expect(parseArray('[0:1]={a,b}')).toEqual(['a', 'b'])
  expect(parseArray('{}')).toEqual([])
})

it('reads back any hstore', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), fc.option(fc.string()))), (entries) => {
      const text = entries.map(([k, v]) => `${quote(k)}=>${v === null ? 'NULL' : quote(v)}`)
      expect(parseHstore(text.join(', '))).toEqual(entries)
    }),
  )
})

it.each([
  ['00:00:00', 0n, 'P0Y0M0DT0H0M0S'],
  ['1 day', 86_400_000_000n, 'P0Y0M1DT0H0M0S'],
  ['-00:00:00.5', -500_000n, 'P0Y0M0DT0H0M-0.5S'],
  ['1 mon', 2_629_800_000_000n, 'P0Y1M0DT0H0M0S'],
  ['1 year 2 mons -3 days +04:05:06.789', 36_572_706_789_000n, 'P1Y2M-3DT4H5M6.789S'],
  ['-1 years -2 mons', -36_817_200_000_000n, 'P-1Y-2M0DT0H0M0S'],
  ['100:00:00', 360_000_000_000n, 'P0Y0M0DT100H0M0S'],
])('reads the interval %s', (text, micros, iso) => {
  const interval = parseInterval(text)!
  expect(intervalMicros(interval)).toBe(micros)
  expect(intervalIso(interval)).toBe(iso)
})

it('has no interval for the infinities', () => {
  expect(parseInterval('infinity')).toBeNull()
})

it('puts the last bit of a bit string lowest', () => {
  expect(parseBits('1')).toEqual(Buffer.from([1]))
  expect(parseBits('100000001')).toEqual(Buffer.from([1, 1]))
})
