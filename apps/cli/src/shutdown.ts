import { errorMessage } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'

const FORCED_EXIT_AFTER_MS = 30_000
/** A terminal signals a whole group of processes, and a parent in it hands the signal on: that asks once, not twice. */
const SAME_REQUEST_MS = 1_000

/**
 * Runs `close` on the first SIGINT or SIGTERM and then exits; a signal long after the first, or a close that takes too long, ends
 * the process at once. What was acknowledged is on disk either way.
 */
export function closeOnSignal(logger: Logger, close: () => Promise<void>): void {
  let closingSinceMs: number | null = null
  const onSignal = (signal: NodeJS.Signals) => {
    const nowMs = performance.now()
    if (closingSinceMs !== null) {
      if (nowMs - closingSinceMs < SAME_REQUEST_MS) return
      logger.warn('second signal: leaving without waiting', { signal })
      process.exit(1)
    }
    closingSinceMs = nowMs
    logger.info('shutting down', { signal })
    setTimeout(() => {
      logger.error('shutdown took too long: leaving', { afterMs: FORCED_EXIT_AFTER_MS })
      process.exit(1)
    }, FORCED_EXIT_AFTER_MS).unref()
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error('shutdown failed', { reason: errorMessage(error) })
        process.exit(1)
      },
    )
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
}
