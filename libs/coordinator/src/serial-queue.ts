import { ErrorCode, protocolError } from '@millrace/wire'

/** What waits at most; more is refused with a retriable error. */
const WAITING_MAX_COUNT = 10_000

/** Runs asynchronous actions one after the other. */
export class SerialQueue {
  readonly #onIdle: () => void
  readonly #waiting: (() => Promise<void>)[] = []
  #running: Promise<void> | null = null

  /** `onIdle` is called when the last action has ended. */
  constructor(onIdle: () => void) {
    this.#onIdle = onIdle
  }

  get isIdle(): boolean {
    return this.#running === null
  }

  /** Null if it is; more may have come when the promise resolves. */
  whenIdle(): Promise<void> | null {
    return this.#running
  }

  /** Starts the action at once if nothing runs. @throws ProtocolError COORDINATOR_NOT_AVAILABLE if too much waits */
  run<T>(action: () => Promise<T>): Promise<T> {
    if (this.#waiting.length >= WAITING_MAX_COUNT) {
      return Promise.reject(protocolError(ErrorCode.COORDINATOR_NOT_AVAILABLE))
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => action().then(resolve, reject))
      if (this.isIdle) this.#start()
    })
  }

  #start(): void {
    let onEnded = () => {}
    this.#running = new Promise((resolve) => (onEnded = resolve))
    void this.#runAll().then(() => {
      this.#running = null
      this.#onIdle()
      onEnded()
    })
  }

  async #runAll(): Promise<void> {
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) await next()
  }
}
