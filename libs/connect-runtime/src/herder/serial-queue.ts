import { connectErrors } from '../errors'

/** Actions that wait at the most before requests are refused. */
const WAITING_MAX = 1_000

/**
 * Runs actions one after the other, in the order in which they came. Only requests can be refused: a step of the worker
 * itself, such as stopping what another worker runs now, gets its turn however many people ask for something.
 */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve()
  #waitingCount = 0

  /** @throws CONNECT_TIMED_OUT at once if too many wait already; else whatever the action throws */
  async request<T>(action: () => Promise<T>): Promise<T> {
    if (this.#waitingCount >= WAITING_MAX) {
      const stage = `${this.#waitingCount} requests are waiting`
      throw connectErrors.create('CONNECT_TIMED_OUT', { ms: 0, stage })
    }
    return this.run(action)
  }

  /** @throws whatever the action throws */
  run<T>(action: () => Promise<T>): Promise<T> {
    this.#waitingCount += 1
    const result = this.#last.then(action).finally(() => {
      this.#waitingCount -= 1
    })
    this.#last = result.catch(() => undefined) // who asked handles it; the next one runs in any case
    return result
  }
}
