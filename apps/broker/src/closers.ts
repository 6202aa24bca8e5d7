import { errorMessage } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'

/** What has been opened so far, to be closed last first. */
export class Closers {
  readonly #logger: Logger
  readonly #actions: { name: string; close: () => void | Promise<void> }[] = []

  constructor(logger: Logger) {
    this.#logger = logger
  }

  add(name: string, close: () => void | Promise<void>): void {
    this.#actions.push({ name, close })
  }

  /** One that fails is logged, and the rest is closed all the same. */
  async closeAll(): Promise<void> {
    for (const { name, close } of this.#actions.splice(0).reverse()) {
      try {
        await close()
      } catch (error) {
        this.#logger.error('not closed cleanly', { part: name, reason: errorMessage(error), error })
      }
    }
  }
}
