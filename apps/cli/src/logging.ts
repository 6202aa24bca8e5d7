import { createLogger, type Logger, type LogLevel } from '@millrace/telemetry'

/** Logs go to stderr, so that stdout holds what a program may read: the ready line. */
export function programLogger(level: LogLevel): Logger {
  return createLogger({
    level,
    write: (line) => process.stderr.write(`${line}\n`),
    now: () => Date.now(),
  })
}

export const logOption = {
  'log-level': {
    type: 'string',
    value: 'LEVEL',
    default: 'info',
    doc: 'debug, info, warn or error.',
  },
} as const

const LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error'] satisfies LogLevel[]

/** @throws TypeError if it is no level */
export function parseLogLevel(text: string): LogLevel {
  if (LEVELS.includes(text)) return text as LogLevel
  throw new TypeError(`--log-level ${text} is not one of ${LEVELS.join(', ')}`)
}
