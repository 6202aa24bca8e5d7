import { LogLevels } from './log-levels'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFields = Readonly<Record<string, unknown>>

/** Structured log. A message is a constant sentence; what varies goes into the fields. Never payload or secrets. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A logger that adds `fields` to each line. */
  child(fields: LogFields): Logger
  /** The logger of one part of the program, whose level can be set apart from the rest. */
  named(name: string): Logger
  /** Of all loggers that come from the same `createLogger`. */
  readonly levels: LogLevels
}

export interface LoggerOptions {
  readonly level: LogLevel
  /** Receives one finished line without a line break. */
  readonly write: (line: string) => void
  readonly now: () => number
}

export function createLogger(options: LoggerOptions): Logger {
  return makeLogger(options, new LogLevels(options.level), null, {})
}

function makeLogger(
  options: LoggerOptions,
  levels: LogLevels,
  name: string | null,
  base: LogFields,
): Logger {
  const log = (level: LogLevel, message: string, fields?: LogFields) => {
    if (!levels.lets(name, level)) return
    options.write(formatLine(new Date(options.now()), level, message, { ...base, ...fields }))
  }
  return {
    debug: (message, fields) => log('debug', message, fields),
    info: (message, fields) => log('info', message, fields),
    warn: (message, fields) => log('warn', message, fields),
    error: (message, fields) => log('error', message, fields),
    child: (fields) => makeLogger(options, levels, name, { ...base, ...fields }),
    named: (part) => {
      levels.register(part)
      return makeLogger(options, levels, part, base)
    },
    levels,
  }
}

/** Drops everything: for tests. */
export const silentLogger: Logger = createLogger({
  level: 'error',
  write: () => undefined,
  now: () => 0,
})

function formatLine(at: Date, level: LogLevel, message: string, fields: LogFields): string {
  let line = `${at.toISOString()} ${level.toUpperCase().padEnd(5)} ${message}`
  for (const name of Object.keys(fields)) line += ` ${name}=${formatValue(fields[name])}`
  return line
}

function formatValue(value: unknown): string {
  if (value === null || value === undefined) return '-'
  if (typeof value === 'object' && 'message' in value) return JSON.stringify(describeError(value))
  if (typeof value === 'string') return /^[\w.:/@-]+$/.test(value) ? value : JSON.stringify(value)
  return typeof value === 'object' ? JSON.stringify(value) : String(value as number)
}

function describeError(error: { message?: unknown; code?: unknown; cause?: unknown }): string {
  const code = typeof error.code === 'string' ? `${error.code}: ` : ''
  const cause =
    error.cause && typeof error.cause === 'object' ? ` (cause: ${describeError(error.cause)})` : ''
  return code + String(error.message) + cause
}
