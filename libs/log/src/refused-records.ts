import { PlatformError, type ErrorParams } from '@millrace/base'
import { logErrors } from './errors'

/** One record that made the log refuse its batch. */
export interface RefusedRecord {
  /** Its place in the batch. */
  readonly index: number
  readonly reason: string
}

/** LOG_INVALID_RECORD or LOG_INVALID_TIMESTAMP of a batch whose single records are to blame, so that a producer can tell which. */
export class RefusedRecordsError extends PlatformError {
  readonly records: readonly RefusedRecord[]

  constructor(
    code: 'LOG_INVALID_RECORD' | 'LOG_INVALID_TIMESTAMP',
    params: ErrorParams,
    records: readonly RefusedRecord[],
  ) {
    super(code, logErrors.rows[code], params)
    this.records = records
  }
}

/** Empty for every other error. */
export function refusedRecordsOf(error: unknown): readonly RefusedRecord[] {
  return (error as Partial<RefusedRecordsError> | null)?.records ?? []
}
