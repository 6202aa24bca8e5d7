/** What an assignor may know of a member. */
export interface AssignableMember {
  readonly id: string
  readonly instanceId: string | null
  /** Topics that exist. */
  readonly topicIds: ReadonlySet<string>
  /** Its target so far, which may have partitions that it cannot have any more. Never changed. */
  readonly assigned: ReadonlyMap<string, ReadonlySet<number>>
}

export interface AssignableGroup {
  readonly members: readonly AssignableMember[]
  /** Whether all members subscribe to the same topics. */
  readonly isHomogeneous: boolean
  partitionCount(topicId: string): number
}

/** Partitions by member and topic. Every member is in it; the sets are the receiver's own. */
export type Assignment = Map<string, Map<string, Set<number>>>

/**
 * Decides who reads what: every partition of a subscribed topic goes to exactly one of its subscribers. Pure. Racks are not
 * looked at, as in Kafka since 4.0.
 */
export interface Assignor {
  readonly name: string
  assign(group: AssignableGroup): Assignment
}
