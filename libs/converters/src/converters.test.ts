import {
  type Converter,
  type AnyConverterPlugin,
  Decimal,
  decimalSchema,
  INT32,
  OPTIONAL_STRING,
  parseConfig,
  type Properties,
  STRING,
  structOf,
} from '@millrace/connect-api'
import { byteArrayConverter, jsonConverter, simpleHeaderConverter, stringConverter } from './index'

function create(plugin: AnyConverterPlugin, properties: Properties = {}): Converter {
  const { config, problems } = parseConfig(plugin.options, properties)
  expect(problems).toEqual([])
  return plugin.create(config, false)
}

describe('JsonConverter', () => {
  const schema = structOf({ id: INT32, price: decimalSchema(2) }, { name: 'Item' })
  const value = { id: 1, price: Decimal.parse('9.90') }

  it('writes an envelope of schema and payload by default, and reads it back', () => {
    const json = create(jsonConverter)
    const bytes = json.fromConnect('t', schema, value)
    expect(JSON.parse(String(bytes))).toMatchObject({
      schema: { type: 'struct', name: 'Item' },
      payload: { id: 1 },
    })
    expect(json.toConnect('t', bytes)).toEqual({ schema, value })
  })

  it('gives equal schemas as one object, so that caches by schema work', () => {
    const json = create(jsonConverter)
    const bytes = json.fromConnect('t', schema, value)
    expect(json.toConnect('t', bytes).schema).toBe(
      json.toConnect('t', Buffer.from(bytes as Buffer)).schema,
    )
  })

  it('writes the payload alone with schemas.enable=false', () => {
    const json = create(jsonConverter, { 'schemas.enable': 'false', 'decimal.format': 'numeric' })
    const bytes = json.fromConnect('t', schema, value)
    expect(String(bytes)).toBe('{"id":1,"price":9.90}')
    expect(json.toConnect('t', bytes)).toEqual({ schema: null, value: { id: 1, price: 9.9 } })
  })

  it('keeps a tombstone null, and writes the null of an optional schema as JSON', () => {
    const json = create(jsonConverter)
    expect(json.fromConnect('t', null, null)).toBeNull()
    expect(String(json.fromConnect('t', OPTIONAL_STRING, null))).toBe(
      '{"schema":{"type":"string","optional":true},"payload":null}',
    )
    expect(json.toConnect('t', null)).toEqual({ schema: null, value: null })
  })

  it('says what to do when the envelope is missing', () => {
    const json = create(jsonConverter)
    expect(() => json.toConnect('t', Buffer.from('{"id":1}'))).toThrow(/set schemas.enable=false/)
    expect(() => json.toConnect('t', Buffer.from('{"id":'))).toThrow(/not valid JSON/)
  })

  it('takes the schema from schema.content for plain messages', () => {
    const content =
      '{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"}],"optional":false}'
    const json = create(jsonConverter, { 'schema.content': content })
    expect(json.toConnect('t', Buffer.from('{"id":5}'))).toMatchObject({
      value: { id: 5 },
      schema: { type: 'struct' },
    })
  })
})

describe('StringConverter', () => {
  it('writes text as it is and other values in their text form', () => {
    const text = create(stringConverter)
    expect(String(text.fromConnect('t', STRING, 'grüße'))).toBe('grüße')
    expect(String(text.fromConnect('t', null, { a: 1n }))).toBe('{"a":1}')
    expect(text.fromConnect('t', null, null)).toBeNull()
  })

  it('honours the encoding, and refuses an unknown one', () => {
    const latin = create(stringConverter, { 'converter.encoding': 'ISO-8859-1' })
    expect(latin.fromConnect('t', STRING, 'ü')).toEqual(Buffer.from([0xfc]))
    expect(
      parseConfig(stringConverter.options, { 'converter.encoding': 'KOI8' }).problems,
    ).toHaveLength(1)
  })
})

describe('ByteArrayConverter', () => {
  it('passes bytes through and refuses anything else', () => {
    const bytes = create(byteArrayConverter)
    expect(bytes.fromConnect('t', null, Buffer.from([1, 2]))).toEqual(Buffer.from([1, 2]))
    expect(() => bytes.fromConnect('t', STRING, 'x')).toThrow(/must be bytes/)
    expect(() => bytes.fromConnect('t', null, 'x')).toThrow(/must be a Buffer/)
  })
})

describe('SimpleHeaderConverter', () => {
  const header = simpleHeaderConverter.create({})
  const read = (text: string) => header.toConnect('t', 'h', Buffer.from(text))

  it.each([
    ['true', 'boolean', true],
    ['7', 'int8', 7],
    ['-129', 'int16', -129],
    ['70000', 'int32', 70000],
    ['123456789012345678', 'int64', 123456789012345678n],
    ['1.5', 'float64', 1.5],
    ['hello 1', 'string', 'hello 1'],
    ['{not json', 'string', '{not json'],
  ])('reads %s as %s', (text, type, value) => {
    const { schema, value: actual } = read(text)
    expect([schema?.type, actual]).toEqual([type, value])
  })

  it('reads an object without a schema, and null as null', () => {
    expect(read('{"a":[1]}')).toEqual({ schema: null, value: { a: [1] } })
    expect(read('null')).toEqual({ schema: null, value: null })
  })

  it('writes a string without quotes and other values as JSON', () => {
    const write = (value: unknown) =>
      String(header.fromConnect('t', { key: 'h', schema: null, value }))
    expect([write('a "b"'), write(5), write([1, 'x'])]).toEqual(['a "b"', '5', '[1,"x"]'])
  })
})
