import type { LogLevel } from './logger'

/** From which level on lines are written. Nothing is logged at trace or fatal: they let everything or nothing through. */
export type LogThreshold = LogLevel | 'trace' | 'fatal'

const ORDER: Readonly<Record<LogThreshold, number>> = {
  trace: 0,
  debug: 1,
  info: 2,
  warn: 3,
  error: 4,
  fatal: 5,
}

/** The levels of all loggers of a program by their names; they can be changed while it runs. */
export class LogLevels {
  #root: LogThreshold
  /** Every logger that there is; null where the root decides. */
  readonly #own = new Map<string, LogThreshold | null>()

  constructor(root: LogThreshold) {
    this.#root = root
  }

  get root(): LogThreshold {
    return this.#root
  }
  set root(level: LogThreshold) {
    this.#root = level
  }

  /** Level of each named logger: its own, or the root's. */
  *named(): Iterable<[name: string, level: LogThreshold]> {
    for (const [name, level] of this.#own) yield [name, level ?? this.#root]
  }

  register(name: string): void {
    if (!this.#own.has(name)) this.#own.set(name, null)
  }

  has(name: string): boolean {
    return this.#own.has(name)
  }

  /** Null: as the root. */
  set(name: string, level: LogThreshold | null): void {
    this.#own.set(name, level)
  }

  lets(name: string | null, level: LogLevel): boolean {
    const own = name === null ? null : this.#own.get(name)
    return ORDER[level] >= ORDER[own ?? this.#root]
  }
}
