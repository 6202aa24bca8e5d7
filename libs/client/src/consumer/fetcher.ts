import type { Clock, Random } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import { ErrorCode, FetchRequest, FetchResponse, type Infer } from '@millrace/wire'
import type { Cluster } from '../cluster'
import { clientErrors } from '../errors'
import type { FetchedBatches } from '../options'
import { isRetriableError } from '../retry'
import { AbortedFilter } from './aborted'
import { checkBatches } from './checked-batches'
import { type FailedPartition, holdBack } from './hold-back'
import { partitionKey, type PartitionSet, type PartitionState } from './partition-state'
import type { ConsumerSettings } from './settings'
import { refusal } from '../refusal'

/** Later versions name topics by id. */
const FETCH_MAX_VERSION = 12
/** What an answer may take beyond the wait that was asked for. */
const ANSWER_GRACE_MS = 30_000
const READ_COMMITTED = 1
const NO_RECORDS = Buffer.alloc(0)

export interface FetcherDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly cluster: Cluster
  readonly partitions: PartitionSet
}

export interface FetcherOptions extends ConsumerSettings {
  /** There may be something to `take`, or to fetch again. */
  readonly onProgress: () => void
}

/** What a partition was asked for, to tell whether the answer still counts. */
interface Asked {
  readonly state: PartitionState
  readonly epoch: number
  readonly offset: number
}

type PartitionReply = Infer<typeof FetchResponse>['responses'][number]['partitions'][number]

/**
 * Fetches the partitions that have a position, one request at a time to each leader. A leader is asked again when what
 * it gave was taken, so that it is fetched while the caller works on that.
 */
export class Fetcher {
  readonly #deps: FetcherDeps
  readonly #options: FetcherOptions
  readonly #aborted = new AbortedFilter()
  /** Brokers with a request under way. */
  readonly #busy = new Set<number>()
  #isPlanning = false
  #isPlanStale = false
  #isClosed = false

  constructor(deps: FetcherDeps, options: FetcherOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** What was fetched since the last call. @throws the failure of a partition, if no other has given anything */
  take(): FetchedBatches[] {
    const { partitions } = this.#deps
    const taken: FetchedBatches[] = []
    const ready = [...partitions].filter(({ isPaused, hasFetched }) => hasFetched && !isPaused)
    for (const state of ready) {
      taken.push(...state.take())
      partitions.yield(state)
    }
    if (taken.length > 0) return taken
    for (const state of partitions) {
      const failure = state.takeFailure()
      if (failure !== null) throw failure
    }
    return taken
  }

  /** Sends the requests that are due. Never rejects. */
  async fetch(): Promise<void> {
    this.#isPlanStale = true
    if (this.#isPlanning) return
    this.#isPlanning = true
    while (this.#isPlanStale && !this.#isClosed) {
      this.#isPlanStale = false
      for (const [brokerId, states] of await this.#plan()) void this.#fetchFrom(brokerId, states)
    }
    this.#isPlanning = false
  }

  /** Answers that are still to come are dropped. */
  close(): void {
    this.#isClosed = true
  }

  /** What to ask each leader for. */
  async #plan(): Promise<Map<number, Asked[]>> {
    const { cluster, partitions } = this.#deps
    const due = [...partitions].filter(({ isFetchable }) => isFetchable)
    const epochs = due.map(({ epoch }) => epoch)
    const leaders = await Promise.allSettled(
      due.map(({ topic, partition }) => cluster.leaderOf(topic, partition)),
    )
    const plan = new Map<number, Asked[]>()
    const failed: FailedPartition[] = []
    due.forEach((state, index) => {
      const leader = leaders[index]
      const epoch = epochs[index]
      // The caller may have moved or dropped the partition while its leader was looked up.
      if (!partitions.isCurrent(state, epoch) || state.position === null) return
      if (leader.status === 'rejected') failed.push({ state, error: leader.reason })
      else pushTo(plan, leader.value, { state, epoch, offset: state.position })
    })
    this.#onFailures(failed)
    for (const brokerId of this.#busy) plan.delete(brokerId)
    for (const state of partitions) if (state.hasFetched) plan.delete(state.fetchedFrom)
    return plan
  }

  /** Never rejects. */
  async #fetchFrom(brokerId: number, asked: readonly Asked[]): Promise<void> {
    const { cluster, partitions } = this.#deps
    this.#busy.add(brokerId)
    try {
      const connection = await cluster.connection(brokerId, 'fetch')
      const reply = await connection.send(FetchRequest, FetchResponse, this.#request(asked), {
        maxVersion: FETCH_MAX_VERSION,
        timeoutMs: this.#options.fetchMaxWaitMs + ANSWER_GRACE_MS,
      })
      if (reply.errorCode !== ErrorCode.NONE) throw refusal(reply.errorCode, 'fetch')
      if (!this.#isClosed) this.#onReply(brokerId, asked, reply)
    } catch (error) {
      const current = asked.filter(({ state, epoch }) => partitions.isCurrent(state, epoch))
      this.#onFailures(current.map(({ state }) => ({ state, error })))
    }
    this.#busy.delete(brokerId)
    this.#options.onProgress()
  }

  #request(asked: readonly Asked[]) {
    const topics = [...Map.groupBy(asked, ({ state }) => state.topic)].map(([topic, group]) => ({
      topic,
      partitions: group.map(({ state, offset }) => ({
        partition: state.partition,
        fetchOffset: offset,
        partitionMaxBytes: this.#options.maxPartitionFetchBytes,
      })),
    }))
    return {
      minBytes: this.#options.fetchMinBytes,
      maxBytes: this.#options.fetchMaxBytes,
      maxWaitMs: this.#options.fetchMaxWaitMs,
      isolationLevel: this.#options.isReadCommitted ? READ_COMMITTED : 0,
      topics,
    }
  }

  #onReply(brokerId: number, asked: readonly Asked[], reply: Infer<typeof FetchResponse>): void {
    const { partitions } = this.#deps
    const byKey = new Map(asked.map((one) => [one.state.key, one]))
    const failed: FailedPartition[] = []
    for (const { topic, partitions: replies } of reply.responses) {
      for (const part of replies) {
        const one = byKey.get(partitionKey({ topic, partition: part.partitionIndex }))
        if (one === undefined || !partitions.isCurrent(one.state, one.epoch)) continue
        try {
          this.#onPartition(brokerId, one, part)
        } catch (error) {
          failed.push({ state: one.state, error })
        }
      }
    }
    this.#onFailures(failed)
  }

  /** @throws ProtocolError; PlatformError CLIENT_CORRUPT_BATCH, CLIENT_OFFSET_OUT_OF_RANGE */
  #onPartition(brokerId: number, { state, offset }: Asked, reply: PartitionReply): void {
    const { topic, partition } = state
    if (reply.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) return this.#onOutOfRange(state, offset)
    if (reply.errorCode !== ErrorCode.NONE) throw refusal(reply.errorCode, `${topic}-${partition}`)
    if (state.isPaused) return
    const { highWatermark, abortedTransactions } = reply
    const records = reply.records ?? NO_RECORDS
    const fetched = { topic, partition, highWatermark, records, fromOffset: offset }
    this.#aborted.open(this.#options.isReadCommitted ? (abortedTransactions ?? []) : [])
    const { runs, nextOffset } = checkBatches(fetched, (bytes, at) =>
      this.#aborted.isAborted(bytes, at),
    )
    state.onFetched(runs, nextOffset, brokerId)
  }

  #onOutOfRange(state: PartitionState, offset: number): void {
    const { topic, partition } = state
    const params = { topic, partition, offset }
    if (this.#options.autoOffsetReset === 'none') {
      throw clientErrors.create('CLIENT_OFFSET_OUT_OF_RANGE', params)
    }
    this.#deps.logger.warn('the log has no such offset: the position is reset', params)
    state.forgetPosition('reset')
  }

  /** What may pass is tried again later, with the leaders looked up anew; anything else is for the caller of `take`. */
  #onFailures(failed: readonly FailedPartition[]): void {
    if (failed.length === 0 || this.#isClosed) return
    const passing = failed.filter(({ error }) => isRetriableError(error))
    this.#deps.cluster.invalidate(passing.map(({ state }) => state.topic))
    holdBack(this.#deps, failed, this.#options.onProgress)
  }
}

function pushTo<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}
