import { INT32, STRING } from '@millrace/connect-api'
import { Cells, compilePick, compileRow } from './row-decoder'
import { decodeInt, decodeString } from './text'

/** A TupleData: text, null (null) or left as it was (undefined). */
function tuple(values: readonly (string | null | undefined)[]): Buffer {
  const parts: Buffer[] = [Buffer.from([values.length >> 8, values.length & 255])]
  for (const value of values) {
    if (value === null) parts.push(Buffer.from('n'))
    else if (value === undefined) parts.push(Buffer.from('u'))
    else {
      const head = Buffer.alloc(5)
      head.write('t')
      head.writeInt32BE(Buffer.byteLength(value), 1)
      parts.push(head, Buffer.from(value))
    }
  }
  return Buffer.concat(parts)
}

const TEXT = { schema: STRING, decode: decodeString, fallback: '', unavailable: '?' }
const NUMBER = { schema: INT32, decode: decodeInt, fallback: 0, unavailable: -1 }

it('makes a row of any column names, in order', () => {
  const names = ['id', '__proto__', 'quo"te', "a'b", 'line\nbreak', '1', 'ünï', '\u2028']
  const decode = compileRow(
    names.map((name, index) => ({ name, index, isOptional: false, type: TEXT })),
  )
  const cells = new Cells()
  cells.readTuple(tuple(names), 0)
  const row = decode(cells)
  expect(new Map(Object.entries(row))).toEqual(new Map(names.map((name) => [name, name])))
  expect(Object.getPrototypeOf(row)).toBe(Object.prototype)
  const key = compilePick(['__proto__', 'id'])(row)
  expect(Object.entries(key)).toEqual([
    ['__proto__', '__proto__'],
    ['id', 'id'],
  ])
})

it('tells null, a stand-in for null, a value left as it was and empty text apart', () => {
  const decode = compileRow([
    { name: 'a', index: 0, isOptional: true, type: NUMBER },
    { name: 'b', index: 1, isOptional: false, type: NUMBER },
    { name: 'c', index: 2, isOptional: true, type: TEXT },
    { name: 'd', index: 4, isOptional: false, type: TEXT },
  ])
  const cells = new Cells()
  const bytes = tuple([null, null, undefined, 'skipped', ''])
  expect(cells.readTuple(bytes, 0)).toBe(bytes.length)
  expect(decode(cells)).toEqual({ a: null, b: 0, c: '?', d: '' })
})

it('takes what was left as it was from the old row, and knows the same cells', () => {
  const [before, after] = [new Cells(), new Cells()]
  before.readTuple(tuple(['1', 'old', 'x', null]), 0)
  after.readTuple(tuple(['1', undefined, 'y', null]), 0)
  expect([0, 1, 2, 3].map((index) => before.hasSameCell(after, index))).toEqual([
    true,
    true,
    false,
    true,
  ])
})
