import { errorMessage } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'

const FORCED_EXIT_AFTER_MS = 30_000

/**
 * Runs `close` on the first SIGINT or SIGTERM and then exits; a second signal, or a close that takes too long, ends the process
 * at once. What was acknowledged is on disk either way.
 */
export function closeOnSignal(logger: Logger, close: () => Promise<void>): void {
  let isClosing = false
  const onSignal = (signal: NodeJS.Signals) => {
    if (isClosing) {
      logger.warn('second signal: leaving without waiting', { signal })
      process.exit(1)
    }
    isClosing = true
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
