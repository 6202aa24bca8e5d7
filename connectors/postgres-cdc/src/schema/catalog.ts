import type { Client } from 'pg'
import { closeSession, queryRows } from '../session'
import type { PostgresType } from './types'

/** A table that logical replication can carry. */
export interface TableId {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** A partitioned table: its rows live in its partitions. */
  readonly isPartitioned: boolean
}

export interface ColumnDescription {
  readonly name: string
  readonly typeOid: number
  readonly modifier: number
  readonly isOptional: boolean
}

export interface TableDescription {
  /** In order, without dropped and generated ones: replication does not carry those. */
  readonly columns: readonly ColumnDescription[]
  /** The primary key, or else the first unique index that allows no null and has no condition; null if there is neither. */
  readonly keyColumns: readonly string[] | null
}

const TABLES = `
  select c.oid::int8::text as oid, n.nspname as schema, c.relname as name, c.relkind = 'p' as "isPartitioned",
    c.relispartition as "isPartition"
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and c.relpersistence = 'p'
    and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
  order by n.nspname, c.relname`

const COLUMNS = `
  select attname as name, atttypid::int8::text as type, atttypmod as modifier, not attnotnull as "isOptional"
  from pg_attribute
  where attrelid = $1::oid and attnum > 0 and not attisdropped and attgenerated = ''
  order by attnum`

const KEY = `
  select array_to_json(array(
      select a.attname from unnest(i.indkey::int2[]) with ordinality k(attnum, position)
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
      where k.position <= i.indnkeyatts order by k.position)) as columns
  from pg_index i
  where i.indrelid = $1::oid and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
    and not exists (
      select 1 from unnest(i.indkey::int2[]) with ordinality k(attnum, position)
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
      where k.position <= i.indnkeyatts and not a.attnotnull)
  order by i.indisprimary desc, i.indexrelid
  limit 1`

const TYPE = `
  select t.typname as name, t.typtype as kind, t.typcategory as category, t.typelem::int8::text as element,
    t.typbasetype::int8::text as base, t.typtypmod as "baseModifier",
    array_to_json(array(select enumlabel from pg_enum e where e.enumtypid = t.oid order by enumsortorder)) as labels
  from pg_type t where t.oid = $1::oid`

interface TypeRow {
  readonly name: string
  readonly kind: string
  readonly category: string
  readonly element: string
  readonly base: string
  readonly baseModifier: number
  readonly labels: string[]
}

const KINDS: Readonly<Record<string, PostgresType['kind']>> = {
  b: 'base',
  d: 'domain',
  e: 'enum',
  m: 'range',
  r: 'range',
}

/** Reads the system catalog over a session. */
export class Catalog {
  readonly #client: Client
  readonly #types = new Map<number, PostgresType | null>()

  constructor(client: Client) {
    this.#client = client
  }

  /**
   * The user's permanent tables, by name. With `viaRoot` a partitioned table stands for its partitions, else the
   * partitions stand for themselves.
   */
  async tables(viaRoot: boolean): Promise<TableId[]> {
    const rows = await queryRows<{
      oid: string
      schema: string
      name: string
      isPartitioned: boolean
      isPartition: boolean
    }>(this.#client, 'listing the tables', TABLES)
    return rows
      .filter((row) => (viaRoot ? !row.isPartition : !row.isPartitioned))
      .map(({ oid, schema, name, isPartitioned }) => ({
        oid: Number(oid),
        schema,
        name,
        isPartitioned,
      }))
  }

  /** A table as it is now; without columns if it is gone. */
  async describe(tableOid: number): Promise<TableDescription> {
    const doing = `describing the table with OID ${tableOid}`
    const columns = await queryRows<{
      name: string
      type: string
      modifier: number
      isOptional: boolean
    }>(this.#client, doing, COLUMNS, [tableOid])
    const [key] = await queryRows<{ columns: string[] }>(this.#client, doing, KEY, [tableOid])
    return {
      columns: columns.map(({ name, type, modifier, isOptional }) => ({
        name,
        typeOid: Number(type),
        modifier,
        isOptional,
      })),
      keyColumns: key?.columns ?? null,
    }
  }

  /** A type with the types that it is made of, or null if it is gone. */
  async type(oid: number): Promise<PostgresType | null> {
    const known = this.#types.get(oid)
    if (known !== undefined) return known
    const [row] = await queryRows<TypeRow>(this.#client, `describing type ${oid}`, TYPE, [oid])
    const type = row === undefined ? null : await this.#assemble(oid, row)
    // An enum may get new labels, so it is asked for each time.
    if (type?.kind !== 'enum') this.#types.set(oid, type)
    return type
  }

  /** Closes the session. */
  close(): void {
    closeSession(this.#client)
  }

  async #assemble(oid: number, row: TypeRow): Promise<PostgresType> {
    const isArray = row.category === 'A' && row.element !== '0'
    return {
      oid,
      name: row.name,
      kind: isArray ? 'array' : (KINDS[row.kind] ?? 'other'),
      element: isArray ? await this.type(Number(row.element)) : null,
      base: row.kind === 'd' ? await this.type(Number(row.base)) : null,
      baseModifier: row.baseModifier,
      labels: row.labels,
    }
  }
}
