import { logErrors } from '@millrace/log'
import { ErrorCode } from '@millrace/wire'
import { toWireFailure, wireCodeByLogError } from './log-error-codes'

/** Failures of opening and managing logs, which no request meets. */
const NEVER_ON_A_REQUEST = [
  'LOG_EXISTS',
  'LOG_IN_TWO_DIRECTORIES',
  'LOG_DIRECTORY_LOCKED',
  'LOG_DIRECTORY_UNWRITABLE',
  'LOG_DIRECTORY_FOREIGN',
  'LOG_CORRUPT_FILE',
  'LOG_CLEANING_ABORTED',
  'LOG_UNCLEANABLE',
]

describe('toWireFailure', () => {
  it('knows every error of the log that a request can meet, and no other', () => {
    expect([...Object.keys(wireCodeByLogError), ...NEVER_ON_A_REQUEST].sort()).toEqual(
      Object.keys(logErrors.rows).sort(),
    )
  })

  it('takes damaged record data for CORRUPT_MESSAGE and anything unforeseen for our own fault', () => {
    const damaged = Object.assign(new Error('bad'), { code: 'RECORD_BAD_SIZE' })
    expect(toWireFailure(damaged).errorCode).toBe(ErrorCode.CORRUPT_MESSAGE)
    expect(toWireFailure(new TypeError('oops')).errorCode).toBe(ErrorCode.UNKNOWN_SERVER_ERROR)
  })
})
