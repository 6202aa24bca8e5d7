/**
 * Whole events, schemas included, as they were when they had been compared field by field with those of Debezium 3.6.1.
 * What differs from run to run is masked. `npx jest -u` records them anew: then compare again.
 */
import { type Schema, schemaToJson, type SourceRecord, valueEncoder } from '@millrace/connect-api'
import { describeWithPostgres, useDatabase } from './harness'

jest.setTimeout(60_000)

const JSON_OPTIONS = { decimalFormat: 'BASE64', replaceNullWithDefault: true } as const

const COLUMNS: readonly (readonly [name: string, type: string, text: string])[] = [
  ['small', 'smallint', '-32768'],
  ['big', 'bigint', '9223372036854775807'],
  ['single', 'real', '1.1'],
  ['double', 'double precision', '-1e300'],
  ['exact', 'numeric(10,2)', '-1.10'],
  ['any_scale', 'numeric', '12345678901234567890.123456789'],
  ['cost', 'money', "'$1,234.56'"],
  ['flag', 'boolean not null', 'true'],
  ['fixed', 'char(5)', "'ab'"],
  ['label', 'varchar(20)', '\'vär "quoted"\''],
  ['raw', 'bytea', "'\\x00ff10'"],
  ['day', 'date', "'2024-02-29'"],
  ['at', 'time', "'13:14:15.123456'"],
  ['at_ms', 'time(3)', "'13:14:15.987'"],
  ['at_zone', 'timetz', "'13:14:15.5+02'"],
  ['moment', 'timestamp', "'2024-02-29 13:14:15.123456'"],
  ['moment_ms', 'timestamp(3)', "'2024-02-29 13:14:15.123'"],
  ['moment_zone', 'timestamptz', "'2024-02-29 13:14:15.123456+02'"],
  ['span', 'interval', "'1 year 2 mons 3 days 04:05:06.789'"],
  ['identity', 'uuid', "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"],
  ['document', 'jsonb', '\'{"b": [1, 2]}\''],
  ['markup', 'xml', "'<a>1</a>'"],
  ['address', 'inet', "'10.0.0.1/24'"],
  ['bit_flag', 'bit(1)', "B'1'"],
  ['bits', 'bit(5)', "B'10101'"],
  ['place', 'point', "'(1.5,-2)'"],
  ['numbers', 'int[]', "'{1,2,NULL}'"],
  ['moods', 'mood[]', "'{sad,happy}'"],
  ['mood', 'mood', "'happy'"],
  ['span_of', 'int4range', "'[1,5)'"],
]

describeWithPostgres('npm', () => {
  const { database, harness } = useDatabase('npm')

  it('gives events of the recorded structure', async () => {
    const sql = (text: string) => database().sql(text)
    await sql("create type mood as enum ('sad', 'ok', 'happy')")
    const columns = COLUMNS.map(([name, type]) => `${name} ${type}`).join(', ')
    await sql(`create table "All Types" (id int primary key, ${columns})`)
    await sql('create table keyless (a int, b text)')
    await sql('alter table keyless replica identity full')
    const values = COLUMNS.map(([, , text]) => text).join(', ')
    await sql(`insert into "All Types" values (1, ${values})`)
    await sql("insert into keyless values (1, 'a')")
    const run = harness()
    await run.start()
    await run.count(2)
    await sql(`insert into "All Types" values (2, ${values})`)
    await sql('insert into "All Types" (id, flag) values (3, false)')
    await sql('update "All Types" set flag = true where id = 3')
    await sql('update "All Types" set id = 4 where id = 3')
    await sql('delete from "All Types" where id = 2')
    await sql("update keyless set b = 'c'")
    await sql('delete from keyless')
    await run.count(12)
    await run.stop()
    expect(run.records.map(({ topic }) => topic)).toMatchSnapshot('topics')
    const [first, keyless] = run.records
    expect(parsed(first.keySchema)).toMatchSnapshot('key schema')
    expect(parsed(first.valueSchema)).toMatchSnapshot('value schema')
    expect(parsed(keyless.valueSchema)).toMatchSnapshot('value schema of a table without a key')
    expect(run.records.map(textOf)).toMatchSnapshot('events')
  })
})

function parsed(schema: Schema | null): unknown {
  return schema === null ? null : JSON.parse(schemaToJson(schema, 'BASE64'))
}

/** Key, value and headers as JSON, in the order of their fields. */
function textOf({ key, keySchema, value, valueSchema, headers }: SourceRecord): string {
  const encode = (schema: Schema | null, content: unknown) =>
    schema === null ? 'null' : valueEncoder(schema, JSON_OPTIONS)(content as never)
  const headerTexts = headers.map(
    (header) => ` ${header.key}=${encode(header.schema, header.value)}`,
  )
  return `${encode(keySchema, key)} ${masked(encode(valueSchema, value))}${headerTexts.join('')}`
}

function masked(text: string): string {
  return text
    .replaceAll(/("(?:version|sequence)"):"(?:[^"\\]|\\.)*"/g, '$1:"*"')
    .replaceAll(/("(?:ts_ms|ts_us|ts_ns|txId|lsn)"):\d+/g, '$1:0')
}
