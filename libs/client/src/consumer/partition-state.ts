import type { FetchedBatches, TopicPartition } from '../options'

/** Where a partition's position is to come from while it has none. */
export type PositionSource = 'committed' | 'reset'

/** Unlike names joined by a dash, no two partitions share it: a topic name holds no slash. */
export function partitionKey({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}

/** One assigned partition: how far it was read, and what is fetched of it. */
export class PartitionState {
  readonly key: string
  readonly topic: string
  readonly partition: number
  /** Of the next record that `poll` is to return; null until it was looked up. */
  #position: number | null = null
  #source: PositionSource = 'committed'
  /** Grows whenever what is under way for the partition has become void. */
  #epoch = 0
  #isPaused = false
  #fetched: readonly FetchedBatches[] = []
  #positionAfterFetched = 0
  /** The broker that `fetched` came from; it is asked for more when `poll` has taken that. */
  #fetchedFrom = -1
  #failure: Error | null = null
  #attemptCount = 0
  /** Until a pause after a failure is over. */
  #isWaiting = false

  constructor({ topic, partition }: TopicPartition) {
    this.key = partitionKey({ topic, partition })
    this.topic = topic
    this.partition = partition
  }

  get position(): number | null {
    return this.#position
  }
  get source(): PositionSource {
    return this.#source
  }
  get epoch(): number {
    return this.#epoch
  }
  get isPaused(): boolean {
    return this.#isPaused
  }
  get hasFetched(): boolean {
    return this.#fetched.length > 0
  }
  get fetchedFrom(): number {
    return this.#fetchedFrom
  }
  /** Failures since the last success. */
  get attemptCount(): number {
    return this.#attemptCount
  }

  get isFetchable(): boolean {
    const isIdle = !this.#isPaused && !this.hasFetched && !this.#isHeld
    return isIdle && this.#position !== null
  }
  /** Whether the position is to be looked up. */
  get isPositionWanted(): boolean {
    return this.#position === null && !this.#isHeld
  }

  /** Goes on from another offset; what was fetched or is being fetched is dropped. */
  seek(offset: number): void {
    this.#startOver()
    this.#position = offset
  }
  /** The position is to be looked up anew. */
  forgetPosition(source: PositionSource): void {
    this.#startOver()
    this.#position = null
    this.#source = source
  }
  /** What was fetched is dropped, so that paused partitions hold no memory; it is fetched again after `resume`. */
  pause(): void {
    this.#isPaused = true
    this.#fetched = []
  }
  resume(): void {
    this.#isPaused = false
  }

  /** The look-up found no committed offset: the reset policy decides. */
  onNotCommitted(): void {
    this.#source = 'reset'
  }
  onPosition(offset: number): void {
    this.#position = offset
    this.#onSuccess()
  }
  /** `nextOffset` is where to go on after `batches`, which may be empty. */
  onFetched(batches: readonly FetchedBatches[], nextOffset: number, brokerId: number): void {
    this.#onSuccess()
    if (batches.length === 0) {
      this.#position = nextOffset
      return
    }
    this.#fetched = batches
    this.#positionAfterFetched = nextOffset
    this.#fetchedFrom = brokerId
  }
  /** To be thrown by the next `poll`. */
  onFailure(error: Error): void {
    this.#failure = error
  }
  /** Nothing is tried until `onRetryDue`. */
  onRetry(): void {
    this.#attemptCount += 1
    this.#isWaiting = true
  }
  onRetryDue(): void {
    this.#isWaiting = false
  }

  /** Hands out what was fetched and moves on. */
  take(): readonly FetchedBatches[] {
    const fetched = this.#fetched
    if (fetched.length === 0) return fetched
    this.#fetched = []
    this.#position = this.#positionAfterFetched
    return fetched
  }
  /** Hands out the failure, null if there is none; after it the partition is tried again. */
  takeFailure(): Error | null {
    const failure = this.#failure
    this.#failure = null
    return failure
  }

  get #isHeld(): boolean {
    return this.#isWaiting || this.#failure !== null
  }
  #startOver(): void {
    this.#epoch += 1
    this.#fetched = []
    this.#failure = null
    this.#onSuccess()
  }
  #onSuccess(): void {
    this.#attemptCount = 0
    this.#isWaiting = false
  }
}

/** The assigned partitions, in the order in which they are asked for. */
export class PartitionSet implements Iterable<PartitionState> {
  readonly #states = new Map<string, PartitionState>()

  get size(): number {
    return this.#states.size
  }
  [Symbol.iterator](): Iterator<PartitionState> {
    return this.#states.values()
  }
  get(partition: TopicPartition): PartitionState | undefined {
    return this.#states.get(partitionKey(partition))
  }
  list(): TopicPartition[] {
    return [...this].map(({ topic, partition }) => ({ topic, partition }))
  }
  /** Whether work that began for this state still counts. */
  isCurrent(state: PartitionState, epoch: number): boolean {
    return this.get(state) === state && state.epoch === epoch
  }

  /** Partitions that stay keep their state. */
  replace(partitions: readonly TopicPartition[]): void {
    const kept = partitions.map((one) => this.get(one) ?? new PartitionState(one))
    this.#states.clear()
    for (const state of kept) this.#states.set(state.key, state)
  }
  clear(): void {
    this.#states.clear()
  }
  /** To the back: a partition that just gave data must not keep the others from being served. */
  yield(state: PartitionState): void {
    if (this.#states.delete(state.key)) this.#states.set(state.key, state)
  }
}
