import fc from 'fast-check'
import { Decimal } from '@millrace/connect-api'
import {
  decimalDecoder,
  decodeDays,
  decodeLong,
  type DecodeText,
  decodeTimestampMicros,
  decodeTimestampMillis,
  decodeZonedTime,
  zonedTimestampDecoder,
} from './text'

/** Decodes a cell that lies between others. */
function decode(decoder: DecodeText, text: string): unknown {
  const buffer = Buffer.from(`<${text}>`)
  return decoder(buffer, 1, buffer.length - 1)
}

describe('whole numbers', () => {
  it('are numbers while they are safe and bigints beyond', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const decoded = decode(decodeLong, String(value)) as number | bigint
        expect(BigInt(decoded)).toBe(value)
        expect(typeof decoded === 'number').toBe(Number.isSafeInteger(Number(value)))
      }),
    )
  })
})

describe('decimals', () => {
  it('keep every digit, short or long', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
        fc.nat(12),
        (unscaled, scale) => {
          const decimal = new Decimal(unscaled, scale)
          expect(decode(decimalDecoder(scale), decimal.toString())).toEqual(decimal)
        },
      ),
    )
  })

  it('have no value for NaN and the infinities', () => {
    for (const text of ['NaN', 'Infinity', '-Infinity']) {
      expect(decode(decimalDecoder(2), text)).toBeNull()
    }
  })

  it('may have a scale below zero', () => {
    expect(decode(decimalDecoder(-2), '1200')).toEqual(new Decimal(12n, -2))
  })
})

describe('dates and times', () => {
  it('count days as the calendar does', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
        (date) => {
          const day = Math.floor(date.getTime() / 86_400_000)
          expect(decode(decodeDays, date.toISOString().slice(0, 10))).toBe(day)
        },
      ),
    )
  })

  it('keep microseconds, before and after the epoch', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1700-01-01'), max: new Date('2200-01-01'), noInvalidDate: true }),
        fc.nat(999),
        (date, micros) => {
          const text = date
            .toISOString()
            .replace('T', ' ')
            .replace('Z', String(micros).padStart(3, '0'))
          expect(decode(decodeTimestampMicros, text)).toBe(date.getTime() * 1000 + micros)
          expect(decode(decodeTimestampMillis, text)).toBe(date.getTime())
        },
      ),
    )
  })

  it('are exact beyond 2^53 microseconds', () => {
    expect(decode(decodeTimestampMicros, '4000-01-01 00:00:00.000001')).toBe(64060588800000001n)
    expect(decode(decodeTimestampMillis, '4000-01-01 00:00:00.000001')).toBe(64060588800000)
    expect(decode(decodeTimestampMicros, '4713-01-01 00:00:00 BC')).toBe(-210863520000000000n)
  })

  it.each([
    [6, '2024-01-01 00:00:00+00', '2024-01-01T00:00:00.000000Z'],
    [6, '2024-01-01 00:00:00.12+00', '2024-01-01T00:00:00.120000Z'],
    [3, '2024-01-01 00:00:00.1+00', '2024-01-01T00:00:00.100Z'],
    [0, '2024-01-01 00:00:00+00', '2024-01-01T00:00:00Z'],
    [6, '12024-01-01 00:00:00+00', '+12024-01-01T00:00:00.000000Z'],
    [6, '0001-01-01 00:00:00+00 BC', '0000-01-01T00:00:00.000000Z'],
    [6, '0002-12-31 00:00:00.5+00 BC', '-0001-12-31T00:00:00.500000Z'],
  ])('with a zone and precision %i: %s', (precision, text, expected) => {
    expect(decode(zonedTimestampDecoder(precision), text)).toBe(expected)
  })

  it.each([
    ['12:30:00+00', '12:30:00Z'],
    ['00:30:00+02', '22:30:00Z'],
    ['23:30:00.000001-02', '01:30:00.000001Z'],
    ['00:00:00+05:30:15', '18:29:45Z'],
  ])('of day in GMT: %s', (text, expected) => {
    expect(decode(decodeZonedTime, text)).toBe(expected)
  })
})
