import { errorMessage, type Clock } from '@millrace/base'
import { refusedRecordsOf, type LogConfig, type LogManager } from '@millrace/log'
import type { Logger } from '@millrace/telemetry'
import { ErrorCode, errorText } from '@millrace/wire'
import { DelayedFetch } from './delayed-fetch'
import { deleteRecordsOf, type DeleteRecordsResult } from './delete-records'
import { DelayedProduce, type PartitionAppendResult } from './delayed-produce'
import { replicationErrors } from './errors'
import type { FetchEntry, PartitionFetchResult } from './fetch-entry'
import {
  readPartitions,
  type FetchPass,
  type FetchRequest,
  type PartitionLookup,
} from './fetch-request'
import { isLogFailure, toWireFailure } from './log-error-codes'
import { type Marker, Partition, type PartitionAssignment } from './partition'
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

/** What this library needs to know of a topic; the controller's image has it. */
export interface ReplicatedTopic {
  readonly id: string
  readonly name: string
  readonly partitions: readonly (PartitionAssignment & { readonly index: number })[]
  readonly configs: Readonly<Record<string, string>>
}
export interface ReplicatedTopics {
  readonly topics: ReadonlyMap<string, ReplicatedTopic>
}

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

/** Hears which partitions this node begins and ceases to lead. */
export interface LeadershipListener {
  onElected(topic: string, partition: number): void
  onResigned(topic: string, partition: number): void
}

/** All replicas of this node: the door through which everything is appended and read. */
export class ReplicaManager {
  readonly #logManager: LogManager
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #nodeId: number
  readonly #logConfigOf: (topic: ReplicatedTopic) => LogConfig
  readonly #leadership: LeadershipListener
  /** At the position of its index; empty where another node has the replica. */
  readonly #partitions = new Map<string, (Partition | undefined)[]>()
  /** By topic the partitions whose log could not be opened: they may be in a directory that is offline, and are not made anew. */
  readonly #offline = new Map<string, Set<number>>()
  readonly #waitingFetches = new Set<DelayedFetch>()
  /** For whoever counts what the node does. */
  readonly traffic = new Traffic()
  /** The last change of each topic that is not in force (yet): those of one topic are carried out one after the other. */
  readonly #applying = new Map<string, Promise<void>>()

  constructor(
    deps: {
      logManager: LogManager
      clock: Clock
      logger: Logger
      leadership: LeadershipListener
      /** The broker's defaults with the topic's own configs on top. */
      logConfigOf: (topic: ReplicatedTopic) => LogConfig
    },
    options: { nodeId: number },
  ) {
    this.#logManager = deps.logManager
    this.#clock = deps.clock
    this.#logger = deps.logger
    this.#leadership = deps.leadership
    this.#logConfigOf = deps.logConfigOf
    this.#nodeId = options.nodeId
  }

  /** Fetches that wait for records now. */
  get waitingFetchCount(): number {
    return this.#waitingFetches.size
  }

  /** Every replica that this node has. */
  *partitions(): Iterable<Partition> {
    for (const partitions of this.#partitions.values())
      for (const partition of partitions) if (partition) yield partition
  }

  partition(topic: string, index: number): Partition | undefined {
    return this.#partitions.get(topic)?.[index]
  }

  /** The wire error of a partition that is not there. */
  missingError(topic: string, index: number): number {
    return this.#offline.get(topic)?.has(index) === true
      ? ErrorCode.KAFKA_STORAGE_ERROR
      : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  }

  /**
   * Makes this node's logs what the image says, for the changed topics: creates, deletes, reassigns, reconfigures. Topics
   * do not wait for each other. `isStart` says that logs which should be there may be in a directory that has failed: those
   * partitions are offline then, and the others are served.
   * @throws REPLICATION_LOG_NOT_OPENED after all partitions of all topics were tried, but not at the start
   */
  async applyMetadata(
    image: ReplicatedTopics,
    changedTopics: Iterable<string>,
    { isStart = false } = {},
  ): Promise<void> {
    const changes = Array.from(changedTopics, (name) => this.#applyNext(name, image, isStart))
    for (const outcome of await Promise.allSettled(changes)) {
      if (outcome.status === 'rejected') throw outcome.reason
    }
  }

  /**
   * Deletes logs whose topic the cluster does not have: a crash came between the deletion of the topic and that of its log.
   * For the start, before the first `applyMetadata`. Another cluster's directories never get here: the log manager refuses them.
   */
  async deleteStrays(image: ReplicatedTopics): Promise<void> {
    for (const { topic, partition, topicId } of this.#logManager.logs()) {
      if (image.topics.get(topic)?.id === topicId) continue
      this.#logger.warn('log of a deleted topic is removed', { topic, partition, topicId })
      await this.#logManager.deleteLog(topic, partition)
    }
  }

  /** Resolves when every change of the topic that was handed to `applyMetadata` before is in force, or rejects as that did. */
  async whenApplied(topic: string): Promise<void> {
    await this.#applying.get(topic)
  }

  /** Resolves when every change is in force or has failed. */
  async whenAllApplied(): Promise<void> {
    await Promise.allSettled(this.#applying.values())
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
    return new Promise((resolve) => {
      const fetch: DelayedFetch = new DelayedFetch(
        { clock: this.#clock },
        {
          request,
          pass,
          partitionOf,
          maxWaitMs: Math.min(request.maxWaitMs, MAX_FETCH_WAIT_MS),
          read,
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
    const delayed = new DelayedProduce(
      { clock: this.#clock },
      { timeoutMs: request.timeoutMs, results, nextOffsets, resolve },
    )
    for (let i = 0; i < nextOffsets.length; i++) {
      if (nextOffsets[i] < 0) continue
      const { topic, partition } = request.entries[i]
      delayed.waitFor(this.partition(topic, partition)!, nextOffsets[i], i)
    }
  }

  #applyNext(name: string, image: ReplicatedTopics, isStart: boolean): Promise<void> {
    const before = this.#applying.get(name) ?? Promise.resolve()
    const applied = before
      .catch(() => undefined) // told to those who waited for it
      .then(() => this.#applyTopic(name, image.topics.get(name), isStart))
      .then(
        () => {
          if (this.#applying.get(name) === applied) this.#applying.delete(name)
        },
        (error: unknown) => {
          this.#logger.error('topic not applied', { topic: name, error })
          throw error
        },
      )
    this.#applying.set(name, applied)
    return applied
  }

  async #applyTopic(
    name: string,
    topic: ReplicatedTopic | undefined,
    isStart: boolean,
  ): Promise<void> {
    await this.#removeStale(name, topic)
    if (!topic) {
      this.#offline.delete(name)
      return
    }
    const config = this.#logConfigOf(topic)
    const failures: unknown[] = []
    for (const assignment of topic.partitions) {
      if (!assignment.replicas.includes(this.#nodeId)) continue
      const existing = this.partition(name, assignment.index)
      if (existing) {
        existing.log.updateConfig(config)
        this.#reassign(existing, assignment)
      } else {
        const isNew = !isStart && !this.#offline.get(name)?.has(assignment.index)
        await this.#open(topic, { assignment, config, isNew }).catch((error: unknown) => {
          failures.push(error)
          this.#noteOffline(name, assignment.index)
        })
      }
    }
    if (failures.length === 0) return
    if (!isStart) throw failures[0]
    this.#logger.error('partitions are offline', {
      topic: name,
      partitions: [...this.#offline.get(name)!].join(),
      error: failures[0],
    })
  }

  #noteOffline(topic: string, index: number): void {
    const partitions = this.#offline.get(topic) ?? new Set()
    partitions.add(index)
    this.#offline.set(topic, partitions)
  }

  #reassign(partition: Partition, assignment: PartitionAssignment): void {
    const wasLeader = partition.isLeader
    partition.assign(assignment)
    if (partition.isLeader && !wasLeader)
      this.#leadership.onElected(partition.topic, partition.index)
    if (!partition.isLeader && wasLeader)
      this.#leadership.onResigned(partition.topic, partition.index)
  }

  async #open(
    topic: ReplicatedTopic,
    replica: {
      readonly assignment: PartitionAssignment & { readonly index: number }
      readonly config: LogConfig
      /** There is no log of it anywhere yet, so it may be made in any directory. */
      readonly isNew: boolean
    },
  ): Promise<void> {
    const { name, id } = topic
    const { assignment, config, isNew } = replica
    const existing = this.#logManager.log(name, assignment.index)
    existing?.updateConfig(config) // metadata may have moved on since it was opened
    const log =
      existing ??
      (await this.#logManager
        .createLog({ topic: name, partition: assignment.index, topicId: id, config, isNew })
        .catch((cause: unknown) => {
          throw replicationErrors.create(
            'REPLICATION_LOG_NOT_OPENED',
            { topic: name, partition: assignment.index, reason: errorMessage(cause) },
            { cause },
          )
        }))
    const partition = new Partition({ log }, { nodeId: this.#nodeId, assignment })
    const partitions = this.#partitions.get(name) ?? []
    partitions[assignment.index] = partition
    this.#partitions.set(name, partitions)
    this.#offline.get(name)?.delete(assignment.index)
    this.traffic.of(name) // so that a topic is seen before its first record
    if (partition.isLeader) this.#leadership.onElected(name, assignment.index)
  }

  /** Gives up the replicas of a topic that is gone, was made anew under another id, or no longer lives here. */
  async #removeStale(name: string, topic: ReplicatedTopic | undefined): Promise<void> {
    const partitions = this.#partitions.get(name)
    if (!partitions) return
    for (const partition of partitions) {
      if (!partition) continue
      const assignment = topic?.partitions.find(({ index }) => index === partition.index)
      const stays =
        topic?.id === partition.log.topicId && assignment?.replicas.includes(this.#nodeId)
      if (stays) continue
      partitions[partition.index] = undefined
      if (partition.isLeader) this.#leadership.onResigned(name, partition.index)
      partition.retire(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      await this.#logManager.deleteLog(name, partition.index)
    }
    if (topic) return
    this.#partitions.delete(name)
    this.traffic.delete(name)
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
