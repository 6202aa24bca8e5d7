import fc from 'fast-check'
import {
  unsignedVarintBytes,
  varintBytes,
  varlongBytes,
  VarintReader,
  writeUnsignedVarint,
  writeVarint,
  writeVarlong,
} from './varint'

type Read = (reader: VarintReader) => number

function readBack(bytes: Uint8Array, read: Read): { value: number; position: number } {
  const reader = new VarintReader()
  reader.open(bytes, 0, bytes.length)
  return { value: read(reader), position: reader.position }
}

function encoded(write: (buffer: Uint8Array, at: number, value: number) => number, value: number) {
  const buffer = new Uint8Array(16)
  return buffer.subarray(0, write(buffer, 0, value))
}

const kinds = [
  {
    name: 'varint',
    values: fc.integer(),
    write: writeVarint,
    size: varintBytes,
    read: (reader: VarintReader) => reader.varint(),
  },
  {
    name: 'unsigned varint',
    values: fc.nat({ max: 0xffffffff }),
    write: writeUnsignedVarint,
    size: unsignedVarintBytes,
    read: (reader: VarintReader) => reader.unsignedVarint(),
  },
  {
    name: 'varlong',
    values: fc.oneof(fc.integer(), fc.maxSafeInteger()),
    write: writeVarlong,
    size: varlongBytes,
    read: (reader: VarintReader) => reader.varlong(),
  },
]

describe.each(kinds)('$name', ({ values, write, size, read }) => {
  it('reads back what was written and takes as many bytes as its size function says', () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = encoded(write, value)
        expect(size(value)).toBe(bytes.length)
        expect(readBack(bytes, read)).toEqual({ value, position: bytes.length })
      }),
      { numRuns: 1000 },
    )
  })

  it('is overrun at every byte it may be cut at, and stays so', () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = encoded(write, value)
        for (let limit = 0; limit < bytes.length; limit++) {
          const reader = new VarintReader()
          reader.open(bytes, 0, limit)
          expect(read(reader)).toBe(0)
          expect(read(reader)).toBe(0)
          expect(reader.isOverrun).toBe(true)
        }
      }),
    )
  })

  it('is overrun when more bytes say they continue than its type has room for', () => {
    const reader = new VarintReader()
    reader.open(Buffer.alloc(20, 0xff), 0, 20)
    read(reader)
    expect(reader.isOverrun).toBe(true)
  })
})

describe('known encodings', () => {
  it.each([
    [0, '00'],
    [-1, '01'],
    [1, '02'],
    [63, '7e'],
    [-64, '7f'],
    [64, '8001'],
    [300, 'd804'],
    [2147483647, 'feffffff0f'],
    [-2147483648, 'ffffffff0f'],
  ])('writes the varint %d as %s', (value, hex) => {
    expect(Buffer.from(encoded(writeVarint, value)).toString('hex')).toBe(hex)
  })

  it.each([1_700_000_000_000, -1, 2 ** 34 - 1, 2 ** 34, -(2 ** 34), 2 ** 41, 2 ** 53 - 1])(
    'writes the varlong %d as 64-bit arithmetic does',
    (value) => {
      let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
      const expected: number[] = []
      for (; rest > 127n; rest >>= 7n) expected.push(Number(rest & 127n) | 0x80)
      expected.push(Number(rest))
      expect([...encoded(writeVarlong, value)]).toEqual(expected)
    },
  )

  it('reads the largest 64-bit values rounded to a number', () => {
    expect(readBack(Buffer.from('feffffffffffffffff01', 'hex'), (r) => r.varlong()).value).toBe(
      2 ** 63,
    )
    expect(readBack(Buffer.from('ffffffffffffffffff01', 'hex'), (r) => r.varlong()).value).toBe(
      -(2 ** 63),
    )
  })
})
