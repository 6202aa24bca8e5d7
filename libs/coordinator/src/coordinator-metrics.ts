/** How long loading the partitions of a coordinator took, those that are led now. */
export interface LoadTimes {
  readonly maxMs: number
  readonly avgMs: number
}

/** What a coordinator leads: partitions by state, under Kafka's names. */
export interface PartitionStates {
  readonly loading: number
  readonly active: number
  readonly failed: number
}

/** Of one partition, for both. */
export interface LoadState {
  readonly state: keyof PartitionStates
  /** Null until it is loaded. */
  readonly loadTookMs: number | null
}

export function loadTimesOf(partitions: Iterable<LoadState>): LoadTimes {
  const times = Array.from(partitions, ({ loadTookMs }) => loadTookMs).filter((ms) => ms !== null)
  const sumMs = times.reduce((sum, ms) => sum + ms, 0)
  return { maxMs: Math.max(0, ...times), avgMs: times.length === 0 ? 0 : sumMs / times.length }
}

export function partitionStatesOf(partitions: Iterable<LoadState>): PartitionStates {
  const counts = { loading: 0, active: 0, failed: 0 }
  for (const { state } of partitions) counts[state] += 1
  return counts
}

/** What groups did since the start: plain numbers. */
export class GroupCounters {
  offsetCommits = 0
  offsetExpirations = 0
  offsetDeletions = 0
  /** Of classic groups: a generation has its assignment. */
  completedRebalances = 0
  /** Of groups of the consumer protocol: a new epoch. */
  consumerRebalances = 0
}
