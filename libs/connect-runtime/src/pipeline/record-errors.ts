import type { Clock, Random } from '@millrace/base'
import { RecordError } from '@millrace/connect-api'
import type { Logger } from '@millrace/telemetry'
import { classify } from '../errors'
import { Backoff, sleepUnlessAborted } from './retry'
import type { StageMark } from './stage'

export interface RecordErrorOptions {
  readonly tolerance: 'none' | 'all'
  readonly isLogEnabled: boolean
  readonly isPositionLogged: boolean
  /** -1 for ever, 0 never. */
  readonly retryTimeoutMs: number
  readonly retryDelayMaxMs: number
}

/** Where a record is, for the log: never its contents. */
export interface RecordPosition {
  readonly topic: string
  readonly partition: number | null
  readonly offset: number | null
  readonly timestamp: number | null
}

const RETRY_INITIAL_MS = 300

/** What happens to single records that fail: tried again while `errors.retry.timeout` lasts, then skipped or fatal. */
export class RecordErrors {
  readonly #clock: Clock
  readonly #random: Random
  readonly #logger: Logger
  readonly #options: RecordErrorOptions

  constructor(
    deps: { readonly clock: Clock; readonly random: Random; readonly logger: Logger },
    options: RecordErrorOptions,
  ) {
    this.#clock = deps.clock
    this.#random = deps.random
    this.#logger = deps.logger
    this.#options = options
  }

  /**
   * Repeats a step that failed in a retriable way. Returns null once it succeeds, or the last failure when the time is
   * over, the signal is aborted or the failure is of another kind.
   */
  async retry(step: () => Promise<void>, failure: unknown, signal: AbortSignal): Promise<unknown> {
    const { retryTimeoutMs, retryDelayMaxMs } = this.#options
    const backoff = new Backoff(
      { random: this.#random },
      { initialMs: RETRY_INITIAL_MS, maxMs: retryDelayMaxMs },
    )
    const startMs = this.#clock.monotonicMs()
    let last = failure
    while (classify(last) === 'retriable') {
      const leftMs =
        retryTimeoutMs < 0 ? Infinity : retryTimeoutMs - (this.#clock.monotonicMs() - startMs)
      if (leftMs <= 0) return last
      const delayMs = Math.min(leftMs, backoff.nextMs())
      if (!(await sleepUnlessAborted(this.#clock, delayMs, signal))) return last
      try {
        await step()
        return null
      } catch (error) {
        last = error
      }
    }
    return last
  }

  /**
   * Lets a failed record be skipped if `errors.tolerance` is `all`.
   * @throws the failure as it is if a human must act, else RecordError with the failure as cause
   */
  skip(failure: unknown, mark: StageMark, position: RecordPosition): void {
    const { tolerance, isLogEnabled, isPositionLogged } = this.#options
    if (classify(failure) === 'configuration') throw failure
    if (tolerance === 'none') {
      const message = `a record failed at ${mark.stage} in ${mark.plugin} and errors.tolerance is none`
      throw new RecordError(message, { cause: failure })
    }
    if (!isLogEnabled) return
    const fields = { stage: mark.stage, plugin: mark.plugin, error: failure }
    this.#logger.error('record skipped', isPositionLogged ? { ...fields, ...position } : fields)
  }
}
