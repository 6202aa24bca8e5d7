import { Decimal, LOGICAL } from '@millrace/connect-api'
import { describeWithPostgres, envelopeOf, SERVERS, useDatabase } from './harness'

jest.setTimeout(60_000)

for (const from of SERVERS) {
  describeWithPostgres(from, () => {
    const { database, harness, slotName } = useDatabase(from)
    it('maps every type alike in the snapshot and in the stream', async () => {
      await database().sql(
        "create type mood as enum ('sad', 'ok'); create domain price as numeric(8,2)",
      )
      await database().sql(
        `create table kinds (id int primary key, ${TYPE_CASES.map(([type], n) => `c${n} ${type}`).join(', ')})`,
      )
      const insert = (id: number) =>
        database().sql(
          `insert into kinds values (${id}, ${TYPE_CASES.map(([, text]) => text).join(', ')})`,
        )
      await insert(1)
      const run = harness()
      await run.start()
      await insert(2)
      await run.count(2)
      await run.stop()
      const [snapshot, stream] = run.records.map((record) => envelopeOf(record).after!)
      TYPE_CASES.forEach(([type, text, expected, schemaName = null], n) => {
        const field = run.records[0].valueSchema!.fields[1].schema.fields[n + 1]
        expect([type, text, snapshot[`c${n}`]]).toEqual([type, text, expected])
        expect([type, text, stream[`c${n}`]]).toEqual([type, text, expected])
        expect([type, field.schema.name]).toEqual([type, schemaName])
      })
      expect(run.records[1].valueSchema).toBe(run.records[0].valueSchema)
    })

    it('represents values as the handling modes say', async () => {
      await database().sql(
        'create table kinds (id int primary key, price numeric(8,2), any_scale numeric, raw bytea, span interval, day date, at time(3), moment timestamp, cost money, place tsquery)',
      )
      await database().sql(
        `insert into kinds values (1, 1.5, 'NaN', '\\xfbff', '1 year 2 mons -3 days 04:05:06.5', '2024-02-29', '12:30:00.5', '2024-02-29 12:30:00.123456', 12.345, 'a & b')`,
      )
      const text = harness({
        'decimal.handling.mode': 'string',
        'binary.handling.mode': 'base64-url-safe',
        'interval.handling.mode': 'string',
        'time.precision.mode': 'connect',
        'include.unknown.datatypes': 'true',
      })
      await text.start()
      await text.count(1)
      await text.stop()
      expect(envelopeOf(text.records[0]).after).toEqual({
        id: 1,
        price: '1.50',
        any_scale: 'NAN',
        raw: '-_8',
        span: 'P1Y2M-3DT4H5M6.5S',
        day: new Date('2024-02-29'),
        at: new Date(45_000_500),
        moment: new Date('2024-02-29T12:30:00.123Z'),
        cost: '12.35',
        place: Buffer.from("'a' & 'b'").toString('base64url'),
      })
      const double = harness({
        'decimal.handling.mode': 'double',
        'slot.name': `${slotName()}b`,
        'time.precision.mode': 'adaptive_time_microseconds',
        'binary.handling.mode': 'hex',
      })
      await double.start()
      await double.count(1)
      await double.stop()
      expect(envelopeOf(double.records[0]).after).toEqual({
        id: 1,
        price: 1.5,
        any_scale: NaN,
        raw: 'fbff',
        // 14 months of 30.4375 days, less 3 days, and 04:05:06.5.
        span: 36_572_706_500_000,
        day: 19_782,
        at: 45_000_500_000,
        moment: 1_709_209_800_123_456,
        cost: 12.35,
      })
    })
  })
}

/** Column type, SQL of a value, what it becomes, and the schema's name. */
const TYPE_CASES: readonly (readonly [string, string, unknown, string?])[] = [
  ['boolean', 'true', true],
  ['smallint', '-32768', -32768],
  ['integer', '-2147483648', -2147483648],
  ['bigint', '9007199254740991', 9007199254740991],
  ['bigint', '-9223372036854775808', -9223372036854775808n],
  ['real', '0.1', 0.1],
  ['double precision', "'NaN'", NaN],
  ['double precision', "'-Infinity'", -Infinity],
  ['double precision', '1e-7', 1e-7],
  ['numeric(10,2)', '-0.05', new Decimal(-5n, 2), LOGICAL.decimal],
  [
    'numeric(38,10)',
    '12345678901234567890.0000000001',
    new Decimal(123456789012345678900000000001n, 10),
    LOGICAL.decimal,
  ],
  [
    'numeric',
    '1.500',
    { scale: 3, value: new Decimal(1500n, 3).toBytes() },
    'io.debezium.data.VariableScaleDecimal',
  ],
  ['price', '3', new Decimal(300n, 2), LOGICAL.decimal],
  ['money', '-1234.5', new Decimal(-123450n, 2), LOGICAL.decimal],
  ['text', "E'tab\\t back\\\\ \u{1F600}'", 'tab\t back\\ \u{1F600}'],
  ['varchar(5)', "''", ''],
  ['char(3)', "'a'", 'a  '],
  ['bytea', "'\\x00ff'", Buffer.from([0, 255])],
  ['date', "'2024-02-29'", 19782, 'io.debezium.time.Date'],
  ['date', "'0001-01-01 BC'", -719528, 'io.debezium.time.Date'],
  ['date', "'infinity'", 2147483647, 'io.debezium.time.Date'],
  ['time(3)', "'23:59:59.999'", 86399999, 'io.debezium.time.Time'],
  ['time', "'24:00:00'", 86400000000, 'io.debezium.time.MicroTime'],
  ['timetz', "'01:30:00.25+03:30'", '22:00:00.25Z', 'io.debezium.time.ZonedTime'],
  ['timestamp(3)', "'1969-12-31 23:59:59.999'", -1, 'io.debezium.time.Timestamp'],
  [
    'timestamp',
    "'2024-02-29 12:30:00.123456'",
    1709209800123456,
    'io.debezium.time.MicroTimestamp',
  ],
  [
    'timestamp',
    "'294276-12-31 23:59:59.999999'",
    9224318015999999999n,
    'io.debezium.time.MicroTimestamp',
  ],
  ['timestamp', "'infinity'", 9223372036825200000n, 'io.debezium.time.MicroTimestamp'],
  ['timestamp', "'-infinity'", -9223372036832400000n, 'io.debezium.time.MicroTimestamp'],
  [
    'timestamptz',
    "'2024-02-29 12:30:00.5+01'",
    '2024-02-29T11:30:00.500000Z',
    'io.debezium.time.ZonedTimestamp',
  ],
  [
    'timestamptz(0)',
    "'2024-02-29 12:30:00+01'",
    '2024-02-29T11:30:00Z',
    'io.debezium.time.ZonedTimestamp',
  ],
  [
    'timestamptz',
    "'0044-03-15 00:00:00+00 BC'",
    '-0043-03-15T00:00:00.000000Z',
    'io.debezium.time.ZonedTimestamp',
  ],
  ['timestamptz', "'infinity'", 'infinity', 'io.debezium.time.ZonedTimestamp'],
  ['interval', "'1 day -00:00:00.5'", 86399500000, 'io.debezium.time.MicroDuration'],
  [
    'uuid',
    "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    'io.debezium.data.Uuid',
  ],
  ['json', '\'{"a":  1}\'', '{"a":  1}', 'io.debezium.data.Json'],
  ['jsonb', '\'{"a":  1}\'', '{"a": 1}', 'io.debezium.data.Json'],
  ['mood', "'ok'", 'ok', 'io.debezium.data.Enum'],
  ['inet', "'10.0.0.1/8'", '10.0.0.1/8'],
  ['macaddr', "'08:00:2b:01:02:03'", '08:00:2b:01:02:03'],
  ['int4range', "'[1,5)'", '[1,5)'],
  ['tsvector', "'a b'", "'a' 'b'", 'io.debezium.data.Tsvector'],
  ['bit(1)', "B'1'", true],
  ['bit(10)', "B'1000000101'", Buffer.from([0x05, 0x02]), 'io.debezium.data.Bits'],
  ['bit varying', "B'11'", Buffer.from([3]), 'io.debezium.data.Bits'],
  ['oid', '4294967295', 4294967295],
  ['int[]', "'{1,NULL,-3}'", [1, null, -3]],
  ['text[]', `array['a"b', 'c,d', 'NULL', null, '', '\\']`, ['a"b', 'c,d', 'NULL', null, '', '\\']],
  ['numeric(4,1)[]', "'{1.5}'", [new Decimal(15n, 1)]],
  ['timestamptz[]', "'{2024-01-01 00:00:00+00}'", ['2024-01-01T00:00:00.000000Z']],
  ['mood[]', "'{sad,ok}'", ['sad', 'ok']],
  [
    'point',
    "'(1.5,-2)'",
    expect.objectContaining({ x: 1.5, y: -2, srid: null }),
    'io.debezium.data.geometry.Point',
  ],
  ['text', 'null', null],
]
