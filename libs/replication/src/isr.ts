/** What the decisions about the in-sync set of one partition are made from. */
export interface IsrState {
  readonly replicaCount: number
  readonly isrCount: number
  /** The topic's `min.insync.replicas`. */
  readonly minInsyncReplicas: number
}

/**
 * Whether an append with acks=all must be refused because too few replicas are in sync. A partition is never asked for
 * more copies than it has replicas: `min.insync.replicas=2` on a topic with one replica needs one.
 */
export function isUnderMinIsr(state: IsrState): boolean {
  return state.isrCount < neededCount(state)
}

/** Whether an append with acks=all would be refused if one more replica fell behind. */
export function isAtMinIsr(state: IsrState): boolean {
  return state.isrCount === neededCount(state)
}

function neededCount({ replicaCount, minInsyncReplicas }: IsrState): number {
  return Math.min(minInsyncReplicas, replicaCount)
}
