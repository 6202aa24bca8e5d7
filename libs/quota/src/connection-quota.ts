import { QuotaName, type QuotaRecord } from './entity'
import { Rate, throttleMs, type RateWindow } from './rate'
import { UsageTable } from './usage'

/** The quota on new connections per second from one address. */
export class ConnectionQuota {
  readonly #throttleMaxMs: number
  readonly #rates: UsageTable<Rate>
  readonly #byAddress = new Map<string, number>()
  #default = Infinity

  constructor(window: RateWindow) {
    const { sampleCount, windowMs } = window
    this.#throttleMaxMs = windowMs
    this.#rates = new UsageTable(() => new Rate(window), (sampleCount + 1) * windowMs)
  }

  get isEnabled(): boolean {
    return this.#default < Infinity || this.#byAddress.size > 0
  }

  /** `addressOf` gives the address of a name that a quota was set for, null if it has none. */
  setLimits(records: Iterable<QuotaRecord>, addressOf: (name: string) => string | null): void {
    this.#byAddress.clear()
    this.#default = Infinity
    for (const { entity, values } of records) {
      const perSecond = values[QuotaName.CONNECTION]
      if (entity.ip === undefined || perSecond === undefined) continue
      const address = entity.ip === null ? null : addressOf(entity.ip)
      if (entity.ip === null) this.#default = perSecond
      else if (address !== null) this.#byAddress.set(address, perSecond)
    }
  }

  /** Counts a connection; returns 0 if it is taken, else the time after which it is to be closed. Such a one does not count. */
  record(address: string, nowMs: number): number {
    const limit = this.#byAddress.get(address) ?? this.#default
    if (limit === Infinity) return 0
    const rate = this.#rates.of(address, nowMs)
    rate.record(1, nowMs)
    const waitMs = Math.min(this.#throttleMaxMs, throttleMs(rate, limit, nowMs))
    if (waitMs > 0) rate.record(-1, nowMs)
    return waitMs
  }
}
