import type { ColumnType } from './types'

/** Postgres' own limit of columns in a table. */
const MAX_COLUMN_COUNT = 1664
const NULL_CELL = -1
const UNCHANGED_CELL = -2
const KIND_NULL = 0x6e
const KIND_UNCHANGED = 0x75

/**
 * Where the cells of one row are in a buffer: filled by the readers below, read by a compiled decoder, used again for the next
 * row. A length below zero means that there is no text: null, or a large value that was left as it was.
 */
export class Cells {
  readonly starts = new Int32Array(MAX_COLUMN_COUNT)
  readonly lengths = new Int32Array(MAX_COLUMN_COUNT)
  buffer: Buffer = Buffer.alloc(0)
  count = 0

  /** The body of a DataRow message. */
  readDataRow(buffer: Buffer, start: number): void {
    this.buffer = buffer
    this.count = buffer.readUInt16BE(start)
    let at = start + 2
    for (let index = 0; index < this.count; index++) {
      const length = buffer.readInt32BE(at)
      at += 4
      this.starts[index] = at
      this.lengths[index] = length
      if (length > 0) at += length
    }
  }

  /** The TupleData of a pgoutput message. Returns where it ends. */
  readTuple(buffer: Buffer, start: number): number {
    this.buffer = buffer
    this.count = buffer.readUInt16BE(start)
    let at = start + 2
    for (let index = 0; index < this.count; index++) {
      const kind = buffer[at++]
      if (kind === KIND_NULL) {
        this.lengths[index] = NULL_CELL
      } else if (kind === KIND_UNCHANGED) {
        this.lengths[index] = UNCHANGED_CELL
      } else {
        const length = buffer.readInt32BE(at)
        at += 4
        this.starts[index] = at
        this.lengths[index] = length
        at += length
      }
    }
    return at
  }

  /** Takes large values that were left as they were from the old row, of the same message, where that has them. */
  fillUnchanged(old: Cells): void {
    for (let index = 0; index < this.count; index++) {
      if (this.lengths[index] !== UNCHANGED_CELL) continue
      this.starts[index] = old.starts[index]
      this.lengths[index] = old.lengths[index]
    }
  }

  /** Whether a cell has the same text here and there. One that was left as it was is the same. */
  hasSameCell(other: Cells, index: number): boolean {
    const length = this.lengths[index]
    const otherLength = other.lengths[index]
    if (length === UNCHANGED_CELL || otherLength === UNCHANGED_CELL) return true
    if (length !== otherLength) return false
    if (length < 0) return true
    const start = this.starts[index]
    const otherStart = other.starts[index]
    const stop = otherStart + otherLength
    return this.buffer.compare(other.buffer, otherStart, stop, start, start + length) === 0
  }
}

export interface DecodedColumn {
  readonly name: string
  /** Position in the row. */
  readonly index: number
  readonly isOptional: boolean
  readonly type: ColumnType
}

export type Row = Record<string, unknown>
export type RowDecoder = (cells: Cells) => Row

/**
 * Compiles the columns to one function that makes the row's object as a literal: every row of a table gets the same hidden class,
 * which makes it and its JSON several times cheaper than storing property by property.
 */
export function compileRow(columns: readonly DecodedColumn[]): RowDecoder {
  const fields = columns.map(({ name, index }, n) => {
    const cell = `lengths[${index}] >= 0 ? d${n}(buffer, starts[${index}], starts[${index}] + lengths[${index}])`
    return `${propertyName(name)}: ${cell} : lengths[${index}] === ${NULL_CELL} ? n${n} : u${n}`
  })
  const unpack = (letter: string, list: string) =>
    `const [${columns.map((_, n) => letter + n).join(', ')}] = ${list}`
  // Column names enter the code as string literals only.
  // oxlint-disable-next-line typescript/no-implied-eval
  const build = new Function(
    'decoders',
    'nulls',
    'unavailable',
    `'use strict'
    ${unpack('d', 'decoders')}
    ${unpack('n', 'nulls')}
    ${unpack('u', 'unavailable')}
    return (cells) => {
      const { buffer, starts, lengths } = cells
      return { ${fields.join(',\n')} }
    }`,
  )
  return build(
    columns.map(({ type }) => type.decode),
    columns.map(({ type, isOptional }) => (isOptional ? null : type.fallback)),
    columns.map(({ type }) => type.unavailable),
  ) as RowDecoder
}

export type FieldPicker = (row: Row) => Row

/** Compiles a copy of some fields of a row: its key. */
export function compilePick(names: readonly string[]): FieldPicker {
  const fields = names.map((name) => `${propertyName(name)}: row[${JSON.stringify(name)}]`)
  // oxlint-disable-next-line typescript/no-implied-eval
  return new Function(`'use strict'; return (row) => ({ ${fields.join(', ')} })`)() as FieldPicker
}

/** As a string literal; `__proto__` needs the computed form, else it would set the prototype. */
function propertyName(name: string): string {
  return name === '__proto__' ? '["__proto__"]' : JSON.stringify(name)
}
