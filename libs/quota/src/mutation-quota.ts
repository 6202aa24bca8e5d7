import { Limits, type QuotaClient } from './limits'
import type { RateWindow } from './rate'
import { TokenBucket } from './token-bucket'
import { UsageTable } from './usage'

export interface Permit {
  /** False if nothing may be changed now: THROTTLING_QUOTA_EXCEEDED. */
  readonly isGranted: boolean
  readonly throttleMs: number
}

const GRANTED: Permit = { isGranted: true, throttleMs: 0 }

/** The quota on creating and deleting partitions. */
export class MutationQuota {
  readonly #buckets: UsageTable<TokenBucket>
  #limits = Limits.none

  constructor(window: RateWindow) {
    const { sampleCount, windowMs } = window
    this.#buckets = new UsageTable(() => new TokenBucket(window), sampleCount * windowMs)
  }

  get isEnabled(): boolean {
    return !this.#limits.isEmpty
  }

  setLimits(limits: Limits): void {
    this.#limits = limits
    if (limits.isEmpty) this.#buckets.clear()
  }

  /**
   * Asks for `count` changes. Strictly, a client in debt gets none, and whoever is not gets all it asks for; otherwise, for
   * clients that do not know the refusal, everything is granted and has to be waited for.
   */
  permit(
    client: QuotaClient,
    count: number,
    options: { readonly isStrict: boolean; readonly nowMs: number },
  ): Permit {
    const limit = this.#limits.find(client)
    if (limit === null) return GRANTED
    const { isStrict, nowMs } = options
    const { perSecond } = limit
    const bucket = this.#buckets.of(limit.owner, nowMs)
    if (!isStrict) bucket.take(count, perSecond, nowMs)
    const tokens = bucket.tokens(perSecond, nowMs)
    if (tokens < 0)
      return { isGranted: !isStrict, throttleMs: Math.round((-tokens / perSecond) * 1000) }
    if (isStrict) bucket.take(count, perSecond, nowMs)
    return GRANTED
  }
}
