import { type Schema, structOf, withOptions } from '@millrace/connect-api'
import { envelopeSchema } from '../envelope'
import type { PostgresConfig } from '../options'
import type { Catalog, ColumnDescription, TableDescription } from './catalog'
import { type NameMatcher, parseFilter, parsePatterns } from './patterns'
import {
  type Cells,
  compilePick,
  compileRow,
  type DecodedColumn,
  type Row,
  type RowDecoder,
} from './row-decoder'
import { columnType, type PostgresType, type ValueModes } from './types'

/** One shape of a table: its schemas, made once, and the compiled way from cells to values. */
export interface TableSchema {
  readonly schema: string
  readonly name: string
  readonly topic: string
  /** Null for a table without a key: its records have none either. */
  readonly keySchema: Schema | null
  readonly envelopeSchema: Schema
  readonly decodeRow: RowDecoder
  /** The key of a row that was decoded from these cells; null for a table without one. */
  readonly decodeKey: (cells: Cells, row: Row) => Row | null
  /** Whether two rows have the same key. */
  readonly hasSameKey: (before: Cells, after: Cells) => boolean
}

/** A table as a snapshot or a Relation message sees it. */
export interface TableShape {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** In the order of the cells. */
  readonly columns: readonly ColumnDescription[]
  readonly keyColumns: readonly string[] | null
}

/** Makes the schemas of tables, one object per shape, and says which tables and columns are captured. */
export class TableSchemas {
  readonly #prefix: string
  readonly #modes: ValueModes
  readonly #matchesSchema: NameMatcher
  readonly #matchesTable: NameMatcher
  readonly #matchesColumn: NameMatcher
  readonly #customKeys: readonly {
    readonly table: NameMatcher
    readonly columns: readonly string[]
  }[]
  readonly #onSkippedColumn: (column: string, typeOid: number) => void
  /** The latest shape of each table; at most one entry per table. */
  readonly #latest = new Map<number, { readonly signature: string; readonly schema: TableSchema }>()

  constructor(config: PostgresConfig, onSkippedColumn: (column: string, typeOid: number) => void) {
    this.#prefix = config.topicPrefix
    this.#modes = valueModes(config)
    this.#matchesSchema = parseFilter(config.schemaIncludeList, config.schemaExcludeList)
    this.#matchesTable = parseFilter(config.tableIncludeList, config.tableExcludeList)
    this.#matchesColumn = parseFilter(config.columnIncludeList, config.columnExcludeList)
    this.#customKeys = parseMessageKeys(config.messageKeyColumns)
    this.#onSkippedColumn = onSkippedColumn
  }

  isCaptured(schema: string, name: string): boolean {
    return this.#matchesSchema(schema) && this.#matchesTable(`${schema}.${name}`)
  }

  /** The schema of a shape: the same object as long as the shape stays the same. */
  async resolve(shape: TableShape, catalog: Catalog): Promise<TableSchema> {
    const types: (PostgresType | null)[] = []
    for (const { typeOid } of shape.columns) types.push(await catalog.type(typeOid))
    const signature = JSON.stringify([shape, types])
    const latest = this.#latest.get(shape.oid)
    if (latest?.signature === signature) return latest.schema
    const table = `${shape.schema}.${shape.name}`
    const columns: DecodedColumn[] = []
    shape.columns.forEach(({ name, modifier, isOptional, typeOid }, index) => {
      const type = types[index] === null ? null : columnType(types[index], modifier, this.#modes)
      if (type === null) this.#onSkippedColumn(`${table}.${name}`, typeOid)
      else columns.push({ name, index, isOptional, type })
    })
    const schema = this.#build(shape, columns)
    this.#latest.set(shape.oid, { signature, schema })
    return schema
  }

  #build(shape: TableShape, columns: readonly DecodedColumn[]): TableSchema {
    const table = `${shape.schema}.${shape.name}`
    const fullName = validName(`${this.#prefix}.${table}`)
    const kept = columns.filter(({ name }) => this.#matchesColumn(`${table}.${name}`))
    const custom = this.#customKeys.find((key) => key.table(table))
    const keyNames = custom?.columns ?? shape.keyColumns ?? []
    const keyColumns = keyNames.flatMap((key) => columns.filter(({ name }) => name === key))
    const valueSchema = structOf(fieldSchemas(kept), { name: `${fullName}.Value`, optional: true })
    return {
      schema: shape.schema,
      name: shape.name,
      topic: fullName,
      keySchema:
        keyColumns.length === 0
          ? null
          : structOf(fieldSchemas(keyColumns), { name: `${fullName}.Key` }),
      envelopeSchema: envelopeSchema(`${fullName}.Envelope`, valueSchema),
      decodeRow: compileRow(kept),
      decodeKey: keyDecoder(keyColumns, kept),
      hasSameKey: (before, after) =>
        keyColumns.every(({ index }) => before.hasSameCell(after, index)),
    }
  }
}

/** What a Relation message leaves out (nullability, the real key under another replica identity) comes from the catalog. */
export function completeShape(
  relation: Omit<TableShape, 'columns' | 'keyColumns'> & {
    readonly columns: readonly {
      readonly name: string
      readonly typeOid: number
      readonly modifier: number
      readonly isKey: boolean
    }[]
  },
  description: TableDescription,
): TableShape {
  const known = new Map(description.columns.map((column) => [column.name, column]))
  const names = new Set(relation.columns.map(({ name }) => name))
  const catalogKey = description.keyColumns
  const identity = relation.columns.filter(({ isKey }) => isKey).map(({ name }) => name)
  // A table that is gone or was changed since leaves us the replica identity, unless that is the whole row.
  const fallbackKey = identity.length < relation.columns.length ? identity : []
  return {
    oid: relation.oid,
    schema: relation.schema,
    name: relation.name,
    columns: relation.columns.map(({ name, typeOid, modifier }) => ({
      name,
      typeOid,
      modifier,
      isOptional: known.get(name)?.typeOid === typeOid ? known.get(name)!.isOptional : true,
    })),
    keyColumns: catalogKey?.every((name) => names.has(name))
      ? catalogKey
      : fallbackKey.length > 0
        ? fallbackKey
        : null,
  }
}

function fieldSchemas(columns: readonly DecodedColumn[]): (readonly [string, Schema])[] {
  return columns.map(
    ({ name, isOptional, type }) =>
      [name, isOptional ? withOptions(type.schema, { optional: true }) : type.schema] as const,
  )
}

function keyDecoder(
  keyColumns: readonly DecodedColumn[],
  kept: readonly DecodedColumn[],
): TableSchema['decodeKey'] {
  if (keyColumns.length === 0) return () => null
  if (keyColumns.every((column) => kept.includes(column))) {
    const pick = compilePick(keyColumns.map(({ name }) => name))
    return (_cells, row) => pick(row)
  }
  // A key column that the value leaves out.
  return compileRow(keyColumns)
}

/** Of topics and schemas: Kafka allows these characters only in the one, Debezium uses them in both. */
function validName(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]/g, '_')
}

function parseMessageKeys(text: string | null) {
  return (text ?? '')
    .split(';')
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const [table, columns] = part.split(':')
      return {
        table: parsePatterns(table),
        columns: columns.split(',').map((name) => name.trim()),
      }
    })
}

function valueModes(config: PostgresConfig): ValueModes {
  return {
    decimal: config.decimalHandlingMode,
    time: config.timePrecisionMode,
    binary: config.binaryHandlingMode,
    interval: config.intervalHandlingMode,
    hstore: config.hstoreHandlingMode,
    moneyFractionDigits: config.moneyFractionDigits,
    unavailablePlaceholder: config.unavailableValuePlaceholder,
    includeUnknown: config.includeUnknownDatatypes,
  }
}
