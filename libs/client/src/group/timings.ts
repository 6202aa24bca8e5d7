export interface GroupTimings {
  /** A member that is silent for longer is taken to be gone. */
  readonly sessionTimeoutMs: number
  /** How long a round waits for a member to join it. */
  readonly rebalanceTimeoutMs: number
  readonly heartbeatIntervalMs: number
}

/** What is not given, as Kafka's clients have it. */
export function groupTimings(options: Partial<GroupTimings>): GroupTimings {
  return {
    sessionTimeoutMs: options.sessionTimeoutMs ?? 45_000,
    rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 60_000,
    heartbeatIntervalMs: options.heartbeatIntervalMs ?? 3_000,
  }
}
