import type {
  ConsumerGroupCurrentMemberAssignmentValue,
  ConsumerGroupMemberMetadataValue,
} from '../../records/consumer-group'
import type { ConsumerGroupRecord } from '../../records/consumer-group-codec'
import {
  isSameOwned,
  type OwnedPartitions,
  ownedFromRecord,
  ownedRecord,
  OWNS_NOTHING,
  type Partitions,
} from './partitions'

/** Member epochs that stand for something else. */
export const JOIN_EPOCH = 0
export const LEAVE_EPOCH = -1
/** A static member leaves for a while: its partitions wait for it. */
export const STATIC_LEAVE_EPOCH = -2

/** Kafka's numbers for how far a member has come towards its target. */
export const MemberState = {
  STABLE: 0,
  /** It must give partitions up before it gets others. */
  UNREVOKED_PARTITIONS: 1,
  /** It waits for partitions that other members have not given up. */
  UNRELEASED_PARTITIONS: 2,
  /** Written by a newer version. */
  UNKNOWN: 127,
} as const
export type MemberState = (typeof MemberState)[keyof typeof MemberState]

/** What a member of the classic protocol says of itself; null for one of the consumer protocol. */
export type ClassicMetadata = ConsumerGroupMemberMetadataValue['classicMemberMetadata']

/** A member of a consumer group. Immutable: a change makes a new one, by way of its records. */
export interface ConsumerMember {
  readonly id: string
  /** group.instance.id of a static member. */
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly subscribedTopicNames: ReadonlySet<string>
  /** Empty for none. */
  readonly subscribedTopicRegex: string
  /** How long it may take to give partitions up; -1 until it has told. */
  readonly rebalanceTimeoutMs: number
  readonly serverAssignor: string | null
  readonly classic: ClassicMetadata
  /** Of its last answer. With another one, requests are refused (GROUP-5). */
  readonly epoch: number
  /** A member that missed an answer comes with this one. */
  readonly previousEpoch: number
  readonly state: MemberState
  /** What it may read from. Nobody else owns any of it (GROUP-6). */
  readonly assigned: OwnedPartitions
  /** What it was told to give up; it still owns this until it says that it did. */
  readonly pendingRevocation: OwnedPartitions
}

export function newConsumerMember(id: string): ConsumerMember {
  return {
    id,
    instanceId: null,
    rackId: null,
    clientId: '',
    clientHost: '',
    subscribedTopicNames: new Set(),
    subscribedTopicRegex: '',
    rebalanceTimeoutMs: -1,
    serverAssignor: null,
    classic: null,
    epoch: JOIN_EPOCH,
    previousEpoch: JOIN_EPOCH,
    state: MemberState.STABLE,
    assigned: OWNS_NOTHING,
    pendingRevocation: OWNS_NOTHING,
  }
}

/** The member with what a record says of it. The record's buffers are copied: they are views of a whole batch. */
export function withMetadata(
  member: ConsumerMember,
  value: ConsumerGroupMemberMetadataValue,
): ConsumerMember {
  const { classicMemberMetadata } = value
  return {
    ...member,
    instanceId: value.instanceId,
    rackId: value.rackId,
    clientId: value.clientId,
    clientHost: value.clientHost,
    subscribedTopicNames: new Set(value.subscribedTopicNames),
    subscribedTopicRegex: value.subscribedTopicRegex ?? '',
    rebalanceTimeoutMs: value.rebalanceTimeoutMs,
    serverAssignor: value.serverAssignor,
    classic: classicMemberMetadata && {
      ...classicMemberMetadata,
      supportedProtocols: classicMemberMetadata.supportedProtocols.map(({ name, metadata }) => ({
        name,
        metadata: Buffer.from(metadata),
      })),
    },
  }
}

export function withAssignment(
  member: ConsumerMember,
  value: ConsumerGroupCurrentMemberAssignmentValue,
): ConsumerMember {
  const { memberEpoch } = value
  return {
    ...member,
    epoch: memberEpoch,
    previousEpoch: value.previousMemberEpoch,
    state: memberStateOf(value.state),
    assigned: ownedFromRecord(value.assignedPartitions, memberEpoch),
    pendingRevocation: ownedFromRecord(value.partitionsPendingRevocation, memberEpoch),
  }
}

/** Whatever nobody else may get yet (GROUP-6): also what it was told to give up, until it says that it did. */
export function heldPartitions({ assigned, pendingRevocation }: ConsumerMember): Partitions {
  const held = new Map<string, Set<number>>()
  for (const owned of [assigned, pendingRevocation]) {
    for (const [topicId, partitions] of owned) {
      held.set(topicId, new Set([...(held.get(topicId) ?? []), ...partitions.keys()]))
    }
  }
  return held
}

export function metadataRecord(groupId: string, member: ConsumerMember): ConsumerGroupRecord {
  return {
    type: 'consumer-member',
    groupId,
    memberId: member.id,
    value: {
      instanceId: member.instanceId,
      rackId: member.rackId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: [...member.subscribedTopicNames].sort(),
      subscribedTopicRegex: member.subscribedTopicRegex,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      serverAssignor: member.serverAssignor,
      classicMemberMetadata: member.classic,
    },
  }
}

export function assignmentRecord(groupId: string, member: ConsumerMember): ConsumerGroupRecord {
  return {
    type: 'current-assignment',
    groupId,
    memberId: member.id,
    value: {
      memberEpoch: member.epoch,
      previousMemberEpoch: member.previousEpoch,
      state: member.state,
      assignedPartitions: ownedRecord(member.assigned),
      partitionsPendingRevocation: ownedRecord(member.pendingRevocation),
    },
  }
}

/** Whether a record of one would say the same as of the other. */
export function isSameMetadata(a: ConsumerMember, b: ConsumerMember): boolean {
  return (
    a.instanceId === b.instanceId &&
    a.rackId === b.rackId &&
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    a.rebalanceTimeoutMs === b.rebalanceTimeoutMs &&
    a.serverAssignor === b.serverAssignor &&
    a.subscribedTopicRegex === b.subscribedTopicRegex &&
    isSameSet(a.subscribedTopicNames, b.subscribedTopicNames) &&
    isSameClassic(a.classic, b.classic)
  )
}

export function isSameAssignment(a: ConsumerMember, b: ConsumerMember): boolean {
  return (
    a.epoch === b.epoch &&
    a.previousEpoch === b.previousEpoch &&
    a.state === b.state &&
    isSameOwned(a.assigned, b.assigned) &&
    isSameOwned(a.pendingRevocation, b.pendingRevocation)
  )
}

export function isSameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((element) => b.has(element))
}

function isSameClassic(a: ClassicMetadata, b: ClassicMetadata): boolean {
  if (a === null || b === null) return a === b
  return (
    a.sessionTimeoutMs === b.sessionTimeoutMs &&
    a.supportedProtocols.length === b.supportedProtocols.length &&
    a.supportedProtocols.every(({ name, metadata }, at) => {
      const other = b.supportedProtocols[at]
      return name === other.name && metadata.equals(other.metadata)
    })
  )
}

function memberStateOf(value: number): MemberState {
  const known = Object.values(MemberState).find((state) => state === value)
  return known ?? MemberState.UNKNOWN
}
