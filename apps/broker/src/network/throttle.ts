import type { Clock } from '@millrace/base'
import type { QuotaClient, Quotas } from '@millrace/quota'
import { ApiKey } from '@millrace/wire'

/** Of the time of one thread, per millisecond: what `request_percentage` counts. */
const PERCENT_SECONDS_PER_MS = 0.1

/** Requests of brokers to each other, which no quota holds up. */
const EXEMPT: ReadonlySet<number> = new Set([ApiKey.WriteTxnMarkers])

/** The connection that a request came by. */
export interface Throttled {
  /** Begins no further request for this long: its client was told to wait, and may not listen. */
  mute(delayMs: number): void
}

/**
 * What one request uses up of its client's quotas, and the wait that follows from it. There is one only while a quota is set.
 * Time is that of the thread: from the request's begin to the first wait of its handler, what is `timed` after it, and the encoding.
 */
export class RequestThrottle {
  readonly #connection: Throttled
  readonly #quotas: Quotas
  readonly #clock: Clock
  readonly #client: QuotaClient
  /** Spent on the request, and not recorded yet. */
  #spentMs = 0
  /** Since when the thread has been at it; null while it waits. */
  #runningSinceMs: number | null
  #isRequestRecorded = false
  #waitMs = 0
  /** Until when changes of topics have to wait; the request itself may take part of that time. */
  #mutationUntilMs = 0

  constructor(deps: { quotas: Quotas; clock: Clock }, connection: Throttled, client: QuotaClient) {
    this.#connection = connection
    this.#quotas = deps.quotas
    this.#clock = deps.clock
    this.#client = client
    this.#runningSinceMs = deps.clock.monotonicMs()
  }

  /** The request waits, or is done: from now on the time is somebody else's. */
  pause(): void {
    const nowMs = this.#clock.monotonicMs()
    this.#spentMs += nowMs - (this.#runningSinceMs ?? nowMs)
    this.#runningSinceMs = null
  }

  /** The thread is at it again. */
  resume(): void {
    this.#runningSinceMs ??= this.#clock.monotonicMs()
  }

  /** Does a part of the work that follows a wait. */
  readonly timed = <T>(work: () => T): T => {
    this.resume()
    try {
      return work()
    } finally {
      this.pause()
    }
  }

  /** Whether `count` partitions may be made or removed now. Not strictly, the answer is always yes, and the client waits. */
  permitMutation(count: number, isStrict: boolean): boolean {
    const nowMs = this.#clock.monotonicMs()
    const permit = this.#quotas.mutation.permit(this.#client, count, { isStrict, nowMs })
    this.#mutationUntilMs = Math.max(this.#mutationUntilMs, nowMs + permit.throttleMs)
    return permit.isGranted
  }

  /** The most that a fetch may give without certainly going beyond its quota. */
  get fetchMaxBytes(): number {
    return this.#quotas.fetch.maxAtOnce(this.#client)
  }

  /** Counts an answer of so many bytes; false if it must be sent empty instead, and then it did not count. */
  permitFetch(bytes: number): boolean {
    const nowMs = this.#clock.monotonicMs()
    this.#recordRequest(nowMs)
    this.#waitMs = Math.max(this.#waitMs, this.#quotas.fetch.record(this.#client, bytes, nowMs))
    if (this.#waitMs === 0) return true
    this.#quotas.fetch.recordQuietly(this.#client, -bytes, nowMs)
    return false
  }

  /** Counts the rest when the answer is known, holds the client up if need be, and puts the wait into the answer. */
  finish(apiKey: number, requestBytes: number, answer: object | null): object | null {
    const nowMs = this.#clock.monotonicMs()
    if (apiKey === ApiKey.Produce) {
      const waitMs = this.#quotas.produce.record(this.#client, requestBytes, nowMs)
      this.#waitMs = Math.max(this.#waitMs, waitMs)
    }
    // Who takes no answer is not asked to wait for the time of its request.
    if (answer !== null && !EXEMPT.has(apiKey)) this.#recordRequest(nowMs)
    const throttleTimeMs = Math.round(Math.max(this.#waitMs, this.#mutationUntilMs - nowMs))
    if (throttleTimeMs <= 0) return answer
    this.#connection.mute(throttleTimeMs)
    return answer && { ...answer, throttleTimeMs }
  }

  /** Counts what was spent since the answer was made: too late to tell the client, its next request does. */
  onEncoded(apiKey: number): void {
    this.pause()
    if (EXEMPT.has(apiKey)) return
    const nowMs = this.#clock.monotonicMs()
    this.#quotas.request.recordQuietly(this.#client, this.#takePercent(nowMs), nowMs)
  }

  #recordRequest(nowMs: number): void {
    if (this.#isRequestRecorded) return
    this.#isRequestRecorded = true
    const waitMs = this.#quotas.request.record(this.#client, this.#takePercent(nowMs), nowMs)
    this.#waitMs = Math.max(this.#waitMs, waitMs)
  }

  #takePercent(nowMs: number): number {
    const spentMs = this.#spentMs + nowMs - (this.#runningSinceMs ?? nowMs)
    this.#spentMs = 0
    if (this.#runningSinceMs !== null) this.#runningSinceMs = nowMs
    return spentMs * PERCENT_SECONDS_PER_MS
  }
}
