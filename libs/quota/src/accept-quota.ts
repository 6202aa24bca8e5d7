import { Rate, throttleMs, type RateWindow } from './rate'

export interface AcceptLimits {
  /** New connections per second, of all listeners together. */
  readonly perSecond: number
  /** By listener name; none for a listener that is not in it. */
  readonly perSecondOfListener: ReadonlyMap<string, number>
}

/** The limits on new connections per second (KIP-612): whoever comes too early is let in later, as are all behind him. */
export class AcceptQuota {
  readonly #window: RateWindow
  readonly #all: Rate
  /** One for each listener that a connection came to. */
  readonly #byListener = new Map<string, Rate>()
  #limits: AcceptLimits = { perSecond: Infinity, perSecondOfListener: new Map() }

  constructor(window: RateWindow) {
    this.#window = window
    this.#all = new Rate(window)
  }

  /** In force for those who come from now on; what came before counts. */
  setLimits(limits: AcceptLimits): void {
    this.#limits = limits
  }

  /** Counts the next connection to a listener; returns how long it has to wait, at most one sample. */
  record(listenerName: string, nowMs: number): number {
    const { perSecond, perSecondOfListener } = this.#limits
    const ofListener = this.#of(listenerName)
    this.#all.record(1, nowMs)
    ofListener.record(1, nowMs)
    const waitMs = Math.max(
      throttleMs(this.#all, perSecond, nowMs),
      throttleMs(ofListener, perSecondOfListener.get(listenerName) ?? Infinity, nowMs),
    )
    return Math.min(this.#window.windowMs, waitMs)
  }

  /** Of a connection that was refused after all. */
  takeBack(listenerName: string, nowMs: number): void {
    this.#all.record(-1, nowMs)
    this.#of(listenerName).record(-1, nowMs)
  }

  #of(listenerName: string): Rate {
    let rate = this.#byListener.get(listenerName)
    if (!rate) this.#byListener.set(listenerName, (rate = new Rate(this.#window)))
    return rate
  }
}
