import { RecordError, type SinkRecord } from '@millrace/connect-api'
import { fieldOf } from './field-of'

/** The moment by which a record is put into its folder, milliseconds since the epoch. @throws RecordError if it has none */
export type TimestampExtractor = (record: SinkRecord, nowMs: number) => number

/** `Wallclock`, `Record` or `RecordField`; null for any other name. */
export function createTimestampExtractor(name: string, field: string): TimestampExtractor | null {
  switch (name) {
    case 'Wallclock':
      return (_record, nowMs) => nowMs
    case 'Record':
      return ({ timestamp }) => {
        if (timestamp === null) throw new RecordError('the record has no timestamp')
        return timestamp
      }
    case 'RecordField':
      return ({ value }) => timeOf(field, fieldOf(value, field))
    default:
      return null
  }
}

function timeOf(field: string, value: unknown): number {
  let ms = Number.NaN
  if (typeof value === 'number') ms = value
  else if (typeof value === 'string') ms = Date.parse(value)
  else if (value instanceof Date) ms = value.getTime()
  if (Number.isSafeInteger(ms)) return ms
  throw new RecordError(
    `the value has no field '${field}' of a time (milliseconds, ISO 8601 text or Timestamp)`,
  )
}
