import { errorCode, type Clock, type Timer } from '@millrace/base'

/** Time between two tries to write what a full disk had no room for. */
export const ROOM_RETRY_MS = 1000
const FULL_CODES = ['ENOSPC', 'EDQUOT']

/**
 * Whether the disk only had no room. Unlike a failed sync that loses nothing (LOG-4 does not apply): what was to be
 * written is in memory still, and writing it again at the same place, or a whole file anew, is as good as the first time.
 */
export function isDiskFull(error: unknown): boolean {
  return FULL_CODES.includes(errorCode(error) ?? '')
}

interface Waiting {
  readonly timer: Timer
  readonly giveUp: () => void
}

/** The work of one log that waits until there is room on the disk. */
export class DiskRoom {
  readonly #clock: Clock
  readonly #onChange: () => void
  readonly #waiting = new Set<Waiting>()
  readonly #watchers = new Set<() => void>()
  #stuckCount = 0
  #isStopped = false

  /** `onChange` is called when the first work gets stuck, and when the last one is done. */
  constructor(clock: Clock, onChange: () => void) {
    this.#clock = clock
    this.#onChange = onChange
  }

  /** Some work is waiting for room: no more should be taken on. */
  get isFull(): boolean {
    return this.#stuckCount > 0
  }

  /** Does the work, again and again while the disk is full. Rejects with the work's own error, or with ENOSPC once stopped. */
  async retry(work: () => void | Promise<void>): Promise<void> {
    let isStuck = false
    for (;;) {
      try {
        await work()
        break
      } catch (error) {
        if (!isDiskFull(error) || this.#isStopped) {
          if (isStuck) this.#change(-1)
          throw error
        }
        if (!isStuck) this.#change(1)
        isStuck = true
      }
      await this.#delay()
    }
    if (isStuck) this.#change(-1)
  }

  /** Resolves when `work` has ended, or as soon as something is stuck. */
  async settledOrFull(work: Promise<unknown>): Promise<void> {
    const full = Promise.withResolvers<void>()
    this.#watchers.add(full.resolve)
    if (this.isFull) full.resolve()
    try {
      await Promise.race([work, full.promise])
    } finally {
      this.#watchers.delete(full.resolve)
    }
  }

  /** What waits is tried once more, and is given up then. */
  stop(): void {
    this.#isStopped = true
    for (const { timer, giveUp } of this.#waiting) {
      timer.cancel()
      giveUp()
    }
    this.#waiting.clear()
  }

  #delay(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.schedule(ROOM_RETRY_MS, () => {
        this.#waiting.delete(waiting)
        resolve()
      })
      const waiting = { timer, giveUp: resolve }
      this.#waiting.add(waiting)
    })
  }

  #change(by: number): void {
    this.#stuckCount += by
    if (this.#stuckCount !== Math.max(by, 0)) return
    if (this.isFull) for (const resolve of this.#watchers) resolve()
    this.#onChange()
  }
}
