import { connectErrors } from '../errors'

/** Requests that may wait; more are refused. */
const WAITING_MAX = 1_000

/** Runs actions one after the other, in the order in which they came. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve()
  #waitingCount = 0

  /** @throws CONNECT_TIMED_OUT at once if too many wait already; else whatever the action throws */
  run<T>(action: () => Promise<T>): Promise<T> {
    if (this.#waitingCount >= WAITING_MAX) {
      const stage = `${WAITING_MAX} requests are waiting`
      return Promise.reject(connectErrors.create('CONNECT_TIMED_OUT', { ms: 0, stage }))
    }
    this.#waitingCount += 1
    const result = this.#last.then(action).finally(() => {
      this.#waitingCount -= 1
    })
    this.#last = result.catch(() => undefined) // who asked handles it; the next one runs in any case
    return result
  }
}
