import type { Clock, Timer } from '@millrace/base'

const DEFAULT_START_MS = 1_700_000_000_000

interface Scheduled {
  readonly dueMs: number
  /** Ties are run in the order in which they were scheduled. */
  readonly sequence: number
  readonly action: () => void
}

/** Time that stands still until a test moves it. */
export class SimClock implements Clock {
  readonly #startMs: number
  #nowMs: number
  #sequence = 0
  #scheduled: Scheduled[] = []

  constructor(startMs = DEFAULT_START_MS) {
    this.#startMs = startMs
    this.#nowMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs - this.#startMs
  }

  schedule(delayMs: number, action: () => void): Timer {
    const entry = { dueMs: this.#nowMs + Math.max(0, delayMs), sequence: this.#sequence++, action }
    this.#scheduled.push(entry)
    return { cancel: () => this.#remove(entry) }
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error)
      const onAbort = () => {
        timer.cancel()
        reject(signal!.reason as Error)
      }
      const timer = this.schedule(delayMs, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Timers that have not run yet. */
  get pendingCount(): number {
    return this.#scheduled.length
  }

  /** Runs everything that falls due in the next `ms`, in order; between two timers promises may settle. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    await settle()
    for (let next = this.#nextDue(untilMs); next !== null; next = this.#nextDue(untilMs)) {
      this.#remove(next)
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      next.action()
      await settle()
    }
    this.#nowMs = untilMs
  }

  #nextDue(untilMs: number): Scheduled | null {
    let first: Scheduled | null = null
    for (const entry of this.#scheduled) {
      if (entry.dueMs > untilMs) continue
      if (first === null || isBefore(entry, first)) first = entry
    }
    return first
  }

  #remove(entry: Scheduled): void {
    this.#scheduled = this.#scheduled.filter((candidate) => candidate !== entry)
  }
}

function isBefore(a: Scheduled, b: Scheduled): boolean {
  return a.dueMs === b.dueMs ? a.sequence < b.sequence : a.dueMs < b.dueMs
}

/** Lets promise reactions and setImmediate callbacks run. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
