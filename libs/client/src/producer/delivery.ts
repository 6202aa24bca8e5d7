import type { RecordHeader } from '@millrace/record'

/** Records of one poll: added without waiting, acknowledged together. */
export interface ProduceBatch {
  /**
   * Adds a record; never waits. A null partition is chosen by the key, or by the producer; a null timestamp is now.
   * @throws PlatformError CLIENT_RECORD_TOO_LARGE, or what ended the producer
   */
  add(
    topic: string,
    partition: number | null,
    timestamp: number | null,
    key: Buffer | null,
    value: Buffer | null,
    headers?: readonly RecordHeader[],
  ): void
  /** Resolves when the log has acknowledged every record; rejects with what ended the producer. No record may be added after. */
  done(): Promise<void>
}

type Append = (delivery: Delivery, ...record: Parameters<ProduceBatch['add']>) => void

/** Counts the batches that hold records of one ProduceBatch. */
export class Delivery implements ProduceBatch {
  readonly #append: Append
  readonly #onDone: () => void
  #openCount = 0
  #isComplete = false
  #failure: Error | null = null
  #settle: { resolve: () => void; reject: (error: Error) => void } | null = null

  /** `onDone` is called when the caller waits: there is nothing to gather any more. */
  constructor(append: Append, onDone: () => void) {
    this.#append = append
    this.#onDone = onDone
  }

  add(...record: Parameters<ProduceBatch['add']>): void {
    if (this.#isComplete) throw new TypeError('records cannot be added after done()')
    this.#append(this, ...record)
  }

  done(): Promise<void> {
    this.#isComplete = true
    this.#onDone()
    if (this.#failure) return Promise.reject(this.#failure)
    if (this.#openCount === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
  }

  /** One more batch holds records of this one. */
  onHeld(): void {
    this.#openCount += 1
  }

  onAcknowledged(): void {
    this.#openCount -= 1
    if (this.#openCount === 0) this.#settle?.resolve()
  }

  onFailed(error: Error): void {
    this.#failure ??= error
    this.#settle?.reject(error)
  }
}
