import { readdirSync } from 'node:fs'
import {
  INT32,
  INT64,
  NO_HEADERS,
  parseConfig,
  primitive,
  type Properties,
  SinkRecord,
  SourceRecord,
  STRING,
  structOf,
  type AnyTransformPlugin,
  type Transform,
} from '@millrace/connect-api'
import { ExtractField, InsertField, javaReplacement, RegexRouter, transforms } from './index'

function create(
  plugin: AnyTransformPlugin,
  properties: Properties,
  alias = plugin.classNames[0],
): Transform {
  const { config, problems } = parseConfig(plugin.options, properties)
  expect(problems).toEqual([])
  return plugin.create(config, alias)
}

const base = { partition: 3, keySchema: null, key: null, timestamp: 1000, headers: NO_HEADERS }

function aSink(value: unknown, valueSchema: SinkRecord['valueSchema'] = null): SinkRecord {
  return new SinkRecord({
    ...base,
    topic: 'orders',
    offset: 42,
    timestampType: 'CreateTime',
    value,
    valueSchema,
  })
}
function aSource(topic: string, value: unknown = null): SourceRecord {
  return new SourceRecord({
    ...base,
    topic,
    value,
    valueSchema: null,
    sourcePartition: {},
    sourceOffset: { n: 1 },
  })
}

describe('the list of transforms', () => {
  it('holds every transform file', () => {
    const helpers = ['index.ts', 'key-or-value.ts', 'field-access.ts', 'java-regex.ts']
    const files = readdirSync(__dirname).filter(
      (name) => !name.endsWith('.test.ts') && !helpers.includes(name),
    )
    expect(files.sort()).toEqual(transforms.map((plugin) => `${plugin.name}.ts`).sort())
  })
})

describe('RegexRouter', () => {
  it('renames a topic whose whole name matches', () => {
    const route = create(RegexRouter, { regex: 'shop\\.public\\.(.*)', replacement: 'cdc-$1' })
    expect(route(aSource('shop.public.orders'))?.topic).toBe('cdc-orders')
  })

  it('leaves a topic alone that matches only in part, and keeps the source offset', () => {
    const route = create(RegexRouter, { regex: 'public', replacement: 'x' })
    const record = aSource('shop.public.orders')
    expect(route(record)).toBe(record)
  })

  it('keeps the original position of a sink record', () => {
    const route = create(RegexRouter, { regex: '.*', replacement: 'all' })
    expect(route(aSink(1))).toMatchObject({ topic: 'all', originalTopic: 'orders', offset: 42 })
  })

  it('reads named groups, escapes and dollars as Java does', () => {
    expect('a-b'.replace(/^(?<x>a)-b$/, javaReplacement('${x}_\\$1$0'))).toBe('a_$1a-b')
  })

  it('reports a regular expression that does not compile', () => {
    const { problems } = parseConfig(RegexRouter.options, { regex: '(', replacement: 'x' })
    expect(problems[0]).toMatchObject({ key: 'regex', given: '(' })
  })
})

describe('InsertField', () => {
  it('adds metadata to a struct and to its schema, one schema for all records', () => {
    const insert = create(InsertField, {
      'topic.field': 'topic!',
      'offset.field': 'offset',
      'timestamp.field': 'at',
      'static.field': 'origin',
      'static.value': 'shop',
    })
    const schema = structOf({ id: INT32 }, { name: 'Order' })
    const first = insert(aSink({ id: 1 }, schema))
    const second = insert(aSink({ id: 2 }, schema))
    expect(first?.value).toEqual({
      id: 1,
      topic: 'orders',
      offset: 42,
      at: new Date(1000),
      origin: 'shop',
    })
    expect(first?.valueSchema).toBe(second?.valueSchema)
    expect(first?.valueSchema?.fields.map((f) => [f.name, f.schema.optional])).toEqual([
      ['id', false],
      ['topic', false],
      ['offset', true],
      ['at', true],
      ['origin', true],
    ])
  })

  it('does not change the record that it was given', () => {
    const insert = create(InsertField, { 'topic.field': 'topic' })
    const value = Object.freeze({ id: 1 })
    expect(insert(aSink(value))?.value).toEqual({ id: 1, topic: 'orders' })
  })

  it('works on the key when its class name says so', () => {
    const insert = create(
      InsertField,
      { 'partition.field': 'p' },
      'org.apache.kafka.connect.transforms.InsertField$Key',
    )
    const record = aSink('v').with({ key: { id: 1 } })
    expect(insert(record)).toMatchObject({ key: { id: 1, p: 3 }, value: 'v' })
  })

  it('leaves a tombstone alone', () => {
    const insert = create(InsertField, { 'topic.field': 'topic' })
    expect(insert(aSink(null))?.value).toBeNull()
  })

  it('refuses an offset in a source and a value that is no object', () => {
    expect(() => create(InsertField, { 'offset.field': 'o' })(aSource('t', {}))).toThrow(
      /sinks only/,
    )
    expect(() => create(InsertField, { 'topic.field': 't' })(aSink('text'))).toThrow(
      /needs a struct/,
    )
  })

  it('wants at least one field, and a value for a static one', () => {
    const none = parseConfig(InsertField.options, {}).config
    expect(InsertField.validate?.(none, {})).toHaveLength(1)
    const half = parseConfig(InsertField.options, { 'static.field': 'x' }).config
    expect(InsertField.validate?.(half, {})).toMatchObject([{ key: 'static.value' }])
  })
})

describe('ExtractField', () => {
  const address = structOf({ city: STRING, zip: primitive('string', { default: '0000' }) })
  const schema = structOf({ id: INT64, address })

  it('replaces the value by a field and its schema', () => {
    const extract = create(ExtractField, { field: 'id' })
    expect(extract(aSink({ id: 7, address: null }, schema))).toMatchObject({
      value: 7,
      valueSchema: INT64,
    })
  })

  it('walks into nested structs in syntax V2, and gives a default for null', () => {
    const extract = create(ExtractField, { field: 'address.zip', 'field.syntax.version': 'v2' })
    const record = aSink({ id: 7, address: { city: 'Ulm', zip: null } }, schema)
    expect(extract(record)?.value).toBe('0000')
  })

  it('takes a dotted name as one field in syntax V1, and a backquoted one in V2', () => {
    expect(create(ExtractField, { field: 'a.b' })(aSink({ 'a.b': 1 }))?.value).toBe(1)
    const v2 = create(ExtractField, { field: '`a.b`.c', 'field.syntax.version': 'V2' })
    expect(v2(aSink({ 'a.b': { c: 2 } }))?.value).toBe(2)
  })

  it('names a field that the schema does not have', () => {
    expect(() => create(ExtractField, { field: 'nope' })(aSink({ id: 1 }, schema))).toThrow(
      /'nope'/,
    )
  })

  it('leaves null as null', () => {
    expect(create(ExtractField, { field: 'id' })(aSink(null, schema))?.value).toBeNull()
  })
})
