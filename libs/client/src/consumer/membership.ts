import type { Timer } from '@millrace/base'
import { CONSUMER_PROTOCOL_TYPE } from '../group/consumer-protocol'
import {
  type GroupPlace,
  GroupSession,
  type GroupSessionDeps,
  type GroupSessionOptions,
} from '../group/session'
import type { TopicPartition } from '../options'
import type { PartitionSet } from './partition-state'
import { SubscribedTopics, type Subscription } from './subscribed-topics'

/** Called from within `poll` and `close`, which go on when the promise resolves. Never with an empty list. */
export interface ConsumerListener {
  /** The partitions are read from now on; a `seek` here comes before the first fetch. */
  onAssigned(partitions: readonly TopicPartition[]): Promise<void>
  /** The partitions are about to go to other members: offsets can still be committed. */
  onRevoked(partitions: readonly TopicPartition[]): Promise<void>
  /** The partitions may have gone to other members already: their offsets cannot be committed any more. */
  onLost(partitions: readonly TopicPartition[]): Promise<void>
}

export interface ConsumerMembershipDeps extends GroupSessionDeps {
  readonly partitions: PartitionSet
}

export interface ConsumerMembershipOptions
  extends Omit<GroupSessionOptions, 'protocolType' | 'onChange'> {
  readonly subscription: Subscription
  readonly listener: ConsumerListener
  /** How often the subscribed topics are looked up. */
  readonly metadataMaxAgeMs: number
  /** `advance` has something to do. */
  readonly onChange: () => void
}

/** A consumer's share of its group's partitions. All are given up before each round of the group (eager rebalance). */
export class ConsumerMembership {
  readonly #deps: ConsumerMembershipDeps
  readonly #options: ConsumerMembershipOptions
  readonly #session: GroupSession
  readonly #topics: SubscribedTopics
  #isJoining = false
  /** The outcome of a join that `advance` is still to act on. */
  #joined: GroupPlace | null = null
  #failure: Error | null = null
  #watchTimer: Timer | null = null

  constructor(deps: ConsumerMembershipDeps, options: ConsumerMembershipOptions) {
    this.#deps = deps
    this.#options = options
    this.#session = new GroupSession(deps, { ...options, protocolType: CONSUMER_PROTOCOL_TYPE })
    this.#topics = new SubscribedTopics(deps.cluster, options.subscription)
  }

  get session(): GroupSession {
    return this.#session
  }

  /** Does what the group asks for by now: gives partitions up, joins, takes partitions. @throws what the listener throws */
  async advance(): Promise<void> {
    const { status } = this.#session
    if (status === 'lost' || status === 'rejoin') await this.#giveUp()
    if (this.#failure !== null) {
      const failure = this.#failure
      this.#failure = null
      throw failure
    }
    if (this.#joined !== null) await this.#takeUp(this.#joined)
    else if (!this.#isJoining && this.#session.status !== 'stable') this.#join()
  }

  /** @throws what the listener throws; the group is left all the same */
  async leave(): Promise<void> {
    this.#watchTimer?.cancel()
    try {
      await this.#giveUp()
    } finally {
      await this.#session.leave()
    }
  }

  /** In the background: a round may take as long as its slowest member. */
  #join(): void {
    this.#watchTimer?.cancel()
    this.#isJoining = true
    const { groupId, onChange } = this.#options
    const { logger } = this.#deps
    const round = {
      protocols: () => this.#topics.protocols(),
      assign: (members: Parameters<SubscribedTopics['assign']>[0]) => this.#topics.assign(members),
      // An outage is one line.
      onRetry: (error: unknown, attempt: number) =>
        logger[attempt === 0 ? 'warn' : 'debug']('joining a group failed and is tried again', {
          groupId,
          error,
        }),
    }
    const onJoined = (place: GroupPlace) => {
      this.#joined = place
      // A static leader that came back was not asked to share out, and may know topics that its former self did not.
      if (place.isLeader && !this.#topics.hasShared) this.#session.rejoin()
      else this.#watch()
    }
    const onFailed = (error: Error) => {
      this.#failure = error
    }
    void this.#session
      .join(round)
      .then(onJoined, onFailed)
      .finally(() => {
        this.#isJoining = false
        onChange()
      })
  }

  async #takeUp({ assignment }: GroupPlace): Promise<void> {
    this.#joined = null
    const assigned = this.#topics.decode(assignment)
    this.#deps.partitions.replace(assigned)
    if (assigned.length > 0) await this.#options.listener.onAssigned(assigned)
  }

  async #giveUp(): Promise<void> {
    this.#joined = null
    const { partitions } = this.#deps
    const { listener } = this.#options
    const given = partitions.list()
    const isLost = this.#session.status !== 'stable' && this.#session.status !== 'rejoin'
    try {
      if (given.length > 0) await (isLost ? listener.onLost(given) : listener.onRevoked(given))
    } finally {
      partitions.clear()
    }
  }

  /** Looks now and then whether a new round would turn out differently. */
  #watch(): void {
    const { clock } = this.#deps
    this.#watchTimer?.cancel()
    const timer = clock.schedule(this.#options.metadataMaxAgeMs, () => void this.#check(timer))
    this.#watchTimer = timer
  }

  /** Never rejects. */
  async #check(timer: Timer): Promise<void> {
    const { groupId } = this.#options
    const { logger } = this.#deps
    let hasChanged = false
    try {
      hasChanged = await this.#topics.hasChanged()
    } catch (error) {
      logger.debug('subscribed topics could not be looked up', { groupId, error })
    }
    if (this.#watchTimer !== timer || this.#session.status !== 'stable') return
    if (hasChanged) this.#session.rejoin()
    else this.#watch()
  }
}
