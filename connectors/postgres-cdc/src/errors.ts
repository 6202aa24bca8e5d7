import { ConfigurationError, ConnectError, RetriableError } from '@millrace/connect-api'

/** Conditions that pass by themselves: the connection is gone, the server stops or starts, something is busy. */
const RETRIABLE_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EAI_AGAIN',
  'ENOTFOUND',
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55006', // object_in_use: the slot is active for another process
  '55P03', // lock_not_available
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '57P04', // database_dropped
  '57014', // query_canceled
])
/** Connection exceptions, and insufficient resources (too many connections, disk full). */
const RETRIABLE_CLASSES = new Set(['08', '53'])

/** Conditions that a human must change, with what to do. */
const CONFIGURATION_CODES: Readonly<Record<string, string>> = {
  '28P01': 'check database.user and database.password',
  '28000': 'check pg_hba.conf and that the role may log in (and has REPLICATION)',
  '3D000': 'check database.dbname',
  '42501':
    'grant the role what it lacks: REPLICATION, SELECT on the tables, CREATE on the database for a publication',
  '42P01': 'check that the table exists',
  '42704': 'check slot.name and publication.name',
  '55000': 'set wal_level=logical and restart Postgres, or make the slot anew',
  '58P01': 'the slot needs WAL that is gone: drop it and set snapshot.mode=when_needed',
  '0A000': 'the server does not support this',
  '53400': 'raise max_replication_slots or max_wal_senders',
  ERR_TLS_CERT_ALTNAME_INVALID: 'check database.hostname against the certificate',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'give the signer in database.sslrootcert',
  SELF_SIGNED_CERT_IN_CHAIN: 'give the signer in database.sslrootcert',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'give the signer in database.sslrootcert',
}

const CONNECTION_LOST = /connection (terminated|ended|closed)|timeout expired|socket/i

/** Sorts an error of the driver or the server into the kinds that the runtime knows. */
export function toConnectError(error: unknown, doing: string): ConnectError {
  const known = error as Partial<ConnectError> | null
  if (known?.name === 'ConnectError' && known.kind !== undefined) return error as ConnectError
  const { code = '', message = String(error) } = (error ?? {}) as {
    code?: string
    message?: string
  }
  const says = `${doing}: ${message === '' ? code : message}`
  const todo = CONFIGURATION_CODES[code]
  if (todo !== undefined) return new ConfigurationError(`${says} (${todo})`, { cause: error })
  const isPassing =
    RETRIABLE_CODES.has(code) ||
    (code.length === 5 && RETRIABLE_CLASSES.has(code.slice(0, 2))) ||
    (code === '' && CONNECTION_LOST.test(message))
  if (isPassing) return new RetriableError(says, { cause: error })
  return new ConnectError('fatal', says, { cause: error })
}
