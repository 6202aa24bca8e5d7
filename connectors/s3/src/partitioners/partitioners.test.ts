import {
  NO_HEADERS,
  type Properties,
  parseConfig,
  RecordError,
  SinkRecord,
} from '@millrace/connect-api'
import { options } from '../options'
import { createPartitioner } from './create-partitioner'
import { parsePathFormat } from './path-format'
import { parseTimeZone } from './time-zone'

const PACKAGE = 'io.confluent.connect.storage.partitioner'

function aPartitioner(name: string, properties: Properties = {}) {
  const { config, problems } = parseConfig(options, {
    's3.bucket.name': 'b',
    'flush.size': '1',
    'partitioner.class': `${PACKAGE}.${name}`,
    ...properties,
  })
  expect(problems).toEqual([])
  return createPartitioner(config)
}

function aRecord(value: unknown, timestamp: number | null = 0): SinkRecord {
  return new SinkRecord({
    topic: 't',
    partition: 3,
    offset: 0,
    timestamp,
    timestampType: 'CreateTime',
    keySchema: null,
    key: null,
    valueSchema: null,
    value,
    headers: NO_HEADERS,
  })
}

describe('FieldPartitioner', () => {
  it('makes a folder of each field, in structs and Maps', () => {
    const byFields = aPartitioner('FieldPartitioner', { 'partition.field.name': 'a, b.c' })
    expect(byFields(aRecord({ a: 1, b: { c: 'x' } }), 0)).toBe('a=1/b.c=x')
    expect(byFields(aRecord({ a: 2n, b: new Map([['c', true]]) }), 0)).toBe('a=2/b.c=true')
  })

  it('leaves the names out if told so', () => {
    const bare = aPartitioner('FieldPartitioner', {
      'partition.field.name': 'a,b',
      'partition.field.format.path': 'false',
    })
    expect(bare(aRecord({ a: 1, b: 'x' }), 0)).toBe('1/x')
  })

  it.each([[{}], [{ a: null }], [null], ['a'], [{ a: {} }]])(
    'refuses %j, which has no such field',
    (value) => {
      const byField = aPartitioner('FieldPartitioner', { 'partition.field.name': 'a' })
      expect(() => byField(aRecord(value), 0)).toThrow(RecordError)
    },
  )

  it('takes no property that every object has for a field', () => {
    const byField = aPartitioner('FieldPartitioner', { 'partition.field.name': 'constructor.name' })
    expect(() => byField(aRecord({}), 0)).toThrow(RecordError)
  })
})

describe('time-based partitioners', () => {
  const at = Date.parse('2026-08-07T23:30:00Z')

  it('make folders of days and hours', () => {
    expect(aPartitioner('DailyPartitioner')(aRecord(null), at)).toBe('year=2026/month=08/day=07')
    const hourly = aPartitioner('HourlyPartitioner', { timezone: 'Europe/Berlin' })
    expect(hourly(aRecord(null), at)).toBe('year=2026/month=08/day=08/hour=01')
  })

  it('round down to the duration by the clock of the zone', () => {
    const byQuarter = aPartitioner('TimeBasedPartitioner', {
      'path.format': "'at'=HH-mm",
      'partition.duration.ms': '900000',
      timezone: 'Asia/Kathmandu', // +05:45
    })
    expect(byQuarter(aRecord(null), at + 899_999)).toBe('at=05-15')
    expect(byQuarter(aRecord(null), at + 900_000)).toBe('at=05-30')
  })

  it('take the time of the wall clock, the record, or a field', () => {
    const hour = (extractor: string, field = 'timestamp') =>
      aPartitioner('TimeBasedPartitioner', {
        'path.format': 'HH',
        'partition.duration.ms': '3600000',
        'timestamp.extractor': extractor,
        'timestamp.field': field,
      })
    const hourMs = 3_600_000
    expect(hour('Wallclock')(aRecord(null, hourMs), 5 * hourMs)).toBe('05')
    expect(hour('Record')(aRecord(null, hourMs), 5 * hourMs)).toBe('01')
    for (const value of [2 * hourMs, '1970-01-01T02:00:00Z', new Date(2 * hourMs)]) {
      expect(hour('RecordField')(aRecord({ timestamp: value }), 0)).toBe('02')
      expect(hour('RecordField', 'a.b')(aRecord({ a: { b: value } }), 0)).toBe('02')
    }
    expect(() => hour('Record')(aRecord(null, null), 0)).toThrow(RecordError)
    for (const value of [null, {}, { timestamp: 'soon' }, { timestamp: 1.5 }])
      expect(() => hour('RecordField')(aRecord(value), 0)).toThrow(RecordError)
  })
})

describe('parsePathFormat', () => {
  const at = Date.UTC(2026, 0, 2, 3, 4, 5)
  it.each([
    ["'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH", 'year=2026/month=01/day=02/hour=03'],
    ['yyyy-M-d_H:m:s', '2026-1-2_3:4:5'],
    ['yy', '26'],
    ["'it''s' HH 'o''clock'", "it's 03 o'clock"],
    ["''yyyy''", "'2026'"],
    ['', ''],
  ])('reads %j', (pattern, text) => {
    expect(parsePathFormat(pattern)?.(at)).toBe(text)
  })
  it.each(['MMM', 'EEEE', 'hh', "'open", 'yyyy q'])('refuses %j', (pattern) => {
    expect(parsePathFormat(pattern)).toBeNull()
  })
})

describe('parseTimeZone', () => {
  it.each(['Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Africa/Monrovia'])(
    'is what the clocks of %s showed, also when they were set',
    (zone) => {
      const toLocal = parseTimeZone(zone)!
      const format = new Intl.DateTimeFormat('sv-SE', {
        timeZone: zone,
        dateStyle: 'short',
        timeStyle: 'medium',
      })
      for (let at = Date.UTC(2026, 0, 1); at < Date.UTC(2027, 0, 1); at += 9_999_000)
        expect(new Date(toLocal(at)).toISOString().slice(0, 19)).toBe(
          format.format(at).replace(' ', 'T'),
        )
    },
  )
  it('knows no zone on Mars', () => {
    expect(parseTimeZone('Mars/Base')).toBeNull()
  })
})
