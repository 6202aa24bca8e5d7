import type { Clock, Random } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'

export interface BackoffOptions {
  readonly initialMs: number
  readonly maxMs: number
}

/**
 * Delays that double from `initialMs` to `maxMs`, each shortened by up to a fifth at random so that many tasks which
 * failed together do not come back together.
 */
export class Backoff {
  readonly #random: Random
  readonly #options: BackoffOptions
  #attemptCount = 0

  constructor(deps: { readonly random: Random }, options: BackoffOptions) {
    this.#random = deps.random
    this.#options = options
  }

  /** How often `nextMs` was asked since the last success. */
  get attemptCount(): number {
    return this.#attemptCount
  }

  nextMs(): number {
    const { initialMs, maxMs } = this.#options
    const exponent = Math.min(this.#attemptCount, 30)
    this.#attemptCount += 1
    const delayMs = Math.min(maxMs, initialMs * 2 ** exponent)
    return Math.round(delayMs * (0.8 + this.#random.int(201) / 1000))
  }

  /** Call after a success: the next failure starts with a short delay again. */
  reset(): void {
    this.#attemptCount = 0
  }
}

/**
 * Logs a failure that is going to be tried again, and gives the delay until then. Only the first one of an outage is a
 * warning: an outage of hours is one line, not one per try.
 */
export function logRetry(
  logger: Logger,
  backoff: Backoff,
  message: string,
  fields: { readonly error: unknown },
): number {
  const level = backoff.attemptCount === 0 ? 'warn' : 'debug'
  const delayMs = backoff.nextMs()
  logger[level](message, { ...fields, delayMs })
  return delayMs
}

/** Sleeps and returns true, or returns false at once when the signal is or becomes aborted. */
export async function sleepUnlessAborted(
  clock: Clock,
  delayMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await clock.sleep(delayMs, signal)
  } catch {
    return false // the only reason of a rejected sleep is its signal
  }
  return !signal.aborted
}
