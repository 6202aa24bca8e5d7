import type { Clock, Timer } from '@millrace/base'
import type { LogConfig } from './config'

/** With acknowledgement from the page cache, Kafka's flush.messages and flush.ms say when to sync all the same. */
export class FlushPolicy {
  readonly #clock: Clock
  readonly #flush: () => void
  #unflushedRecords = 0
  #timer: Timer | null = null

  constructor(clock: Clock, flush: () => void) {
    this.#clock = clock
    this.#flush = flush
  }

  onAppend(records: number, { flushMessages, flushMs }: LogConfig): void {
    this.#unflushedRecords += records
    if (this.#unflushedRecords >= flushMessages) return this.#run()
    if (flushMs === Infinity || this.#timer !== null) return
    this.#timer = this.#clock.schedule(flushMs, () => this.#run())
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  #run(): void {
    this.stop()
    this.#unflushedRecords = 0
    this.#flush()
  }
}
