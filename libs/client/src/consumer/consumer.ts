import { protocolError } from '@millrace/wire'
import type { Cluster } from '../cluster'
import { clientErrors } from '../errors'
import { type Committer, GroupOffsets } from '../group/group-offsets'
import { Wakeup } from '../group/wakeup'
import type {
  ClientDeps,
  ConsumerOptions,
  FetchedBatches,
  TopicPartition,
  TopicPartitionOffset,
} from '../options'
import { Fetcher } from './fetcher'
import { ConsumerMembership, type ConsumerListener } from './membership'
import { type PartitionState, PartitionSet } from './partition-state'
import { Positions } from './positions'
import { type ConsumerSettings, consumerSettings } from './settings'
import type { Subscription } from './subscribed-topics'

export type { ConsumerListener } from './membership'
export type { Subscription } from './subscribed-topics'

/** Reads partitions: those that it is assigned by its caller, or its share of a group's. Not for concurrent polls. */
export interface Consumer {
  /** Reads exactly these partitions, outside of group management. Partitions that stay keep their position. */
  assign(partitions: readonly TopicPartition[]): void
  /** Joins the group with the next `poll`. Once per consumer. @throws CLIENT_NO_GROUP */
  subscribe(subscription: Subscription, listener: ConsumerListener): void
  /**
   * Everything that has been fetched since the last call, at once if there is something. Calls the listener, so it has to
   * be called regularly also while all partitions are paused. What may pass is tried again by itself, without an error.
   * @throws CLIENT_CORRUPT_BATCH, CLIENT_NO_OFFSET, CLIENT_OFFSET_OUT_OF_RANGE, CLIENT_CLOSED; ProtocolError, as for a
   *   missing right; what the listener throws. The next call goes on where this one failed.
   */
  poll(timeoutMs: number): Promise<FetchedBatches[]>
  /** Nothing of the partitions is returned until `resume`. Partitions that are not assigned are passed over. */
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  /** The next `poll` goes on there. @throws CLIENT_NOT_ASSIGNED */
  seek(partition: TopicPartition, offset: number): void
  /** Offset of the next record that `poll` is to return; null while it is looked up, or if not assigned. */
  position(partition: TopicPartition): number | null
  /**
   * Stores offsets (of the next record to read) for the group; they are durable when it resolves.
   * @throws CLIENT_GROUP_MOVED_ON, if this member has no place in the group any more; CLIENT_NO_GROUP; ProtocolError
   */
  commit(offsets: readonly TopicPartitionOffset[]): Promise<void>
  /** Ends a `poll` that is under way, calls `onRevoked`, leaves the group. Not to be awaited by the listener. */
  close(): Promise<void>
}

/** The consumer over our own connections. */
export class GroupConsumer implements Consumer {
  readonly #deps: ClientDeps
  readonly #cluster: Cluster
  readonly #options: ConsumerSettings
  readonly #partitions = new PartitionSet()
  readonly #wakeup: Wakeup
  readonly #offsets: GroupOffsets | null
  readonly #positions: Positions
  readonly #fetcher: Fetcher
  readonly #aborter = new AbortController()
  #membership: ConsumerMembership | null = null
  #polling: Promise<FetchedBatches[]> | null = null
  #closing: Promise<void> | null = null

  /** The consumer closes the cluster with itself: a long poll or a join must not hold back other consumers. */
  constructor(deps: ClientDeps, cluster: Cluster, options: ConsumerOptions) {
    this.#deps = deps
    this.#cluster = cluster
    this.#options = consumerSettings(options)
    this.#wakeup = new Wakeup(deps.clock)
    this.#offsets = this.#createOffsets()
    const partitions = this.#partitions
    const onProgress = () => this.#wakeup.wake()
    this.#positions = new Positions(
      { ...deps, cluster, partitions, offsets: this.#offsets },
      { ...this.#options, onProgress },
    )
    this.#fetcher = new Fetcher({ ...deps, cluster, partitions }, { ...this.#options, onProgress })
  }

  assign(partitions: readonly TopicPartition[]): void {
    if (this.#membership !== null) throw new TypeError('the consumer is subscribed')
    this.#partitions.replace(partitions)
    this.#wakeup.wake()
  }

  subscribe(subscription: Subscription, listener: ConsumerListener): void {
    const { groupId } = this.#options
    if (groupId === null) throw clientErrors.create('CLIENT_NO_GROUP', { action: 'subscribe' })
    if (this.#membership !== null) throw new TypeError('the consumer is subscribed already')
    this.#partitions.clear()
    this.#membership = new ConsumerMembership(
      { ...this.#deps, cluster: this.#cluster, partitions: this.#partitions },
      {
        ...this.#options,
        groupId,
        subscription,
        listener,
        onChange: () => this.#wakeup.wake(),
      },
    )
  }

  async poll(timeoutMs: number): Promise<FetchedBatches[]> {
    if (this.#closing !== null) throw clientErrors.create('CLIENT_CLOSED')
    if (this.#polling !== null) throw new TypeError('another poll is under way')
    this.#polling = this.#pollUntil(this.#deps.clock.monotonicMs() + timeoutMs)
    try {
      return await this.#polling
    } finally {
      this.#polling = null
    }
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const one of partitions) this.#partitions.get(one)?.pause()
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const one of partitions) this.#partitions.get(one)?.resume()
    this.#wakeup.wake()
  }

  seek(partition: TopicPartition, offset: number): void {
    this.#assigned(partition).seek(offset)
    this.#wakeup.wake()
  }

  position(partition: TopicPartition): number | null {
    return this.#partitions.get(partition)?.position ?? null
  }

  async commit(offsets: readonly TopicPartitionOffset[]): Promise<void> {
    if (this.#offsets === null) throw clientErrors.create('CLIENT_NO_GROUP', { action: 'commit' })
    const { groupId } = this.#options
    const session = this.#membership?.session
    if (session !== undefined && session.status !== 'stable' && session.status !== 'rejoin') {
      const reason = 'this member has no place in it now'
      throw clientErrors.create('CLIENT_GROUP_MOVED_ON', { groupId, reason })
    }
    await this.#offsets.commit(offsets, session ?? OUTSIDER)
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #pollUntil(deadlineMs: number): Promise<FetchedBatches[]> {
    while (this.#closing === null) {
      await this.#membership?.advance()
      void this.#positions.lookUp()
      const taken = this.#fetcher.take()
      void this.#fetcher.fetch()
      if (taken.length > 0) return taken
      const leftMs = deadlineMs - this.#deps.clock.monotonicMs()
      if (leftMs <= 0) return []
      await this.#wakeup.wait(leftMs)
    }
    return []
  }

  async #close(): Promise<void> {
    this.#wakeup.wake()
    await this.#polling?.catch(() => undefined) // its caller gets the error
    try {
      await this.#membership?.leave()
    } finally {
      this.#fetcher.close()
      this.#aborter.abort()
      this.#partitions.clear()
      await this.#cluster.close()
    }
  }

  #createOffsets(): GroupOffsets | null {
    const { groupId, groupInstanceId, isReadCommitted: isStableRequired } = this.#options
    if (groupId === null) return null
    const { signal } = this.#aborter
    return new GroupOffsets(
      { ...this.#deps, cluster: this.#cluster },
      { groupId, groupInstanceId, isStableRequired, signal },
    )
  }

  #assigned(partition: TopicPartition): PartitionState {
    const state = this.#partitions.get(partition)
    if (state === undefined) throw clientErrors.create('CLIENT_NOT_ASSIGNED', { ...partition })
    return state
  }
}

/** Commits for a group without being a member of it. */
const OUTSIDER: Committer = {
  memberId: '',
  generationId: -1,
  refused: (errorCode) => protocolError(errorCode),
}
