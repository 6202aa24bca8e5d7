import type { AppendResult, Log, MarkerOptions } from '@millrace/log'
import { ErrorCode } from '@millrace/wire'
import type { FetchWatch } from './delayed-fetch'
import { nextHighWatermark } from './high-watermark'
import { isAtMinIsr, isUnderMinIsr, type IsrState } from './isr'

/** Appends that may wait for one partition's disk. Beyond it new ones are refused, so that memory stays bounded. */
const MAX_WAITING_APPENDS = 50_000

/** Who leads a partition and who follows, as the controller has decided. */
export interface PartitionAssignment {
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

/** How a transaction ends; the partition adds its leader epoch. */
export type Marker = Omit<MarkerOptions, 'leaderEpoch'>

/** Somebody who waits until everything below `nextOffset` is safe. */
export interface HighWatermarkWaiter {
  readonly nextOffset: number
  /** It waits although the disk is full: what it waits for will be stored when there is room, and nothing else will do. */
  readonly waitsForRoom: boolean
  /** NONE when it is, otherwise why it will never be known. */
  onSettled(errorCode: number): void
}

/**
 * This node's replica of one partition: its log, who leads it, and who waits for it. The high watermark passes a batch
 * only after the log's flush (ACK-2), whatever `acks` says; followers' positions join the same minimum when there are any.
 */
export class Partition {
  readonly log: Log
  readonly #onOffline: (partition: Partition) => void
  readonly #nodeId: number
  #assignment: PartitionAssignment
  #leaderEpochStartOffset = 0
  /** In the order of their appends, so offsets rise, but for a retried duplicate, which only waits a little longer. */
  readonly #waiters: HighWatermarkWaiter[] = []
  readonly #fetchWatches = new Set<FetchWatch>()

  /** `onOffline` is called once, when the disk has failed and all who waited were told. */
  constructor(
    deps: { log: Log; onOffline: (partition: Partition) => void },
    options: { nodeId: number; assignment: PartitionAssignment },
  ) {
    this.log = deps.log
    this.#onOffline = deps.onOffline
    this.#nodeId = options.nodeId
    this.#assignment = options.assignment
    this.log.onFlushed = () => this.#onFlushed()
    if (this.isLeader) this.#startLeading()
  }

  get topic(): string {
    return this.log.topic
  }
  get index(): number {
    return this.log.partition
  }
  get leaderEpoch(): number {
    return this.#assignment.leaderEpoch
  }
  get leader(): number {
    return this.#assignment.leader
  }
  get isLeader(): boolean {
    return this.#assignment.leader === this.#nodeId
  }
  /** Where the log stood when this node began to lead: below, its predecessor may have shown more than we know to be safe. */
  get leaderEpochStartOffset(): number {
    return this.#leaderEpochStartOffset
  }
  /** Everything below is safe on every in-sync replica and may be read. */
  get highWatermark(): number {
    return this.log.highWatermark
  }
  /** What a reader of committed records may see: nothing of a transaction before its end is safe. */
  get lastStableOffset(): number {
    return this.log.lastStableOffset
  }
  get isUnderReplicated(): boolean {
    return this.#assignment.isr.length < this.#assignment.replicas.length
  }
  get isUnderMinIsr(): boolean {
    return isUnderMinIsr(this.#isrState)
  }
  get isAtMinIsr(): boolean {
    return isAtMinIsr(this.#isrState)
  }
  get replicaCount(): number {
    return this.#assignment.replicas.length
  }
  get isrCount(): number {
    return this.#assignment.isr.length
  }

  get #isrState(): IsrState {
    const { replicaCount, isrCount } = this
    return { replicaCount, isrCount, minInsyncReplicas: this.log.config.minInsyncReplicas }
  }
  /** Its disk has failed: nobody is served from it any more. */
  get isOffline(): boolean {
    return this.log.isOffline
  }
  get canTakeAppend(): boolean {
    return this.#waiters.length < MAX_WAITING_APPENDS
  }

  /** Takes over the controller's word. An older epoch than the current one is a late message and changes nothing. */
  assign(assignment: PartitionAssignment): void {
    if (assignment.leaderEpoch < this.#assignment.leaderEpoch) return
    const isNewEpoch = assignment.leaderEpoch > this.#assignment.leaderEpoch
    this.#assignment = assignment
    if (!this.isLeader) this.#settleAll(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    else if (isNewEpoch) this.#startLeading()
    else this.#maybeAdvanceHighWatermark()
    if (isNewEpoch) for (const watch of this.#fetchWatches) watch.onChange()
  }

  /** Why an append with these acks must be refused before it touches the log, or NONE. */
  appendRefusal(acks: number): number {
    if (!this.isLeader) return ErrorCode.NOT_LEADER_OR_FOLLOWER
    if (acks === -1 && this.isUnderMinIsr) return ErrorCode.NOT_ENOUGH_REPLICAS
    return this.canTakeAppend ? ErrorCode.NONE : ErrorCode.NOT_ENOUGH_REPLICAS
  }

  /** Appends whole batches; the log owns `records` from here on. @throws the log's errors (`LOG_*`, `RECORD_*`). */
  append(records: Buffer, origin: 'client' | 'coordinator', verification?: number): AppendResult {
    return this.log.append(records, { leaderEpoch: this.leaderEpoch, origin, verification })
  }

  /** Ends a producer's transaction here. @throws the log's errors (`LOG_*`). */
  appendMarker(marker: Marker): AppendResult {
    return this.log.appendMarker({ ...marker, leaderEpoch: this.leaderEpoch })
  }

  /** Tells the waiter when all below its offset is safe; at once if it is already. */
  waitForHighWatermark(waiter: HighWatermarkWaiter): void {
    if (waiter.nextOffset <= this.highWatermark) waiter.onSettled(ErrorCode.NONE)
    else if (this.log.failure) waiter.onSettled(ErrorCode.KAFKA_STORAGE_ERROR)
    else this.#waiters.push(waiter)
  }

  /** Compares the epoch that a client believes in with ours; -1 means that it does not know one. */
  checkLeaderEpoch(claimed: number): number {
    if (!this.isLeader) return ErrorCode.NOT_LEADER_OR_FOLLOWER
    if (claimed === -1 || claimed === this.leaderEpoch) return ErrorCode.NONE
    return claimed < this.leaderEpoch
      ? ErrorCode.FENCED_LEADER_EPOCH
      : ErrorCode.UNKNOWN_LEADER_EPOCH
  }

  addFetchWatch(watch: FetchWatch): void {
    this.#fetchWatches.add(watch)
  }
  removeFetchWatch(watch: FetchWatch): void {
    this.#fetchWatches.delete(watch)
  }

  /** The replica leaves this node: whoever waits is told why. */
  retire(errorCode: number): void {
    this.log.onFlushed = null
    this.#settleAll(errorCode)
  }

  #startLeading(): void {
    this.#leaderEpochStartOffset = this.log.logEndOffset
    // An epoch starts where the log stands, before the first batch that carries it.
    if (this.log.latestEpoch() < this.leaderEpoch)
      this.log.assignEpochStart(this.leaderEpoch, this.log.logEndOffset)
    this.#maybeAdvanceHighWatermark()
  }

  #onFlushed(): void {
    if (this.isOffline) return this.#goOffline()
    if (this.isLeader) this.#maybeAdvanceHighWatermark()
    if (this.log.isOutOfRoom) this.#settleWithoutRoom()
  }

  #goOffline(): void {
    this.log.onFlushed = null
    this.#settleAll(ErrorCode.KAFKA_STORAGE_ERROR)
    this.#onOffline(this)
  }

  #maybeAdvanceHighWatermark(): void {
    const current = this.log.highWatermark
    const next = nextHighWatermark(current, [this.log.flushedOffset])
    if (next === current) return
    this.log.setHighWatermark(next)
    this.#settleReached()
    for (const watch of this.#fetchWatches) watch.onChange()
  }

  #settleReached(): void {
    const reached = this.highWatermark
    let count = 0
    while (count < this.#waiters.length && this.#waiters[count].nextOffset <= reached) count += 1
    for (const waiter of this.#waiters.splice(0, count)) waiter.onSettled(ErrorCode.NONE)
  }

  /** Their batches may be stored all the same when there is room, as after a timeout. */
  #settleWithoutRoom(): void {
    const waiters = this.#waiters.splice(0)
    this.#waiters.push(...waiters.filter(({ waitsForRoom }) => waitsForRoom))
    for (const waiter of waiters) {
      if (!waiter.waitsForRoom) waiter.onSettled(ErrorCode.KAFKA_STORAGE_ERROR)
    }
  }

  #settleAll(errorCode: number): void {
    for (const waiter of this.#waiters.splice(0)) waiter.onSettled(errorCode)
    for (const watch of this.#fetchWatches) watch.onGone()
  }
}
