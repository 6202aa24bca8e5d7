import { Codec } from './codec'
import { compress, decompress } from './compression'
import { xxhash32 } from './xxhash32'

const LIMIT = 1 << 20

/** Hex with spaces, and `xx*n` for a byte that comes n times. */
function bytesOf(annotated: string): Buffer {
  const parts = annotated.trim().split(/\s+/)
  return Buffer.concat(
    parts.map((part) => {
      const [hex, times = '1'] = part.split('*')
      return Buffer.from(hex.repeat(Number(times)), 'hex')
    }),
  )
}

const bad = (reason: string) =>
  expect.objectContaining({
    code: 'RECORD_BAD_COMPRESSION',
    message: expect.stringContaining(reason),
  })

describe('lz4 frames of the reference implementation (lz4 1.9.4)', () => {
  const sentences = Buffer.from('a sentence that comes again. '.repeat(5000))
  const linkedBlocks = `
    04224d18 44 40 5e
    28010000 ff0e612073656e74656e6365207468617420636f6d657320616761696e2e201d00 ff*256 cb507320616761
    0a010000 0fe7 ff*257 e850636f6d6573
    5e000000 ff0e20616761696e2e20612073656e74656e6365207468617420636f6d65731d00 ff*54 695061696e2e20
    00000000 ec4d7827`
  const checksummedBlocks = `
    04224d18 5c 40 6836020000000000 62
    28010000 ff0e612073656e74656e6365207468617420636f6d657320616761696e2e201d00 ff*256 cb507320616761 fcddec68
    0a010000 0fe7 ff*257 e850636f6d6573 ef054d1d
    5e000000 ff0e20616761696e2e20612073656e74656e6365207468617420636f6d65731d00 ff*54 695061696e2e20 f5dde99a
    00000000 ec4d7827`

  it('are read if blocks refer to the block before', () => {
    expect(decompress(Codec.lz4, bytesOf(linkedBlocks), LIMIT).equals(sentences)).toBe(true)
  })

  it('are read with block checksums and content size', () => {
    expect(decompress(Codec.lz4, bytesOf(checksummedBlocks), LIMIT).equals(sentences)).toBe(true)
  })

  it.each([
    ['descriptor', 14, 'the checksum of its descriptor'],
    ['block', 30, 'the checksum of a block'],
    ['content', -1, 'the checksum of its content'],
  ])('are refused with a wrong checksum of the %s', (_what, at, reason) => {
    const frame = bytesOf(checksummedBlocks)
    frame[at < 0 ? frame.length + at : at] ^= 1
    expect(() => decompress(Codec.lz4, frame, LIMIT)).toThrow(bad(reason))
  })

  it('are refused if an independent block refers to the block before', () => {
    const frame = bytesOf(linkedBlocks.replace('44 40 5e', `64 40 ${descriptorSum('6440')}`))
    expect(() => decompress(Codec.lz4, frame, LIMIT)).toThrow(bad('a block is malformed'))
  })
})

/** The byte after an lz4 descriptor, in hex. */
function descriptorSum(descriptor: string): string {
  const sum = (xxhash32(Buffer.from(descriptor, 'hex')) >>> 8) & 0xff
  return sum.toString(16).padStart(2, '0')
}

describe('lz4 frames made by hand', () => {
  const frame = (descriptor: string, rest: string) =>
    bytesOf(`04224d18 ${descriptor} ${descriptorSum(descriptor)} ${rest}`)

  it('are read with stored blocks', () => {
    const read = decompress(Codec.lz4, frame('6040', '03000080 616263 01000080 64 00000000'), LIMIT)
    expect(read.toString()).toBe('abcd')
  })

  it.each([
    ['another version', '8040', '00000000', 'version'],
    ['the reserved bit', '6240', '00000000', 'version'],
    ['a dictionary', '6140', '00000000', 'dictionary'],
    ['an unknown block size', '6030', '00000000', 'block size'],
    ['a block above the announced size', '6040', '01000180 61*65537 00000000', 'larger'],
    ['bytes after the end', '6040', '00000000 00', 'bytes follow'],
    ['a match before the start', '6040', '06000000 10610200 1062 00000000', 'malformed'],
    ['a match of distance zero', '6040', '06000000 10610000 1062 00000000', 'malformed'],
    ['a block that ends in a match', '6040', '04000000 10610100 00000000', 'malformed'],
    ['a literal past the block', '6040', '02000000 2061 00000000', 'malformed'],
    ['a length that never stops', '6040', '03000000 f0ffff 00000000', 'malformed'],
  ])('are refused with %s', (_what, descriptor, rest, reason) => {
    expect(() => decompress(Codec.lz4, frame(descriptor, rest), LIMIT)).toThrow(bad(reason))
  })

  it('are refused if a block unpacks to more than its announced size', () => {
    const block = `1f6101 00 ff*300 00 1062`
    const size = bytesOf(block).length
    const sizeField = Buffer.alloc(4)
    sizeField.writeUInt32LE(size)
    expect(() =>
      decompress(Codec.lz4, frame('6040', `${sizeField.toString('hex')} ${block} 00000000`), LIMIT),
    ).toThrow(bad('more than it may'))
  })

  it('are what we write: version 1, independent blocks, no dictionary', () => {
    for (const size of [0, 100, 70_000, 5_000_000]) {
      const flags = compress(Codec.lz4, Buffer.alloc(size, 'some words '))[4]
      expect(flags & 0b1110_0011).toBe(0b0110_0000)
    }
  })
})

describe('snappy blocks made by hand', () => {
  const read = (hex: string) => decompress(Codec.snappy, bytesOf(hex), LIMIT).toString('latin1')

  it.each([
    ['an empty block', '00', ''],
    ['a literal', '03 08 616263', 'abc'],
    ['a literal with its length in 1 byte', '3d f0 3c 61*61', 'a'.repeat(61)],
    ['a literal with its length in 2 bytes', 'ac02 f4 2b01 61*300', 'a'.repeat(300)],
    ['a literal with its length in 3 bytes', '03 f8 020000 616263', 'abc'],
    ['a literal with its length in 4 bytes', '03 fc 02000000 616263', 'abc'],
    ['a copy with a distance of 11 bits', '06 04 6162 01 02', 'ababab'],
    ['a copy with a distance of 16 bits', '06 04 6162 0e 0200', 'ababab'],
    ['a copy with a distance of 32 bits', '06 04 6162 0f 02000000', 'ababab'],
    ['a size written longer than need be', '838000 08 616263', 'abc'],
  ])('are read with %s', (_what, hex, text) => {
    expect(read(hex)).toBe(text)
  })

  it.each([
    ['nothing at all', ''],
    ['less than it announces', '04 08 616263'],
    ['more than it announces', '02 08 616263'],
    ['a literal past the block', '03 08 6162'],
    ['a literal length past the block', '3d f4 3c'],
    ['a copy before the start', '06 04 6162 01 03'],
    ['a copy of distance zero', '06 04 6162 01 00'],
    ['a copy past the announced size', '05 04 6162 01 02'],
    ['a copy without its distance', '06 04 6162 0e 02'],
    ['a size that so few bytes cannot have', 'ffffff7f 00 61'],
    ['a size that never stops', 'ffffffffff 00'],
  ])('are refused with %s', (_what, hex) => {
    expect(() => read(hex)).toThrow(bad(''))
  })

  it('may stand behind one another in the framing of Java', () => {
    const header = '82534e4150505900 00000001 00000001'
    expect(read(`${header} 00000003 01 00 61 00000005 03 08 626364`)).toBe('abcd')
    expect(read(header)).toBe('')
    expect(() => read(`${header} 00000004 01 00 61`)).toThrow(bad('cut short'))
    expect(() => read(`${header} 00000000`)).toThrow(bad('cut short'))
    expect(() => read(`${header} ffffffff 00`)).toThrow(bad('cut short'))
    expect(() => read(`82534e4150505900 00000002 00000002 00000003 01 00 61`)).toThrow(bad('new'))
  })
})

describe('xxhash32', () => {
  it.each([
    ['', 0x02cc5d05],
    ['a', 0x550d7456],
    ['abc', 0x32d153ff],
    ['Nobody inspects the spammish repetition', 0xe2293b2f],
  ])('matches the published sum of "%s"', (text, sum) => {
    expect(xxhash32(Buffer.from(text))).toBe(sum)
  })
})
