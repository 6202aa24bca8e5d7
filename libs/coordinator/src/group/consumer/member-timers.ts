/** What a member must do in time, or it is taken out. */
export type TimerKind =
  /** A heartbeat. */
  | 'session'
  /** Give up what it was told to. */
  | 'rebalance'
  /** As a member of the classic protocol: join again, for what is new; then ask for its assignment. */
  | 'join'
  | 'sync'

const KINDS: readonly TimerKind[] = ['session', 'rebalance', 'join', 'sync']

/** When the members of a group are due, on the monotonic clock. */
export class MemberTimers {
  readonly #dueMs: Readonly<Record<TimerKind, Map<string, number>>> = {
    session: new Map(),
    rebalance: new Map(),
    join: new Map(),
    sync: new Map(),
  }

  start(kind: TimerKind, memberId: string, dueMs: number): void {
    this.#dueMs[kind].set(memberId, dueMs)
  }

  startIfNone(kind: TimerKind, memberId: string, dueMs: number): void {
    if (!this.#dueMs[kind].has(memberId)) this.start(kind, memberId, dueMs)
  }

  stop(kind: TimerKind, memberId: string): void {
    this.#dueMs[kind].delete(memberId)
  }

  stopAll(memberId: string): void {
    for (const kind of KINDS) this.stop(kind, memberId)
  }

  /** Infinity if nobody is due. */
  nextDueMs(): number {
    let nextMs = Infinity
    for (const kind of KINDS) {
      for (const dueMs of this.#dueMs[kind].values()) nextMs = Math.min(nextMs, dueMs)
    }
    return nextMs
  }

  /** Everyone who is late. */
  lateAt(nowMs: number): Set<string> {
    const late = new Set<string>()
    for (const kind of KINDS) {
      for (const [memberId, dueMs] of this.#dueMs[kind]) if (dueMs <= nowMs) late.add(memberId)
    }
    return late
  }
}
