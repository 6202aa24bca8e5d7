/** Clients whose use is remembered at the same time. */
const USAGES_MAX_COUNT = 10_000

interface Held<T> {
  readonly usage: T
  lastUsedMs: number
}

/**
 * What each owner of a quota has used. An owner that did nothing for a whole window starts anew without any difference, so
 * those are dropped first when there are too many; then those that came first.
 */
export class UsageTable<T> {
  readonly #create: () => T
  readonly #windowMs: number
  readonly #byOwner = new Map<string, Held<T>>()

  /** `windowMs` is the time after which a new one is as good as the old. */
  constructor(create: () => T, windowMs: number) {
    this.#create = create
    this.#windowMs = windowMs
  }

  of(owner: string, nowMs: number): T {
    let held = this.#byOwner.get(owner)
    if (!held) {
      if (this.#byOwner.size >= USAGES_MAX_COUNT) this.#makeRoom(nowMs)
      held = { usage: this.#create(), lastUsedMs: nowMs }
      this.#byOwner.set(owner, held)
    }
    held.lastUsedMs = nowMs
    return held.usage
  }

  clear(): void {
    this.#byOwner.clear()
  }

  #makeRoom(nowMs: number): void {
    for (const [owner, { lastUsedMs }] of this.#byOwner)
      if (nowMs - lastUsedMs > this.#windowMs) this.#byOwner.delete(owner)
    const oldest = this.#byOwner.keys()
    while (this.#byOwner.size >= USAGES_MAX_COUNT) {
      const { value } = oldest.next()
      if (value === undefined) return
      this.#byOwner.delete(value)
    }
  }
}
