/**
 * The four ways in which a plugin fails. The runtime acts by class, never by message:
 * - retriable: the same call may succeed later (connection lost, 503). The runtime backs off and calls again.
 * - record: this one record can never pass (bad data). `errors.tolerance` decides: fail the task or skip and report.
 * - configuration: a human must change something (unknown bucket, wrong password). The task fails at once.
 * - fatal: everything else; the task fails.
 */
export type FailureKind = 'retriable' | 'record' | 'configuration' | 'fatal'

export class ConnectError extends Error {
  readonly kind: FailureKind
  constructor(kind: FailureKind, message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'ConnectError'
    this.kind = kind
  }
}

/** Try again later. From `put`: the same records are given again; from `poll`: the task polls again after a back-off. */
export class RetriableError extends ConnectError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('retriable', message, options)
  }
}
/** This record is bad and stays so. */
export class RecordError extends ConnectError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('record', message, options)
  }
}
/** The configuration does not work against the world as it is. */
export class ConfigurationError extends ConnectError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('configuration', message, options)
  }
}

/** The kind of any error: what is not a ConnectError is fatal. */
export function failureKind(error: unknown): FailureKind {
  const kind = (error as { kind?: unknown } | null | undefined)?.kind
  return kind === 'retriable' || kind === 'record' || kind === 'configuration' ? kind : 'fatal'
}
