import type { Clock } from '@millrace/base'
import { refusedRecordsOf } from '@millrace/log'
import type { Logger } from '@millrace/telemetry'
import { ErrorCode, errorText } from '@millrace/wire'
import { DelayedFetch } from './delayed-fetch'
import { deleteRecordsOf, type DeleteRecordsResult } from './delete-records'
import { DelayedProduce, type PartitionAppendResult } from './delayed-produce'
import type { FetchEntry, PartitionFetchResult } from './fetch-entry'
import {
  readPartitions,
  type FetchPass,
  type FetchRequest,
  type PartitionLookup,
} from './fetch-request'
import { isLogFailure, toWireFailure } from './log-error-codes'
import type { Marker, Partition } from './partition'
import { Replicas, type ReplicasDeps, type ReplicatedTopics } from './replicas'
import { Traffic } from './traffic'

/** Refusals with which Kafka does not tell where the log begins. */
const START_NOT_TOLD: ReadonlySet<number> = new Set([
  ErrorCode.CORRUPT_MESSAGE,
  ErrorCode.MESSAGE_TOO_LARGE,
  ErrorCode.RECORD_LIST_TOO_LARGE,
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
])
/** Fetches that may wait at once. Beyond it a fetch is answered at once with what there is. */
const MAX_WAITING_FETCHES = 20_000
/** A longer wait is cut to this, so that an abandoned connection does not hold its fetch for ever. */
const MAX_FETCH_WAIT_MS = 60_000

export interface AppendEntry {
  readonly topic: string
  readonly partition: number
  /** Whole batches; owned by the log from here on. */
  readonly records: Buffer
  /** The guard of a transactional batch, from `Log.startVerification`. */
  readonly verification?: number
}
/** The end of a producer's transaction in one partition, which the log writes as a batch of its own. */
export interface MarkerEntry {
  readonly topic: string
  readonly partition: number
  readonly marker: Marker
}
export interface AppendRequest {
  /** 1 and -1 both wait until the batch is safe; 0 does not wait. */
  readonly acks: -1 | 0 | 1
  readonly timeoutMs: number
  readonly origin: 'client' | 'coordinator'
  readonly entries: readonly (AppendEntry | MarkerEntry)[]
}

/** All replicas of this node: the door through which everything is appended and read. */
export class ReplicaManager {
  readonly #replicas: Replicas
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #waitingFetches = new Set<DelayedFetch>()
  #waitingAppendCount = 0
  /** For whoever counts what the node does. */
  readonly traffic = new Traffic()

  constructor(deps: ReplicasDeps & { readonly clock: Clock }, options: { nodeId: number }) {
    this.#replicas = new Replicas(deps, options)
    this.#clock = deps.clock
    this.#logger = deps.logger
  }

  /** Appends that wait until they are safe now. */
  get waitingAppendCount(): number {
    return this.#waitingAppendCount
  }

  /** Fetches that wait for records now. */
  get waitingFetchCount(): number {
    return this.#waitingFetches.size
  }

  /** Every replica that this node has and that is not offline. */
  partitions(): Iterable<Partition> {
    return this.#replicas.all()
  }

  /** Undefined for one that is offline, as for one that does not exist: `missingError` tells them apart. */
  partition(topic: string, index: number): Partition | undefined {
    const partition = this.#replicas.find(topic, index)
    return partition?.isOffline === true ? undefined : partition
  }

  /** It should be here, and its log directory has failed: `partition` does not give it. */
  isOffline(topic: string, index: number): boolean {
    return this.#replicas.isOffline(topic, index)
  }

  /** The wire error of a partition that is not there. */
  missingError(topic: string, index: number): number {
    return this.isOffline(topic, index)
      ? ErrorCode.KAFKA_STORAGE_ERROR
      : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  }

  /** See `Replicas.applyMetadata`. @throws REPLICATION_LOG_NOT_OPENED */
  async applyMetadata(
    image: ReplicatedTopics,
    changedTopics: Iterable<string>,
    options: { readonly isStart?: boolean } = {},
  ): Promise<void> {
    const changed = [...changedTopics]
    try {
      await this.#replicas.applyMetadata(image, changed, options)
    } finally {
      for (const name of changed) {
        if (image.topics.has(name))
          this.traffic.of(name) // so that a topic is seen before its first record
        else this.traffic.delete(name)
      }
    }
  }

  /** See `Replicas.deleteStrays`: for the start, before the first `applyMetadata`. */
  deleteStrays(image: ReplicatedTopics): Promise<void> {
    return this.#replicas.deleteStrays(image)
  }

  /** Resolves when every change of the topic that was handed to `applyMetadata` before is in force, or rejects as that did. */
  whenApplied(topic: string): Promise<void> {
    return this.#replicas.whenApplied(topic)
  }

  /** Resolves when every change is in force or has failed. */
  whenAllApplied(): Promise<void> {
    return this.#replicas.whenAllApplied()
  }

  /** Appends to every partition, then waits until all of it is safe. Never rejects: failures are in the results. */
  append(request: AppendRequest): Promise<PartitionAppendResult[]> {
    const { entries, acks } = request
    const results: PartitionAppendResult[] = new Array(entries.length)
    const nextOffsets: number[] = new Array(entries.length)
    let pending = 0
    for (let i = 0; i < entries.length; i++) {
      nextOffsets[i] = this.#appendEntry(entries[i], request, results, i)
      if (nextOffsets[i] >= 0) pending += 1
    }
    if (acks === 0 || pending === 0) return Promise.resolve(results)
    return new Promise((resolve) => this.#awaitSafe(request, { results, nextOffsets, resolve }))
  }

  /**
   * Reads; waits for more when less than `minBytes` is there. The results come at once, without a promise, when there is
   * nothing to wait for: who has many requests can then count what the answers take before the next one. Never rejects:
   * failures are in the results.
   */
  fetch(request: FetchRequest): PartitionFetchResult[] | Promise<PartitionFetchResult[]> {
    const partitionOf: PartitionLookup = ({ topic, partition }) =>
      topic === null ? undefined : this.partition(topic, partition)
    const errorOf = ({ topic, partition }: FetchEntry) => this.missingError(topic ?? '', partition)
    const read = (): FetchPass => readPartitions(request, partitionOf, errorOf)
    const pass = read()
    const mayWait =
      request.maxWaitMs > 0 &&
      pass.sizeBytes < request.minBytes &&
      !pass.isUrgent &&
      request.entries.length > 0 &&
      this.#waitingFetches.size < MAX_WAITING_FETCHES
    if (!mayWait) {
      this.traffic.countReads(pass.results)
      return pass.results
    }
    const { timed } = request
    return new Promise((resolve) => {
      const fetch: DelayedFetch = new DelayedFetch(
        { clock: this.#clock },
        {
          request,
          pass,
          partitionOf,
          maxWaitMs: Math.min(request.maxWaitMs, MAX_FETCH_WAIT_MS),
          read: timed === undefined ? read : () => timed(read),
          settle: (results) => {
            this.#waitingFetches.delete(fetch)
            this.traffic.countReads(results)
            resolve(results)
          },
        },
      )
      this.#waitingFetches.add(fetch)
    })
  }

  /** Deletes the records below an offset; see `deleteRecordsOf`. Never rejects. */
  deleteRecords(
    of: { readonly topic: string; readonly partition: number },
    request: { readonly offset: number; readonly timeoutMs: number },
  ): Promise<DeleteRecordsResult> {
    const partition = this.partition(of.topic, of.partition)
    if (partition) return deleteRecordsOf(partition, request, this.#clock)
    const errorCode = this.missingError(of.topic, of.partition)
    return Promise.resolve({ errorCode, lowWatermark: -1 })
  }

  /** Answers all fetches that wait, so that connections can be closed. */
  releaseFetches(): void {
    for (const fetch of this.#waitingFetches) fetch.finish()
  }

  /** Appends one entry and fills its result. Returns the offset to wait for, or -1 if it has failed. */
  #appendEntry(
    entry: AppendEntry | MarkerEntry,
    request: AppendRequest,
    results: PartitionAppendResult[],
    at: number,
  ): number {
    const { topic, partition: index } = entry
    const partition = this.partition(topic, index)
    const refusal = partition?.appendRefusal(request.acks) ?? this.missingError(topic, index)
    if (!partition || refusal !== ErrorCode.NONE) {
      results[at] = failedAppend(entry, refusal, errorText(refusal))
      return -1
    }
    const traffic = this.traffic.of(topic)
    traffic.appends += 1
    try {
      const appended =
        'marker' in entry
          ? partition.appendMarker(entry.marker)
          : partition.append(entry.records, request.origin, entry.verification)
      results[at] = {
        topic,
        partition: index,
        errorCode: ErrorCode.NONE,
        errorMessage: null,
        baseOffset: appended.firstOffset,
        logAppendTimeMs: appended.logAppendTime,
        logStartOffset: appended.logStartOffset,
        recordErrors: [],
      }
      traffic.recordsIn += appended.nextOffset - appended.firstOffset
      if ('records' in entry) traffic.bytesIn += entry.records.length
      return appended.nextOffset
    } catch (error) {
      traffic.failedAppends += 1
      const failure = toWireFailure(error)
      if (!isLogFailure(error))
        this.#logger.error('append failed', { topic, partition: index, error })
      results[at] = {
        ...failedAppend(entry, failure.errorCode, failure.errorMessage),
        logStartOffset: START_NOT_TOLD.has(failure.errorCode) ? -1 : partition.log.logStartOffset,
        recordErrors: refusedRecordsOf(error),
      }
      return -1
    }
  }

  /** ACK-1: no result leaves before the high watermark has passed its batch. */
  #awaitSafe(
    request: AppendRequest,
    appended: {
      results: PartitionAppendResult[]
      nextOffsets: readonly number[]
      resolve: (results: PartitionAppendResult[]) => void
    },
  ): void {
    const { results, nextOffsets, resolve } = appended
    // A coordinator's memory follows its log: it must not go back behind a record that is stored later.
    const waitsForRoom = request.origin === 'coordinator'
    this.#waitingAppendCount += 1
    const settle = (settled: PartitionAppendResult[]): void => {
      this.#waitingAppendCount -= 1
      resolve(settled)
    }
    const delayed = new DelayedProduce(
      { clock: this.#clock },
      { timeoutMs: request.timeoutMs, waitsForRoom, results, nextOffsets, resolve: settle },
    )
    for (let i = 0; i < nextOffsets.length; i++) {
      if (nextOffsets[i] < 0) continue
      const { topic, partition } = request.entries[i]
      // One that went offline with a later entry says so itself.
      delayed.waitFor(this.#replicas.find(topic, partition)!, nextOffsets[i], i)
    }
  }
}

function failedAppend(
  entry: AppendEntry | MarkerEntry,
  errorCode: number,
  message: string | null,
): PartitionAppendResult {
  return {
    topic: entry.topic,
    partition: entry.partition,
    errorCode,
    errorMessage: message,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    recordErrors: [],
  }
}
