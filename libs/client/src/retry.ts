import type { Clock, Random } from '@millrace/base'

const BACKOFF_MS = { first: 50, max: 1_000 }

export interface RetryOptions {
  /** Ends the retries: the promise rejects with the last error. */
  readonly signal: AbortSignal
  /** Infinity retries until the signal. */
  readonly timeoutMs: number
  /** Before each repetition, with the count of those before it. */
  readonly onRetry?: (error: unknown, attempt: number) => void
}

/** Whether the same request may succeed later: our errors and the protocol's both tell. */
export function isRetriableError(error: unknown): boolean {
  return (error as { retriable?: unknown } | null | undefined)?.retriable === true
}

/** Repeats an action while it fails retriably, with exponential back-off and jitter. @throws its last error */
export async function retry<T>(
  deps: { readonly clock: Clock; readonly random: Random },
  options: RetryOptions,
  action: () => Promise<T>,
): Promise<T> {
  const deadlineMs = deps.clock.monotonicMs() + options.timeoutMs
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await action()
    } catch (error) {
      const delayMs = backoffMs(deps.random, attempt)
      const isTooLate = deps.clock.monotonicMs() + delayMs > deadlineMs
      if (!isRetriableError(error) || options.signal.aborted || isTooLate) throw error
      options.onRetry?.(error, attempt)
      try {
        await deps.clock.sleep(delayMs, options.signal)
      } catch {
        throw error // aborted while waiting: what went wrong says more than that
      }
    }
  }
}

/** 50 ms doubled per attempt up to 1 s, and up to a fifth more or less. */
export function backoffMs(random: Random, attempt: number): number {
  const base = Math.min(BACKOFF_MS.first * 2 ** Math.min(attempt, 10), BACKOFF_MS.max)
  return base * (0.8 + random.int(401) / 1000)
}
