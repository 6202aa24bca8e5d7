import type { Clock } from '@millrace/base'
import { ErrorCode, protocolError } from '@millrace/wire'
import { Alarm } from './alarm'

interface Waiting {
  readonly dueMs: number
  readonly onLate: () => void
}

const LATE = Symbol('late')

/**
 * How long anybody waits for what is on its way to the log. Only the answer is given up: the record may be stored any time, so
 * memory goes on waiting for it (GROUP-4, TXN-1). What has not begun by then need not begin. One alarm serves all that wait, in
 * the order in which they came.
 */
export class AnswerLimit {
  readonly #clock: Clock
  readonly #limitMs: number
  readonly #waiting = new Set<Waiting>()
  readonly #alarm: Alarm

  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock
    this.#limitMs = limitMs
    this.#alarm = new Alarm(clock, () => this.#onRing())
  }

  /** Whether who came at that time waits no longer. Their work that has not begun need not: nothing of it is in the log. */
  isLate(cameMs: number): boolean {
    return this.#clock.monotonicMs() >= cameMs + this.#limitMs
  }

  /** What the work comes to, which goes on if it is late. @throws ProtocolError COORDINATOR_NOT_AVAILABLE then */
  async within<T>(work: Promise<T>): Promise<T> {
    const result = await this.#race(work)
    if (result === LATE) throw protocolError(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    return result
  }

  /** What the work comes to, however late. `onLate` is called each time that the limit has passed again. */
  async whileLate<T>(work: Promise<T>, onLate: () => void): Promise<T> {
    for (;;) {
      const result = await this.#race(work)
      if (result !== LATE) return result
      onLate()
    }
  }

  #race<T>(work: Promise<T>): Promise<T | typeof LATE> {
    return new Promise((resolve, reject) => {
      const dueMs = this.#clock.monotonicMs() + this.#limitMs
      const waiting = { dueMs, onLate: () => resolve(LATE) }
      this.#waiting.add(waiting)
      this.#alarm.ringBy(dueMs)
      const settle =
        <Value>(settleWith: (value: Value) => void) =>
        (value: Value): void => {
          this.#onEnded(waiting)
          settleWith(value)
        }
      work.then(settle(resolve), settle(reject))
    })
  }

  #onEnded(waiting: Waiting): void {
    this.#waiting.delete(waiting)
    if (this.#waiting.size === 0) this.#alarm.cancel()
  }

  #onRing(): void {
    const nowMs = this.#clock.monotonicMs()
    for (const waiting of this.#waiting) {
      if (waiting.dueMs > nowMs) return this.#alarm.ringBy(waiting.dueMs)
      this.#waiting.delete(waiting)
      waiting.onLate()
    }
  }
}
