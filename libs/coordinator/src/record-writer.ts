import type { Clock } from '@millrace/base'
import { BatchBuilder } from '@millrace/record'
import { ErrorCode, protocolError } from '@millrace/wire'
import { type CoordinatorLog, OFFSETS_TOPIC } from './coordinator-log'
import { encodeRecord, type GroupRecord, type LogRecord } from './records/codec'

/** Writes wait in one batch while the batch before is on its way; a batch is closed at this size. */
const BATCH_MAX_BYTES = 512 * 1024
/** Waiting writes; more are refused with a retriable error. */
const WAITING_MAX_COUNT = 10_000

interface Waiting {
  readonly records: readonly LogRecord[]
  readonly onDurable: () => void
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Writes one partition of the offsets topic, one batch at a time. What waits shares the next batch, so that the fsync of
 * the log is shared as well, and memory follows the log in its own order (GROUP-4).
 */
export class RecordWriter {
  readonly #log: CoordinatorLog
  readonly #clock: Clock
  readonly #partition: number
  readonly #builder = new BatchBuilder({ initialBytes: 4096 })
  #waiting: Waiting[] = []
  #isWriting = false
  #closedWith: number | null = null

  constructor(deps: { log: CoordinatorLog; clock: Clock }, partition: number) {
    this.#log = deps.log
    this.#clock = deps.clock
    this.#partition = partition
  }

  /**
   * Calls `onDurable` in the order of the calls, once the records are durable, and then resolves.
   * @throws ProtocolError of the log; nothing is known to be stored then.
   */
  write(records: readonly GroupRecord[], onDurable: () => void): Promise<void> {
    if (this.#closedWith !== null) return Promise.reject(protocolError(this.#closedWith))
    if (this.#waiting.length >= WAITING_MAX_COUNT) {
      return Promise.reject(protocolError(ErrorCode.COORDINATOR_NOT_AVAILABLE))
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ records: records.map(encodeRecord), onDurable, resolve, reject })
      if (!this.#isWriting) void this.#writeAll()
    })
  }

  /** Refuses what waits and what comes; a batch on its way ends without effect. */
  close(error: number): void {
    this.#closedWith = error
    for (const { reject } of this.#waiting.splice(0)) reject(protocolError(error))
  }

  /** Never rejects: each failure goes to those who wait for it. */
  async #writeAll(): Promise<void> {
    this.#isWriting = true
    while (this.#waiting.length > 0) {
      const group = this.#takeBatch()
      try {
        await this.#log.append(OFFSETS_TOPIC, this.#partition, this.#builder.build())
        if (this.#closedWith !== null) throw protocolError(this.#closedWith)
        for (const { onDurable, resolve } of group) {
          onDurable()
          resolve()
        }
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    this.#isWriting = false
  }

  /** Fills the builder with what fits, at least one write. */
  #takeBatch(): Waiting[] {
    const builder = this.#builder
    builder.reset()
    const now = this.#clock.now()
    let count = 0
    while (
      count < this.#waiting.length &&
      (count === 0 || builder.estimatedBytes < BATCH_MAX_BYTES)
    ) {
      for (const { key, value } of this.#waiting[count].records) builder.append(now, key, value)
      count++
    }
    return this.#waiting.splice(0, count)
  }
}
