import { errorMessage } from '@millrace/base'
import { parseJson } from '@millrace/connect-api'
import type { Logger } from '@millrace/telemetry'
import type { LogRecord } from './kafka-based-log'

/** Key as text and value as JSON of a record of an internal topic, or null if it has no key or is not JSON. */
export function decodeJsonRecord(
  record: LogRecord,
  logger: Logger,
): { readonly key: string; readonly value: unknown } | null {
  if (record.key === null) return null
  const key = record.key.toString('utf8')
  try {
    return { key, value: record.value === null ? null : parseJson(record.value.toString('utf8')) }
  } catch (error) {
    // Somebody else's record must not keep the worker from starting.
    const { partition, offset } = record
    logger.error('a record of an internal topic is not JSON and is left out', {
      partition,
      offset,
      error: errorMessage(error),
    })
    return null
  }
}

/** A record with a text key; null is a tombstone. */
export function jsonRecord(key: string, value: object | null) {
  return {
    key: Buffer.from(key),
    value: value === null ? null : Buffer.from(JSON.stringify(value)),
  }
}
