import type { ConsumerGroupRecord } from '../../records/consumer-group-codec'
import {
  type ConsumerMember,
  LEAVE_EPOCH,
  newConsumerMember,
  withAssignment,
  withMetadata,
} from './member'
import { MemberTimers } from './member-timers'
import {
  NO_PARTITIONS,
  type OwnedPartitions,
  OWNS_NOTHING,
  type Partitions,
  partitionsOf,
} from './partitions'

export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable'

/** The topics that a pattern stood for when it was last looked up. */
export interface ResolvedPattern {
  readonly topics: ReadonlySet<string>
  /** Of the list of topics. */
  readonly version: number
  /** Wall-clock time of the look. */
  readonly timestamp: number
}

/** As in Kafka since 4.3: before anything is assigned, everybody has the nothing of this epoch. */
const FIRST_EPOCH = 1
const NO_VERSION = -1

/**
 * A group of the consumer protocol, as its records say. Only `apply` changes it: a live group and one that was read from
 * the log cannot differ (GROUP-4). Commands work on a copy (`GroupDraft`), which takes its place when it is durable.
 */
export class ConsumerGroup {
  readonly type = 'consumer'
  readonly groupId: string
  /** When members are due. They are not in the log: a group that was read gives everyone a whole session. */
  readonly timers: MemberTimers
  /** The list of topics that the group was last compared with. Not in the log: a group that was read is compared anew. */
  readonly seenTopics: { version: number }
  /** Grows when members, subscriptions or topics change: then there must be a new target assignment. */
  #epoch = FIRST_EPOCH
  #metadataHash = 0
  /** The group's epoch for which the target assignment was made. */
  #assignmentEpoch = FIRST_EPOCH
  #assignmentTimestamp = 0
  readonly #members: Map<string, ConsumerMember>
  readonly #idByInstance: Map<string, string>
  readonly #targets: Map<string, Partitions>
  readonly #patterns: Map<string, ResolvedPattern>
  /** Of each partition that anyone owns: the epoch of the owner (GROUP-6). */
  readonly #ownerEpochs: Map<string, Map<number, number>>

  constructor(groupId: string, from: ConsumerGroup | null = null) {
    this.groupId = groupId
    this.timers = from ? from.timers : new MemberTimers()
    this.seenTopics = from ? from.seenTopics : { version: NO_VERSION }
    this.#members = new Map(from ? from.#members : [])
    this.#idByInstance = new Map(from ? from.#idByInstance : [])
    this.#targets = new Map(from ? from.#targets : [])
    this.#patterns = new Map(from ? from.#patterns : [])
    this.#ownerEpochs = new Map()
    if (!from) return
    for (const [topicId, epochs] of from.#ownerEpochs) {
      this.#ownerEpochs.set(topicId, new Map(epochs))
    }
    this.#epoch = from.#epoch
    this.#metadataHash = from.#metadataHash
    this.#assignmentEpoch = from.#assignmentEpoch
    this.#assignmentTimestamp = from.#assignmentTimestamp
  }

  get epoch(): number {
    return this.#epoch
  }

  /** Stands for the subscribed topics, their ids and sizes, at the group's epoch. */
  get metadataHash(): number {
    return this.#metadataHash
  }

  get assignmentEpoch(): number {
    return this.#assignmentEpoch
  }

  /** Wall-clock time at which the target assignment was made; 0 if that is not known. */
  get assignmentTimestamp(): number {
    return this.#assignmentTimestamp
  }

  get members(): ReadonlyMap<string, ConsumerMember> {
    return this.#members
  }

  get patterns(): ReadonlyMap<string, ResolvedPattern> {
    return this.#patterns
  }

  get state(): ConsumerGroupState {
    if (this.#members.size === 0) return 'Empty'
    if (this.#epoch > this.#assignmentEpoch) return 'Assigning'
    for (const { state, epoch } of this.#members.values()) {
      if (state !== 0 || epoch !== this.#assignmentEpoch) return 'Reconciling'
    }
    return 'Stable'
  }

  get isEmpty(): boolean {
    return this.#members.size === 0
  }

  /** Whether the log has anything of it. */
  get isStored(): boolean {
    const count = this.#members.size + this.#targets.size + this.#patterns.size
    return count > 0 || this.#epoch > FIRST_EPOCH || this.#assignmentEpoch > FIRST_EPOCH
  }

  memberOfInstance(instanceId: string): ConsumerMember | undefined {
    const id = this.#idByInstance.get(instanceId)
    return id === undefined ? undefined : this.#members.get(id)
  }

  target(memberId: string): Partitions {
    return this.#targets.get(memberId) ?? NO_PARTITIONS
  }

  hasTarget(memberId: string): boolean {
    return this.#targets.has(memberId)
  }

  /** Whether a member owns the partition, or has not said yet that it gave it up. */
  isOwned(topicId: string, partition: number): boolean {
    return this.#ownerEpochs.get(topicId)?.has(partition) ?? false
  }

  apply(record: ConsumerGroupRecord): void {
    switch (record.type) {
      case 'consumer-group':
        this.#epoch = record.value?.epoch ?? FIRST_EPOCH
        this.#metadataHash = record.value?.metadataHash ?? 0
        return
      case 'target-epoch':
        this.#assignmentEpoch = record.value?.assignmentEpoch ?? FIRST_EPOCH
        this.#assignmentTimestamp = record.value?.assignmentTimestamp ?? 0
        return
      case 'consumer-member':
        if (record.value) this.#put(withMetadata(this.#memberOrNew(record.memberId), record.value))
        else this.#remove(record.memberId)
        return
      case 'target-member':
        if (record.value) {
          this.#targets.set(record.memberId, partitionsOf(record.value.topicPartitions))
        } else this.#targets.delete(record.memberId)
        return
      case 'current-assignment':
        return this.#applyAssignment(record)
      case 'regular-expression': {
        const { regularExpression, value } = record
        if (value)
          this.#patterns.set(regularExpression, { ...value, topics: new Set(value.topics) })
        else this.#patterns.delete(regularExpression)
      }
    }
  }

  #applyAssignment(record: ConsumerGroupRecord & { type: 'current-assignment' }): void {
    if (record.value) {
      return this.#put(withAssignment(this.#memberOrNew(record.memberId), record.value))
    }
    const member = this.#members.get(record.memberId)
    if (!member) return
    const owned = { assigned: OWNS_NOTHING, pendingRevocation: OWNS_NOTHING }
    this.#put({ ...member, ...owned, epoch: LEAVE_EPOCH, previousEpoch: LEAVE_EPOCH })
  }

  #memberOrNew(id: string): ConsumerMember {
    return this.#members.get(id) ?? newConsumerMember(id)
  }

  #put(member: ConsumerMember): void {
    const before = this.#members.get(member.id)
    if (before) this.#release(before)
    this.#members.set(member.id, member)
    if (member.instanceId !== null) this.#idByInstance.set(member.instanceId, member.id)
    this.#own(member.assigned, member.epoch)
    this.#own(member.pendingRevocation, member.epoch)
  }

  #remove(id: string): void {
    const member = this.#members.get(id)
    if (!member) return
    this.#release(member)
    this.#members.delete(id)
    // Its successor may have taken the instance over before it was removed.
    if (member.instanceId !== null && this.#idByInstance.get(member.instanceId) === id) {
      this.#idByInstance.delete(member.instanceId)
    }
  }

  #own(partitions: OwnedPartitions, epoch: number): void {
    for (const [topicId, owned] of partitions) {
      let epochs = this.#ownerEpochs.get(topicId)
      if (!epochs) this.#ownerEpochs.set(topicId, (epochs = new Map()))
      for (const partition of owned.keys()) epochs.set(partition, epoch)
    }
  }

  /** A partition that somebody else got since is left alone: in a log that was compacted, records of it may be missing. */
  #release({ assigned, pendingRevocation, epoch }: ConsumerMember): void {
    for (const partitions of [assigned, pendingRevocation]) {
      for (const [topicId, owned] of partitions) {
        const epochs = this.#ownerEpochs.get(topicId)
        if (!epochs) continue
        for (const partition of owned.keys()) {
          if (epochs.get(partition) === epoch) epochs.delete(partition)
        }
        if (epochs.size === 0) this.#ownerEpochs.delete(topicId)
      }
    }
  }
}
