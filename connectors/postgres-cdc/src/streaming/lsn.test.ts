import { formatLsn, parseLsn, readLsn, writeLsn } from './lsn'

it.each([
  ['0/0', 0],
  ['0/FFFFFFFF', 2 ** 32 - 1],
  ['16/B374D848', 97_500_059_720],
  ['1FFFFF/FFFFFFFF', 2 ** 53 - 1],
])('reads and writes %s', (text, lsn) => {
  const buffer = Buffer.alloc(8)
  writeLsn(buffer, lsn, 0)
  expect([parseLsn(text), formatLsn(lsn), readLsn(buffer, 0)]).toEqual([lsn, text, lsn])
})

it('refuses what a number cannot hold, and what is no LSN', () => {
  expect(() => parseLsn('200000/0')).toThrow(RangeError)
  expect(() => readLsn(Buffer.alloc(8, 0xff), 0)).toThrow(RangeError)
  expect(() => parseLsn('16B374D848')).toThrow(RangeError)
})
