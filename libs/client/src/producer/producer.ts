import { codecOf } from '@millrace/record'
import type { Cluster } from '../cluster'
import { clientErrors } from '../errors'
import type { ClientDeps, ProducerOptions } from '../options'
import { Accumulator } from './accumulator'
import { Delivery, type ProduceBatch } from './delivery'
import { Sender } from './sender'

const DEFAULTS = {
  batchBytes: 256 * 1024,
  lingerMs: 0,
  maxRequestBytes: 1024 * 1024,
  bufferBytes: 32 * 1024 * 1024,
  deliveryTimeoutMs: Number.POSITIVE_INFINITY,
  allowAutoTopicCreation: true,
} as const

export interface Producer {
  /** Collects the records of one poll. */
  begin(): ProduceBatch
  /** Whether more may be added; `add` itself never refuses. */
  hasRoom(): boolean
  /** Resolves when there is room, or the producer has ended. */
  room(): Promise<void>
  /** Resolves when everything added so far is acknowledged. @throws what ended the producer */
  flush(): Promise<void>
  /** Ends at once; what is not acknowledged is rejected with CLIENT_CLOSED. Flush before, if it matters. */
  close(): Promise<void>
}

/**
 * An idempotent producer: each record is in the log once and in order, whatever is sent again. What cannot be delivered ends the
 * producer, since going on would leave a hole.
 */
export class IdempotentProducer implements Producer {
  readonly #accumulator: Accumulator
  readonly #sender: Sender
  #failure: Error | null = null
  #roomWaiters: (() => void)[] = []
  #flushWaiters: { resolve: () => void; reject: (error: Error) => void }[] = []

  constructor(deps: ClientDeps, cluster: Cluster, options: ProducerOptions) {
    const settings = {
      ...DEFAULTS,
      ...definedOf(options),
      codec: codecOf(options.compression ?? 'none'),
    }
    this.#accumulator = new Accumulator(deps.clock, settings)
    this.#sender = new Sender({ ...deps, cluster, accumulator: this.#accumulator }, settings, {
      onProgress: () => this.#onProgress(),
      onFailure: (error) => this.#end(error),
    })
  }

  begin(): ProduceBatch {
    return new Delivery(
      (...record) => {
        if (this.#failure) throw this.#failure
        this.#accumulator.add(...record)
        this.#sender.wake()
      },
      () => this.#sender.wake(),
    )
  }

  hasRoom(): boolean {
    return this.#accumulator.hasRoom
  }

  room(): Promise<void> {
    if (this.hasRoom() || this.#failure) return Promise.resolve()
    return new Promise((resolve) => this.#roomWaiters.push(resolve))
  }

  flush(): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure)
    if (this.#accumulator.isEmpty) return Promise.resolve()
    return new Promise((resolve, reject) => this.#flushWaiters.push({ resolve, reject }))
  }

  async close(): Promise<void> {
    this.#sender.stop()
    this.#end(clientErrors.create('CLIENT_CLOSED'))
  }

  #onProgress(): void {
    if (this.#accumulator.hasRoom) this.#releaseRoomWaiters()
    if (!this.#accumulator.isEmpty) return
    for (const { resolve } of this.#flushWaiters.splice(0)) resolve()
  }

  #end(error: Error): void {
    if (this.#failure) return
    this.#failure = error
    this.#accumulator.failAll(error)
    this.#releaseRoomWaiters()
    for (const { reject } of this.#flushWaiters.splice(0)) reject(error)
  }

  #releaseRoomWaiters(): void {
    for (const resolve of this.#roomWaiters.splice(0)) resolve()
  }
}

function definedOf<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as Partial<T>
}
