import { createHash } from 'node:crypto'
import { errorCode } from '@millrace/base'
import fc from 'fast-check'
import { recordErrors } from '../errors'
import { Codec, codecName, codecOf } from './codec'
import { compress, decompress } from './compression'

const LIMIT = 16 * 1024 * 1024
const packing = Object.entries(Codec).filter(([name]) => name !== 'none')

/** Bytes that look random but are the same in every run. */
function noise(bytes: number): Buffer {
  const parts: Buffer[] = []
  for (let left = bytes, n = 0; left > 0; left -= 64, n++) {
    parts.push(createHash('sha512').update(String(n)).digest().subarray(0, left))
  }
  return Buffer.concat(parts)
}

function jsonLines(bytes: number): Buffer {
  let text = ''
  for (let id = 0; text.length < bytes; id++) {
    text += JSON.stringify({ id, name: `customer ${id % 97}`, city: 'Zürich', total: id * 3.7 })
  }
  return Buffer.from(text).subarray(0, bytes)
}

const VERDICTS = ['unpacked', 'RECORD_BAD_COMPRESSION', 'RECORD_TOO_LARGE']

/** What comes of unpacking damaged data: `unpacked` or the code of the error. */
function verdict(codec: number, damaged: Buffer): string | undefined {
  try {
    return decompress(codec, damaged, LIMIT).length <= LIMIT ? 'unpacked' : 'above the limit'
  } catch (error) {
    return errorCode(error)
  }
}

describe.each(packing)('%s', (name, codec) => {
  const sizes = [
    0, 1, 3, 4, 15, 16, 17, 60, 61, 100, 257, 4096, 32_767, 32_768, 32_769, 65_535, 65_536,
  ]

  it.each([...sizes, 65_537, 200_000, 1_000_000, 5_000_000])('round-trips %d bytes', (size) => {
    for (const data of [Buffer.alloc(size, 'a'), noise(size), jsonLines(size)]) {
      const packed = compress(codec, data)
      expect(packed.length).toBeLessThan(size * 1.2 + 100)
      expect(decompress(codec, packed, LIMIT).equals(data)).toBe(true)
    }
  })

  it('round-trips short runs and matches of every kind', () => {
    const run = fc.tuple(
      fc.uint8Array({ minLength: 1, maxLength: 70 }),
      fc.integer({ min: 1, max: 40 }),
    )
    fc.assert(
      fc.property(fc.array(run, { maxLength: 30 }), (runs) => {
        const data = Buffer.concat(runs.flatMap(([bytes, times]) => Array(times).fill(bytes)))
        expect(decompress(codec, compress(codec, data), LIMIT).equals(data)).toBe(true)
      }),
    )
  })

  it('makes well-compressible data at least four times smaller', () => {
    expect(compress(codec, Buffer.alloc(100_000, 'some text again ')).length).toBeLessThan(25_000)
  })

  it('refuses data cut at any byte', () => {
    const packed = compress(codec, jsonLines(600))
    for (let length = 0; length < packed.length; length++) {
      // The snappy framing has no end mark: without any block it is a frame of nothing.
      if (name === 'snappy' && length === 16) continue
      expect(() => decompress(codec, packed.subarray(0, length), LIMIT)).toThrow(
        expect.objectContaining({ code: 'RECORD_BAD_COMPRESSION' }),
      )
    }
  })

  it('answers flipped bits with a coded error or other bytes', () => {
    const packed = compress(codec, jsonLines(400))
    for (let bit = 0; bit < packed.length * 8; bit++) {
      const damaged = Buffer.from(packed)
      damaged[bit >> 3] ^= 1 << (bit & 7)
      expect(VERDICTS).toContain(verdict(codec, damaged))
    }
  })

  it('answers arbitrary bytes with a coded error', () => {
    const head = compress(codec, jsonLines(100)).subarray(0, 20)
    fc.assert(
      fc.property(fc.nat(20), fc.uint8Array({ maxLength: 200 }), (headBytes, bytes) => {
        const damaged = Buffer.concat([head.subarray(0, headBytes), bytes])
        expect(VERDICTS).toContain(verdict(codec, damaged))
      }),
    )
  })

  it('stops at the limit and names it', () => {
    const data = Buffer.alloc(1_000_000)
    const packed = compress(codec, data)
    expect(decompress(codec, packed, 1_000_000).length).toBe(1_000_000)
    for (const maxBytes of [999_999, 70_000, 1000, 1]) {
      expect(() => decompress(codec, packed, maxBytes)).toThrow(
        recordErrors.create('RECORD_TOO_LARGE', { maxBytes }),
      )
    }
  })

  it('unpacks into memory that a later call does not touch', () => {
    const first = decompress(codec, compress(codec, Buffer.alloc(5000, 1)), LIMIT)
    decompress(codec, compress(codec, Buffer.alloc(5000, 2)), LIMIT)
    expect(first.equals(Buffer.alloc(5000, 1))).toBe(true)
  })
})

describe('codec names', () => {
  it('maps numbers and names both ways', () => {
    for (const [name, codec] of Object.entries(Codec)) {
      expect(codecOf(name)).toBe(codec)
      expect(codecName(codec)).toBe(name)
    }
  })

  it.each([-1, 5, 7, 1.5])('refuses the number %d', (codec) => {
    const unknown = expect.objectContaining({ code: 'RECORD_UNKNOWN_CODEC' })
    expect(() => codecName(codec)).toThrow(unknown)
    expect(() => compress(codec, Buffer.alloc(1))).toThrow(unknown)
    expect(() => decompress(codec, Buffer.alloc(1), LIMIT)).toThrow(unknown)
  })

  it('refuses names that are none, and those every object has', () => {
    for (const name of ['brotli', 'toString', '', 'GZIP']) {
      expect(() => codecOf(name)).toThrow(expect.objectContaining({ code: 'RECORD_UNKNOWN_CODEC' }))
    }
  })
})
