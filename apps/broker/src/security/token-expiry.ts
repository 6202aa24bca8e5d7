import type { Clock, Timer } from '@millrace/base'
import { recordKinds, type Controller } from '@millrace/controller'
import { hasExpired } from '@millrace/security'
import type { Logger } from '@millrace/telemetry'

/** Tokens removed in one change of the metadata; the rest is found at the next sweep. */
const TOKENS_PER_SWEEP = 100

/** Removes delegation tokens that have expired, now and then: they log nobody in any more, but take room. Returns what ends it. */
export function sweepExpiredTokens(
  deps: { controller: Controller; clock: Clock; logger: Logger },
  intervalMs: number,
): () => void {
  const { controller, clock, logger } = deps
  let timer: Timer
  let isEnded = false
  const sweep = async (): Promise<void> => {
    await controller.changeRecords(recordKinds.tokens, (tokens) => {
      const expired = [...tokens].filter(([, token]) => hasExpired(token, clock.now()))
      return new Map(expired.slice(0, TOKENS_PER_SWEEP).map(([id]) => [id, null]))
    })
  }
  const schedule = (): void => {
    if (isEnded) return
    timer = clock.schedule(intervalMs, () => {
      sweep()
        .catch((error: unknown) => {
          if (!isEnded) logger.error('expired tokens not removed', { error })
        })
        .finally(schedule)
    })
  }
  schedule()
  return () => {
    isEnded = true
    timer.cancel()
  }
}
