import fc from 'fast-check'
import {
  arrayOf,
  Decimal,
  dateSchema,
  decimalSchema,
  decodeValue,
  encodeSchemaless,
  FLOAT64,
  INT32,
  INT64,
  INT8,
  mapOf,
  OPTIONAL_STRING,
  parseJson,
  primitive,
  STRING,
  schemaFromJson,
  schemaToJson,
  structOf,
  timestampSchema,
  valueEncoder,
} from '../index'

const OPTIONS = { decimalFormat: 'BASE64', replaceNullWithDefault: true } as const

describe('valueEncoder', () => {
  it('writes the fields of a struct in schema order', () => {
    const schema = structOf({ id: INT32, name: OPTIONAL_STRING, note: OPTIONAL_STRING })
    const text = valueEncoder(schema, OPTIONS)({ note: 'a "quoted" \u2028 note', id: 7 })
    expect(text).toBe('{"id":7,"name":null,"note":"a \\"quoted\\" \u2028 note"}')
  })

  it('gives the same text as JSON.stringify for any string', () => {
    const encode = valueEncoder(STRING, OPTIONS)
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(encode(text)).toBe(JSON.stringify(text))
      }),
    )
  })

  it('keeps every digit of an int64 beyond the safe range', () => {
    const encode = valueEncoder(INT64, OPTIONS)
    expect(encode(9223372036854775807n)).toBe('9223372036854775807')
    expect(parseJson('{"n":9223372036854775807,"m":12}')).toEqual({
      n: 9223372036854775807n,
      m: 12,
    })
  })

  it('writes a default in place of null unless told otherwise', () => {
    const schema = structOf({ a: primitive('int32', { default: 5 }) })
    expect(valueEncoder(schema, OPTIONS)({ a: null })).toBe('{"a":5}')
    const strict = { ...OPTIONS, replaceNullWithDefault: false }
    expect(() => valueEncoder(schema, strict)({ a: null })).toThrow(/neither optional nor/)
  })

  it('names the field but not the value when a value does not fit', () => {
    const schema = structOf({ inner: structOf({ id: INT8 }) }, { name: 'shop.Order' })
    const encode = valueEncoder(schema, OPTIONS)
    expect(() => encode({ inner: { id: 'secret' } })).toThrow(
      /shop\.Order\.inner\.id must be a num/,
    )
    expect(() => encode({ inner: { id: 'secret' } })).not.toThrow(/secret/)
  })

  it('survives field names that are JavaScript', () => {
    const schema = structOf([
      ['"]); throw 1; ("', INT32],
      ['__proto__', INT32],
    ])
    const value = Object.create(null)
    value['"]); throw 1; ("'] = 1
    value.__proto__ = 2
    expect(valueEncoder(schema, OPTIONS)(value)).toBe('{"\\"]); throw 1; (\\"":1,"__proto__":2}')
  })

  it('writes logical types as Connect does', () => {
    const schema = structOf({ d: dateSchema(), t: timestampSchema(), n: decimalSchema(2) })
    const value = {
      d: new Date('2026-02-03T00:00:00Z'),
      t: new Date('2026-02-03T04:05:06.789Z'),
      n: Decimal.parse('-12.34'),
    }
    expect(valueEncoder(schema, OPTIONS)(value)).toBe('{"d":20487,"t":1770091506789,"n":"+y4="}')
    const numeric = { ...OPTIONS, decimalFormat: 'NUMERIC' } as const
    expect(valueEncoder(schema, numeric)(value)).toContain('"n":-12.34}')
  })
})

describe('parseJson', () => {
  const unsafe = fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n })
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.string({
        unit: fc.constantFrom('"', '\\', ':', ',', '1234567890123456', '\uE000', '{', 'a'),
      }),
      fc.integer(),
      unsafe,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', '"', 'x\\', '":9007199254740993', 'n'), tie('value'), {
        maxKeys: 4,
      }),
    ),
  }))
  const normal = (member: unknown): unknown => {
    if (typeof member === 'bigint') {
      return Number.isSafeInteger(Number(member)) ? Number(member) : member
    }
    if (Array.isArray(member)) return member.map(normal)
    if (typeof member !== 'object' || member === null) return member
    return Object.fromEntries(Object.entries(member).map(([name, inner]) => [name, normal(inner)]))
  }

  it('gives back every digit of any whole number, wherever it stands and whatever the strings hold', () => {
    fc.assert(
      fc.property(value, fc.boolean(), (original, isSpaced) => {
        const text = encodeSchemaless(original)
        expect(parseJson(text)).toEqual(normal(original))
        const safe = (_: string, member: unknown) => (typeof member === 'bigint' ? null : member)
        const spaced = JSON.stringify(normal(original), safe, isSpaced ? 1 : 0)
        expect(parseJson(spaced)).toEqual(JSON.parse(spaced))
      }),
      { numRuns: 1000 },
    )
  })
})

describe('decodeValue', () => {
  it('reads back what was written, for nested schemas', () => {
    const schema = structOf({
      list: arrayOf(structOf({ x: FLOAT64 })),
      byName: mapOf(STRING, INT64),
      byNumber: mapOf(INT32, STRING),
      price: decimalSchema(3),
      at: timestampSchema({ optional: true }),
    })
    const value = {
      list: [{ x: 1.5 }, { x: Number.NaN }],
      byName: new Map<string, number | bigint>([
        ['a', 1],
        ['b', 2n ** 62n],
      ]),
      byNumber: new Map([[1, 'one']]),
      price: Decimal.parse('0.125'),
      at: new Date(1234567890123),
    }
    const text = valueEncoder(schema, OPTIONS)(value)
    expect(decodeValue(schema, parseJson(text, true))).toEqual(value)
  })

  it('reads a decimal of many digits written as a number', () => {
    const schema = decimalSchema(10)
    const text = '12345678901234567890.0123456789'
    expect(String(decodeValue(schema, parseJson(text, true)))).toBe(text)
  })

  it('refuses what does not fit, naming the field', () => {
    const schema = structOf({ id: INT32 }, { name: 'Key' })
    expect(() => decodeValue(schema, { id: 'x' })).toThrow('Key.id should be int32')
    expect(() => decodeValue(schema, {})).toThrow('Key.id is null')
  })
})

describe('schemaToJson', () => {
  it('writes what JsonConverter of Connect writes', () => {
    const schema = structOf(
      { id: INT32, price: decimalSchema(2, { optional: true }) },
      { name: 'p.Value' },
    )
    expect(schemaToJson(schema)).toBe(
      '{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},' +
        '{"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,' +
        '"parameters":{"scale":"2"},"field":"price"}],"optional":false,"name":"p.Value"}',
    )
  })

  it('is read back as an equal schema, defaults included', () => {
    const schema = structOf({
      a: primitive('int64', { default: 5, doc: 'five' }),
      m: mapOf(STRING, arrayOf(FLOAT64, { optional: true })),
      d: decimalSchema(1, { default: Decimal.parse('2.5') }),
    })
    expect(schemaFromJson(JSON.parse(schemaToJson(schema)))).toEqual(schema)
  })
})

describe('Decimal', () => {
  it('round-trips through text and bytes', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
        fc.nat(30),
        (unscaled, scale) => {
          const value = new Decimal(unscaled, scale)
          expect(Decimal.parse(value.toString())).toEqual(value)
          expect(Decimal.fromBytes(value.toBytes(), scale)).toEqual(value)
        },
      ),
    )
  })

  it('uses the fewest bytes, as BigInteger does', () => {
    const lengths = [0n, 127n, 128n, -128n, -129n, 255n, 256n].map(
      (n) => new Decimal(n, 0).toBytes().length,
    )
    expect(lengths).toEqual([1, 1, 2, 1, 2, 2, 2])
  })
})

describe('encodeSchemaless', () => {
  it('gives the same text as JSON.stringify for what JSON has', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(encodeSchemaless(value)).toBe(JSON.stringify(value))
      }),
    )
  })

  it('leaves out members without a value, beside whatever else there is', () => {
    expect(encodeSchemaless({ a: undefined, b: 1 })).toBe('{"b":1}')
    expect(encodeSchemaless({ a: undefined, b: 2n ** 60n, c: {} })).toBe(
      '{"b":1152921504606846976,"c":{}}',
    )
    expect(encodeSchemaless({ a: undefined })).toBe('{}')
    expect(encodeSchemaless(Object.assign(Object.create(null), { a: 1n }))).toBe('{"a":1}')
  })

  it('writes Maps, Buffers, bigints and Dates', () => {
    const value = {
      m: new Map([['k', 1n]]),
      b: Buffer.from('hi'),
      d: new Date(5),
      n: null,
      u: undefined,
    }
    expect(encodeSchemaless(value)).toBe('{"m":{"k":1},"b":"aGk=","d":5,"n":null}')
  })
})
