/** One row of a library's error table. `says` may hold `{name}` placeholders; `todo` tells the reader what to do. */
export interface ErrorRow {
  readonly retriable: boolean
  readonly says: string
  readonly todo: string
}
export type ErrorParams = Readonly<
  Record<string, string | number | boolean | bigint | null | undefined>
>

/** An operational failure with a stable code (`AREA_CONDITION`). Its message never holds payload or secrets. */
export class PlatformError extends Error {
  readonly code: string
  readonly retriable: boolean
  readonly todo: string

  constructor(
    code: string,
    row: ErrorRow,
    params: ErrorParams = {},
    options: { cause?: unknown } = {},
  ) {
    super(fill(row.says, params), options)
    this.name = 'PlatformError'
    this.code = code
    this.retriable = row.retriable
    this.todo = fill(row.todo, params)
  }
}

export interface ErrorTable<Code extends string> {
  readonly rows: Readonly<Record<Code, ErrorRow>>
  /** Builds the error of a row; the caller throws it. */
  create(code: Code, params?: ErrorParams, options?: { cause?: unknown }): PlatformError
}

/** Declares a library's errors once, as data; docs/errors.md lists every table. */
export function defineErrors<const Code extends string>(
  rows: Record<Code, ErrorRow>,
): ErrorTable<Code> {
  return {
    rows,
    create: (code, params, options) => new PlatformError(code, rows[code], params, options),
  }
}

/** The code of any error: ours, or Node's (`ENOENT`), or undefined. Never use instanceof for Node's errors. */
export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : undefined
}

export function errorMessage(error: unknown): string {
  const message = (error as { message?: unknown } | null | undefined)?.message
  return typeof message === 'string' ? message : String(error)
}

/** A broken invariant of our own code: crash rather than go on with wrong state. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new TypeError(`invariant broken: ${message}`)
}

function fill(template: string, params: ErrorParams): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in params ? String(params[name]) : whole,
  )
}
