import { type Clock, invariant } from '@millrace/base'
import { ErrorCode } from '@millrace/wire'
import type { GroupMetadataValue } from '../../records/group-metadata'
import { assignmentOf, type Generation, generationFor, joinError, syncError } from './answers'
import type { ClassicGroupOptions, GroupState, GroupWrite } from './commands'
import { groupRecord, membersOf, UNSETTLED } from './group-record'
import { JoinDeadline } from './join-deadline'
import type { Member } from './member'
import { Members } from './members'

/** Between two looks at a rebalance that nobody joins, whatever timeout the members ask for: 0 would spin. */
const RETRY_JOIN_MIN_MS = 1000
const NO_ASSIGNMENT = Buffer.alloc(0)
const NEVER = Infinity

/**
 * The phases of a group and what moves it from one to the next.
 *
 *   Empty -> PreparingRebalance (joins are parked) -> CompletingRebalance (syncs are parked) -> Stable -> Preparing...
 */
export class Rebalance {
  readonly members: Members
  readonly #clock: Clock
  readonly #maxSize: number
  readonly #joinDeadline: JoinDeadline
  /** Ids that were given out but not yet joined with, and when they lapse. */
  readonly #pendingJoins = new Map<string, number>()
  /** Members that have not sent SyncGroup in this generation. */
  readonly #pendingSyncs = new Set<string>()
  #state: GroupState = 'Empty'
  #stateSince: number
  /** Its id grows with every rebalance; a request of an older one is refused (GROUP-2). */
  #generation: Generation = { id: 0, protocolType: null, protocolName: null }
  #syncDeadlineMs = NEVER
  /** The record that it was read from was written with a rebalance to follow. */
  #isUnsettled = false

  constructor(clock: Clock, options: ClassicGroupOptions) {
    this.#clock = clock
    this.#maxSize = options.maxSize
    this.members = new Members(clock)
    this.#joinDeadline = new JoinDeadline(clock, options)
    this.#stateSince = clock.now()
  }

  get state(): GroupState {
    return this.#state
  }

  /** Wall-clock time of the last change of state. */
  get stateSince(): number {
    return this.#stateSince
  }

  get generation(): Generation {
    return this.#generation
  }

  get isVacant(): boolean {
    return this.#state === 'Empty' && this.#pendingJoins.size === 0
  }

  /** Whether a group that was read from the log must rebalance: the last one is not over, or it is larger than allowed by now. */
  get isDue(): boolean {
    return this.members.count > this.#maxSize || (this.members.count > 0 && this.#isUnsettled)
  }

  hasRoomFor(memberId: string): boolean {
    const member = this.members.get(memberId)
    if (this.#state === 'Empty') return true
    // During a rebalance those who have joined count: so the last to rejoin a group that is too large are turned away.
    if (this.#state === 'PreparingRebalance') {
      return Boolean(member?.parkedJoin) || this.members.parkedJoinCount < this.#maxSize
    }
    return member !== undefined || this.members.count < this.#maxSize
  }

  /** The group is as its record has it; every member gets a whole session to come back. */
  restore(value: GroupMetadataValue): void {
    this.#state = value.members.length === 0 ? 'Empty' : 'Stable'
    this.#isUnsettled = value.currentStateTimestamp === UNSETTLED
    if (!this.#isUnsettled) this.#stateSince = value.currentStateTimestamp
    const protocolType = value.protocolType === '' ? null : value.protocolType
    this.#generation = { id: value.generation, protocolType, protocolName: value.protocol }
    for (const member of membersOf(value, this.#clock.monotonicMs())) this.members.add(member)
    if (value.leader !== null && this.members.get(value.leader)) {
      this.members.setLeader(value.leader)
    }
  }

  /** An id was given out: the rebalance waits for its owner to join with it. */
  expectJoin(memberId: string, withinMs: number): void {
    this.#pendingJoins.set(memberId, this.#clock.monotonicMs() + withinMs)
  }

  isJoinExpected(memberId: string): boolean {
    return this.#pendingJoins.has(memberId)
  }

  /** True if there was such an id. */
  forgetExpectedJoin(memberId: string): boolean {
    return this.#pendingJoins.delete(memberId)
  }

  /** Takes in a new member, whose join is parked. The first one decides on the type of the protocol. */
  add(member: Member, protocolType: string): GroupWrite | null {
    this.#joinDeadline.prolong()
    if (this.members.count === 0) this.#generation = { ...this.#generation, protocolType }
    this.#pendingJoins.delete(member.id)
    this.members.add(member)
    return this.prepareOrComplete()
  }

  /** Puts a static member in the place of its former self. */
  replace(before: Member, after: Member): void {
    this.members.replace(before, after)
    if (this.#pendingSyncs.delete(before.id)) this.#pendingSyncs.add(after.id)
  }

  /** Takes a member or a pending id out, if it is there; what it has parked gets the error. */
  remove(memberId: string, error: number): void {
    this.#pendingJoins.delete(memberId)
    this.#pendingSyncs.delete(memberId)
    const member = this.members.get(memberId)
    if (!member) return
    this.members.answerJoin(member, joinError('', error))
    this.members.answerSync(member, syncError(error))
    this.members.remove(member)
  }

  onSynced(memberId: string): void {
    this.#pendingSyncs.delete(memberId)
    if (this.#pendingSyncs.size === 0) this.#syncDeadlineMs = NEVER
  }

  /** Goes on after members were taken out. */
  continueWithout(): GroupWrite | null {
    return this.#state === 'Empty' ? null : this.prepareOrComplete()
  }

  /** Goes on after members joined. */
  prepareOrComplete(): GroupWrite | null {
    return this.#state === 'PreparingRebalance' ? this.maybeComplete() : this.prepare()
  }

  /** Starts the first phase: everyone must join again. */
  prepare(): GroupWrite | null {
    if (this.#state === 'CompletingRebalance') this.failSyncs(ErrorCode.REBALANCE_IN_PROGRESS)
    this.#pendingSyncs.clear()
    this.#syncDeadlineMs = NEVER
    const isInitial = this.#state === 'Empty'
    this.#transitionTo('PreparingRebalance')
    const rebalanceTimeoutMs = this.members.rebalanceTimeoutMs()
    if (isInitial) {
      this.#joinDeadline.startInitialDelay(rebalanceTimeoutMs)
      return null
    }
    if (this.#hasEveryoneJoined()) return this.#complete()
    this.#joinDeadline.start(rebalanceTimeoutMs)
    return null
  }

  /** Ends the first phase if everyone has joined. */
  maybeComplete(): GroupWrite | null {
    const isWaiting = this.#joinDeadline.isInitialDelay || !this.#hasEveryoneJoined()
    return this.#state !== 'PreparingRebalance' || isWaiting ? null : this.#complete()
  }

  /** Ends the second phase: the assignments are durable, and reach the members. */
  becomeStable(assignments: ReadonlyMap<string, Buffer>): void {
    this.#transitionTo('Stable')
    for (const member of this.members.all()) {
      member.assignment = assignments.get(member.id) ?? NO_ASSIGNMENT
      this.members.answerSync(member, assignmentOf(member, this.#generation))
    }
  }

  failSyncs(error: number): void {
    for (const member of this.members.all()) {
      member.assignment = NO_ASSIGNMENT
      this.members.answerSync(member, syncError(error))
    }
  }

  /** Answers everything that is parked. */
  die(error: number): void {
    for (const member of this.members.all()) {
      this.members.answerJoin(member, joinError(member.id, error))
      this.members.answerSync(member, syncError(error))
    }
    this.#transitionTo('Dead')
  }

  nextDeadlineMs(): number {
    let nextMs = Math.min(this.#joinDeadline.dueMs, this.#syncDeadlineMs)
    for (const lapsesMs of this.#pendingJoins.values()) nextMs = Math.min(nextMs, lapsesMs)
    for (const member of this.members.all()) nextMs = Math.min(nextMs, member.sessionDeadlineMs)
    return nextMs
  }

  /** Handles the deadline that `nextDeadlineMs` told. */
  onDeadline(dueMs: number): GroupWrite | null {
    for (const [id, lapsesMs] of this.#pendingJoins) {
      if (lapsesMs !== dueMs) continue
      this.#pendingJoins.delete(id)
      return this.#state === 'PreparingRebalance' ? this.continueWithout() : null
    }
    for (const member of this.members.all()) {
      if (member.sessionDeadlineMs === dueMs) return this.#onSessionExpired(member)
    }
    return this.#joinDeadline.dueMs === dueMs ? this.#onJoinDeadline() : this.#onSyncDeadline()
  }

  #onSessionExpired(member: Member): GroupWrite | null {
    if (!member.isNew && (member.parkedJoin || member.parkedSync)) {
      member.sessionDeadlineMs = NEVER // set again when the request is answered
      return null
    }
    this.remove(member.id, ErrorCode.UNKNOWN_MEMBER_ID)
    return this.#state === 'PreparingRebalance' && this.#hasEveryoneJoined()
      ? this.#complete()
      : this.continueWithout()
  }

  #onJoinDeadline(): GroupWrite | null {
    return this.#joinDeadline.maybeRestart() ? null : this.#complete()
  }

  #onSyncDeadline(): GroupWrite | null {
    this.#syncDeadlineMs = NEVER
    for (const id of this.#pendingSyncs) this.remove(id, ErrorCode.UNKNOWN_MEMBER_ID)
    return this.prepare()
  }

  /** Ends the first phase: whoever joined is in the next generation, static members also if they did not. */
  #complete(): GroupWrite | null {
    this.#joinDeadline.clear()
    for (const member of this.members.all()) {
      if (!member.parkedJoin && member.instanceId === null) {
        this.remove(member.id, ErrorCode.UNKNOWN_MEMBER_ID)
      }
    }
    if (!this.members.electJoinedLeader() && this.members.count > 0) {
      // Only static members are left and none came: their sessions will end, or they come back.
      this.#joinDeadline.start(Math.max(this.members.rebalanceTimeoutMs(), RETRY_JOIN_MIN_MS))
      return null
    }
    this.#pendingSyncs.clear()
    const protocolName = this.members.count > 0 ? this.members.electProtocol() : null
    this.#generation = { ...this.#generation, id: this.#generation.id + 1, protocolName }
    if (this.members.count === 0) {
      this.#transitionTo('Empty')
      return { reason: 'empty', value: groupRecord(this) }
    }
    this.#transitionTo('CompletingRebalance')
    for (const member of this.members.all()) {
      member.isNew = false
      this.members.touch(member.id)
      this.#pendingSyncs.add(member.id)
      this.members.answerJoin(member, generationFor(member, this.members, this.#generation))
    }
    this.#syncDeadlineMs = this.#clock.monotonicMs() + this.members.rebalanceTimeoutMs()
    return null
  }

  #hasEveryoneJoined(): boolean {
    return this.members.parkedJoinCount === this.members.count && this.#pendingJoins.size === 0
  }

  #transitionTo(state: GroupState): void {
    invariant(this.#state !== 'Dead', 'a dead group does not change')
    this.#state = state
    this.#stateSince = this.#clock.now()
  }
}
