import fc from 'fast-check'
import { crc32c, crc32cByTable } from './crc32c'

describe('crc32c', () => {
  // RFC 3720, appendix B.4.
  it.each([
    ['32 bytes of zero', Buffer.alloc(32), 0x8a9136aa],
    ['32 bytes of ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['32 bytes counting up', Buffer.from([...Array(32).keys()]), 0x46dd794e],
    ['the digits', Buffer.from('123456789'), 0xe3069283],
    ['nothing', Buffer.alloc(0), 0],
  ])('matches the published sum of %s', (_name, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected)
    expect(crc32cByTable(bytes)).toBe(expected)
  })

  it('gives the same sum by table as by the native module, for any range', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(2000), fc.nat(2000), (bytes, a, b) => {
        const start = Math.min(a, b, bytes.length)
        const limit = Math.min(Math.max(a, b), bytes.length)
        expect(crc32c(bytes, start, limit)).toBe(crc32cByTable(bytes.slice(start, limit)))
      }),
    )
  })

  it('runs on its tables where the native module cannot be loaded', () => {
    jest.isolateModules(() => {
      jest.doMock('@node-rs/crc32', () => {
        throw new Error('no binary for this platform')
      })
      const isolated = require('./crc32c') as { crc32c: typeof crc32c }
      const bytes = Buffer.alloc(5000, 'abc')
      expect(isolated.crc32c(bytes)).toBe(crc32c(bytes))
    })
  })
})
