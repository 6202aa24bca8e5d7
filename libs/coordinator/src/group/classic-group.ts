import { type Clock, invariant } from '@millrace/base'
import { ErrorCode } from '@millrace/wire'
import type { GroupMetadataValue } from '../records/group-metadata'
import {
  type ClassicGroupOptions,
  type GroupState,
  type GroupWrite,
  type JoinCommand,
  joinError,
  type LeavingMember,
  type SyncCommand,
  syncError,
} from './commands'
import { memberRecord, membersOf } from './group-record'
import {
  type JoinResult,
  type Member,
  metadataOf,
  offersSame,
  type Reply,
  type SyncResult,
} from './member'
import { Members } from './members'

/** A new member whose first JoinGroup is parked cannot send heartbeats; it is dropped after this. */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60 * 1000
/** Between two looks at a rebalance that nobody joins, whatever timeout the members ask for: 0 would spin. */
const RETRY_JOIN_MIN_MS = 1000
const NO_ASSIGNMENT = Buffer.alloc(0)
const NEVER = Infinity

/**
 * One group of the classic protocol, as a state machine: it parks and answers requests, says what to write, and knows
 * when it next needs waking (`nextDeadlineMs`, `onDeadline`). It does no I/O and sets no timers.
 *
 *   Empty -> PreparingRebalance (joins are parked) -> CompletingRebalance (syncs are parked) -> Stable -> Preparing...
 */
export class ClassicGroup {
  readonly groupId: string
  readonly #clock: Clock
  readonly #options: ClassicGroupOptions
  readonly #members = new Members()
  /** Ids that were given out but not yet joined with, and when they lapse. */
  readonly #pendingJoins = new Map<string, number>()
  /** Members that have not sent SyncGroup in this generation. */
  readonly #pendingSyncs = new Set<string>()
  #state: GroupState = 'Empty'
  #stateSince: number
  /** Grows with every rebalance; a request of an older one is refused (GROUP-2). */
  #generationId = 0
  #protocolType: string | null = null
  #protocolName: string | null = null
  #joinDeadlineMs = NEVER
  #syncDeadlineMs = NEVER
  /** Of the first rebalance of an empty group: the running delay, and how often it may still be prolonged. */
  #initialDelay: { delayMs: number; remainingMs: number; isProlonged: boolean } | null = null
  /** Generation whose assignment is being written, -1 if none. */
  #storingGeneration = -1

  constructor(groupId: string, clock: Clock, options: ClassicGroupOptions) {
    this.groupId = groupId
    this.#clock = clock
    this.#options = options
    this.#stateSince = clock.now()
  }

  /** The group as its record has it; every member gets a whole session to come back. */
  static restore(
    groupId: string,
    value: GroupMetadataValue,
    clock: Clock,
    options: ClassicGroupOptions,
  ): ClassicGroup {
    const group = new ClassicGroup(groupId, clock, options)
    group.#state = value.members.length === 0 ? 'Empty' : 'Stable'
    if (value.currentStateTimestamp !== -1) group.#stateSince = value.currentStateTimestamp
    group.#generationId = value.generation
    group.#protocolType = value.protocolType === '' ? null : value.protocolType
    group.#protocolName = value.protocol
    for (const member of membersOf(value, clock.monotonicMs())) group.#members.add(member)
    if (value.leader !== null && group.#members.get(value.leader)) {
      group.#members.setLeader(value.leader)
    }
    return group
  }

  get state(): GroupState {
    return this.#state
  }

  /** Wall-clock time of the last change of state. */
  get stateSince(): number {
    return this.#stateSince
  }

  get generationId(): number {
    return this.#generationId
  }

  /** Null if nobody ever joined: such a group only holds offsets. */
  get protocolType(): string | null {
    return this.#protocolType
  }

  get protocolName(): string | null {
    return this.#protocolName
  }

  get leaderId(): string | null {
    return this.#members.leaderId
  }

  get members(): readonly Member[] {
    return [...this.#members.all()]
  }

  get isVacant(): boolean {
    return this.#state === 'Empty' && this.#pendingJoins.size === 0
  }

  join(command: JoinCommand, reply: Reply<JoinResult>): GroupWrite | null {
    const { memberId } = command
    if (this.#state === 'Dead') {
      reply(joinError(memberId, ErrorCode.COORDINATOR_NOT_AVAILABLE))
      return null
    }
    if (!this.#hasRoomFor(memberId)) {
      this.#remove(memberId, ErrorCode.GROUP_MAX_SIZE_REACHED)
      reply(joinError('', ErrorCode.GROUP_MAX_SIZE_REACHED))
      return null
    }
    if (!this.#isCompatible(command)) {
      reply(joinError(memberId, ErrorCode.INCONSISTENT_GROUP_PROTOCOL))
      return null
    }
    return memberId === '' ? this.#joinNew(command, reply) : this.#joinKnown(command, reply)
  }

  sync(command: SyncCommand, reply: Reply<SyncResult>): GroupWrite | null {
    const error = this.#checkSync(command)
    const member = this.#members.get(command.memberId)
    if (error !== ErrorCode.NONE || !member) {
      reply(syncError(error))
      return null
    }
    this.#pendingSyncs.delete(member.id)
    if (this.#pendingSyncs.size === 0) this.#syncDeadlineMs = NEVER
    if (this.#state === 'Stable') {
      reply(this.#assignmentOf(member))
      return null
    }
    this.#answerSync(member, syncError(ErrorCode.REBALANCE_IN_PROGRESS)) // sent again: nobody reads the first answer
    member.parkedSync = reply
    const isStoring = this.#storingGeneration === this.#generationId
    return member.id === this.leaderId && !isStoring ? this.#storeAssignment(command) : null
  }

  /** Returns an error code. */
  heartbeat(member: { memberId: string; instanceId: string | null; generationId: number }): number {
    const error = this.#checkMember(member)
    if (error !== ErrorCode.NONE) return error
    this.#touch(member.memberId)
    return this.#state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
  }

  /** Takes members out, each for itself; `errors` are in the order of the request. */
  leave(leaving: readonly LeavingMember[]): { errors: number[]; write: GroupWrite | null } {
    const errors = leaving.map((member) => this.#leaveOne(member))
    const hasLeft = errors.includes(ErrorCode.NONE)
    return { errors, write: hasLeft ? this.#continueWithout() : null }
  }

  /** Whether a commit is accepted, as an error code; an accepted one counts as a heartbeat. */
  checkCommit(commit: {
    memberId: string
    instanceId: string | null
    generationId: number
  }): number {
    const { memberId, instanceId, generationId } = commit
    if (this.#state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
    if (generationId < 0 && this.#state === 'Empty') return ErrorCode.NONE
    if (generationId < 0 && memberId === '' && instanceId === null) {
      return ErrorCode.UNKNOWN_MEMBER_ID // a simple consumer must stay out of a group that has members
    }
    const error = this.#checkMember(commit)
    if (error !== ErrorCode.NONE) return error
    // The member knows the new generation but has no assignment yet: it must not commit for partitions of the old one.
    if (this.#state === 'CompletingRebalance') return ErrorCode.REBALANCE_IN_PROGRESS
    this.#touch(memberId)
    return ErrorCode.NONE
  }

  /** The owner reports how a write ended; the group may have moved on meanwhile, so everything is checked again. */
  onWritten(write: GroupWrite, error: number): GroupWrite | null {
    if (this.#state === 'Dead' || write.reason === 'empty') return null
    if (write.reason === 'static-member') {
      this.#onStaticMemberStored(write, error)
      return null
    }
    const { generation } = write.value
    if (this.#storingGeneration === generation) this.#storingGeneration = -1
    if (this.#state !== 'CompletingRebalance' || this.#generationId !== generation) return null
    if (error !== ErrorCode.NONE) {
      this.#answerAllSyncs(error)
      return this.#rebalanceOrComplete()
    }
    this.#transitionTo('Stable')
    for (const member of this.#members.all()) {
      member.assignment = write.assignments.get(member.id) ?? NO_ASSIGNMENT
      this.#answerSync(member, this.#assignmentOf(member))
    }
    return null
  }

  /** Monotonic time at which `onDeadline` is due; Infinity if never. Requests may move it, mostly further away. */
  nextDeadlineMs(): number {
    let nextMs = Math.min(this.#joinDeadlineMs, this.#syncDeadlineMs)
    for (const lapsesMs of this.#pendingJoins.values()) nextMs = Math.min(nextMs, lapsesMs)
    for (const member of this.#members.all()) nextMs = Math.min(nextMs, member.sessionDeadlineMs)
    return nextMs
  }

  /** Handles the earliest deadline if it has passed; the caller repeats while there is one. */
  onDeadline(): GroupWrite | null {
    const dueMs = this.nextDeadlineMs()
    if (this.#state === 'Dead' || dueMs > this.#clock.monotonicMs()) return null
    for (const [id, lapsesMs] of this.#pendingJoins) {
      if (lapsesMs !== dueMs) continue
      this.#pendingJoins.delete(id)
      return this.#state === 'PreparingRebalance' ? this.#continueWithout() : null
    }
    for (const member of this.#members.all()) {
      if (member.sessionDeadlineMs === dueMs) return this.#onSessionExpired(member)
    }
    return this.#joinDeadlineMs === dueMs ? this.#onJoinDeadline() : this.#onSyncDeadline()
  }

  /** Gives every member a whole session from now on. */
  restartSessions(): void {
    for (const member of this.#members.all()) this.#touch(member.id)
  }

  /** Rebalances a restored group that is larger than allowed by now, so that the last to rejoin are turned away. */
  enforceMaxSize(): GroupWrite | null {
    return this.#members.count > this.#options.maxSize ? this.#prepareRebalance() : null
  }

  /** Answers everything that is parked; the group is never used again. */
  die(error: number): void {
    for (const member of this.#members.all()) {
      this.#answerJoin(member, joinError(member.id, error))
      this.#answerSync(member, syncError(error))
    }
    this.#transitionTo('Dead')
  }

  #joinNew(command: JoinCommand, reply: Reply<JoinResult>): GroupWrite | null {
    const { newMemberId, instanceId } = command
    if (instanceId !== null) {
      const id = this.#members.idOfInstance(instanceId)
      const before = id === undefined ? undefined : this.#members.get(id)
      return before
        ? this.#replaceStatic(before, command, reply)
        : this.#add(newMemberId, command, reply)
    }
    if (!command.isMemberIdRequired) return this.#add(newMemberId, command, reply)
    this.#pendingJoins.set(newMemberId, this.#clock.monotonicMs() + command.sessionTimeoutMs)
    reply(joinError(newMemberId, ErrorCode.MEMBER_ID_REQUIRED))
    return null
  }

  #joinKnown(command: JoinCommand, reply: Reply<JoinResult>): GroupWrite | null {
    const { memberId, instanceId, protocols } = command
    if (this.#pendingJoins.has(memberId) && instanceId === null) {
      return this.#add(memberId, command, reply)
    }
    const error = this.#checkIdentity(memberId, instanceId)
    const member = this.#members.get(memberId)
    if (error !== ErrorCode.NONE || !member) {
      reply(joinError(memberId, error))
      return null
    }
    // A follower that missed the answer, or has nothing new to say, is told again what this generation is. Only the
    // leader can force a rebalance: what it assigns may change without any member changing.
    const isRepeated = offersSame(member, protocols)
    const isSettled =
      this.#state === 'CompletingRebalance' ||
      (this.#state === 'Stable' && member.id !== this.leaderId)
    if (isSettled && isRepeated) {
      reply(this.#generationFor(member))
      return null
    }
    this.#rejoin(member, command, reply)
    return this.#rebalanceOrComplete()
  }

  #add(memberId: string, command: JoinCommand, reply: Reply<JoinResult>): GroupWrite | null {
    if (this.#initialDelay) this.#initialDelay.isProlonged = true
    if (this.#members.count === 0) this.#protocolType = command.protocolType
    this.#pendingJoins.delete(memberId)
    this.#members.add({
      id: memberId,
      instanceId: command.instanceId,
      clientId: command.clientId,
      clientHost: command.clientHost,
      sessionTimeoutMs: command.sessionTimeoutMs,
      rebalanceTimeoutMs: command.rebalanceTimeoutMs,
      protocols: command.protocols,
      assignment: NO_ASSIGNMENT,
      parkedJoin: reply,
      parkedSync: null,
      isNew: true,
      sessionDeadlineMs: this.#clock.monotonicMs() + NEW_MEMBER_JOIN_TIMEOUT_MS,
    })
    return this.#rebalanceOrComplete()
  }

  #rejoin(member: Member, command: JoinCommand, reply: Reply<JoinResult>): void {
    this.#answerJoin(member, joinError(member.id, ErrorCode.REBALANCE_IN_PROGRESS)) // sent again: nobody reads the first answer
    this.#members.setProtocols(member, command.protocols)
    member.sessionTimeoutMs = command.sessionTimeoutMs
    member.rebalanceTimeoutMs = command.rebalanceTimeoutMs
    this.#members.setParkedJoin(member, reply)
  }

  /**
   * A static member came back without its id, after a restart. It takes over from its former self, which is fenced from
   * now on (GROUP-3); in a stable group without any rebalance, unless it changes which protocol is chosen.
   */
  #replaceStatic(
    before: Member,
    command: JoinCommand,
    reply: Reply<JoinResult>,
  ): GroupWrite | null {
    this.#answerJoin(before, joinError(before.id, ErrorCode.FENCED_INSTANCE_ID))
    this.#answerSync(before, syncError(ErrorCode.FENCED_INSTANCE_ID))
    const sessionDeadlineMs = this.#clock.monotonicMs() + command.sessionTimeoutMs
    const member = { ...before, id: command.newMemberId, sessionDeadlineMs }
    this.#members.replace(before, member)
    if (this.#pendingSyncs.delete(before.id)) this.#pendingSyncs.add(member.id)
    this.#rejoin(member, command, reply)
    // Its former id may be in the assignment that the leader is working on: only a new rebalance can tell the leader.
    if (this.#state === 'CompletingRebalance') return this.#prepareRebalance()
    if (this.#state !== 'Stable') return this.#maybeCompleteJoin()
    if (this.#members.electProtocol() !== this.#protocolName) return this.#prepareRebalance()
    return { reason: 'static-member', value: this.toRecord(), before, command }
  }

  #onStaticMemberStored(
    { before, command }: GroupWrite & { reason: 'static-member' },
    error: number,
  ): void {
    const member = this.#members.get(command.newMemberId)
    if (!member) return
    if (error === ErrorCode.NONE) {
      const answer = this.#generationFor(member)
      const isLeader = member.id === this.leaderId
      // Without the means to skip the assignment, the leader must not learn that it leads: it would assign anew.
      this.#answerJoin(
        member,
        command.canSkipAssignment
          ? { ...answer, skipAssignment: isLeader }
          : { ...answer, leader: isLeader ? before.id : answer.leader, members: [] },
      )
      return
    }
    this.#answerJoin(member, joinError('', error))
    const sessionDeadlineMs = this.#clock.monotonicMs() + before.sessionTimeoutMs
    this.#members.replace(member, { ...before, sessionDeadlineMs })
  }

  #storeAssignment(command: SyncCommand): GroupWrite {
    const given = new Map(command.assignments.map((entry) => [entry.memberId, entry.assignment]))
    const assignments = new Map<string, Buffer>()
    for (const { id } of this.#members.all()) {
      // A view of the request would keep all of it.
      assignments.set(id, Buffer.from(given.get(id) ?? NO_ASSIGNMENT))
    }
    this.#storingGeneration = this.#generationId
    return { reason: 'assignment', value: this.toRecord(assignments), assignments }
  }

  #leaveOne({ memberId, groupInstanceId }: LeavingMember): number {
    if (this.#pendingJoins.delete(memberId)) return ErrorCode.NONE
    if (memberId === '') {
      const id = groupInstanceId === null ? undefined : this.#members.idOfInstance(groupInstanceId)
      if (id === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
      this.#remove(id, ErrorCode.UNKNOWN_MEMBER_ID)
      return ErrorCode.NONE
    }
    const error = this.#checkIdentity(memberId, groupInstanceId)
    if (error === ErrorCode.NONE) this.#remove(memberId, ErrorCode.UNKNOWN_MEMBER_ID)
    return error
  }

  #onSessionExpired(member: Member): GroupWrite | null {
    if (!member.isNew && (member.parkedJoin || member.parkedSync)) {
      member.sessionDeadlineMs = NEVER // set again when the request is answered
      return null
    }
    this.#remove(member.id, ErrorCode.UNKNOWN_MEMBER_ID)
    return this.#state === 'PreparingRebalance' && this.#hasEveryoneJoined()
      ? this.#completeJoin()
      : this.#continueWithout()
  }

  #onJoinDeadline(): GroupWrite | null {
    const delay = this.#initialDelay
    if (!delay?.isProlonged || delay.remainingMs === 0) return this.#completeJoin()
    const delayMs = Math.min(this.#options.initialRebalanceDelayMs, delay.remainingMs)
    const remainingMs = Math.max(delay.remainingMs - delay.delayMs, 0)
    this.#initialDelay = { delayMs, remainingMs, isProlonged: false }
    this.#joinDeadlineMs = this.#clock.monotonicMs() + delayMs
    return null
  }

  #onSyncDeadline(): GroupWrite | null {
    this.#syncDeadlineMs = NEVER
    for (const id of this.#pendingSyncs) this.#remove(id, ErrorCode.UNKNOWN_MEMBER_ID)
    return this.#prepareRebalance()
  }

  /** Goes on after members were taken out. */
  #continueWithout(): GroupWrite | null {
    return this.#state === 'Empty' ? null : this.#rebalanceOrComplete()
  }

  #rebalanceOrComplete(): GroupWrite | null {
    return this.#state === 'PreparingRebalance'
      ? this.#maybeCompleteJoin()
      : this.#prepareRebalance()
  }

  #prepareRebalance(): GroupWrite | null {
    if (this.#state === 'CompletingRebalance') this.#answerAllSyncs(ErrorCode.REBALANCE_IN_PROGRESS)
    this.#pendingSyncs.clear()
    this.#syncDeadlineMs = NEVER
    const isInitial = this.#state === 'Empty'
    this.#transitionTo('PreparingRebalance')
    const rebalanceTimeoutMs = this.#members.rebalanceTimeoutMs()
    if (isInitial) {
      const delayMs = this.#options.initialRebalanceDelayMs
      const remainingMs = Math.max(rebalanceTimeoutMs - delayMs, 0)
      this.#initialDelay = { delayMs, remainingMs, isProlonged: false }
      this.#joinDeadlineMs = this.#clock.monotonicMs() + delayMs
      return null
    }
    if (this.#hasEveryoneJoined()) return this.#completeJoin()
    this.#joinDeadlineMs = this.#clock.monotonicMs() + rebalanceTimeoutMs
    return null
  }

  #maybeCompleteJoin(): GroupWrite | null {
    const isWaiting = this.#initialDelay !== null || !this.#hasEveryoneJoined()
    return this.#state !== 'PreparingRebalance' || isWaiting ? null : this.#completeJoin()
  }

  /** Ends the first phase: whoever joined is in the next generation, static members also if they did not. */
  #completeJoin(): GroupWrite | null {
    this.#joinDeadlineMs = NEVER
    this.#initialDelay = null
    for (const member of this.#members.all()) {
      if (!member.parkedJoin && member.instanceId === null) {
        this.#remove(member.id, ErrorCode.UNKNOWN_MEMBER_ID)
      }
    }
    if (!this.#members.electJoinedLeader() && this.#members.count > 0) {
      // Only static members are left and none came: their sessions will end, or they come back.
      const retryMs = Math.max(this.#members.rebalanceTimeoutMs(), RETRY_JOIN_MIN_MS)
      this.#joinDeadlineMs = this.#clock.monotonicMs() + retryMs
      return null
    }
    this.#generationId++
    this.#pendingSyncs.clear()
    if (this.#members.count === 0) {
      this.#protocolName = null
      this.#transitionTo('Empty')
      return { reason: 'empty', value: this.toRecord() }
    }
    this.#protocolName = this.#members.electProtocol()
    this.#transitionTo('CompletingRebalance')
    for (const member of this.#members.all()) {
      member.isNew = false
      member.sessionDeadlineMs = this.#sessionDeadlineOf(member)
      this.#pendingSyncs.add(member.id)
      this.#answerJoin(member, this.#generationFor(member))
    }
    this.#syncDeadlineMs = this.#clock.monotonicMs() + this.#members.rebalanceTimeoutMs()
    return null
  }

  /** The group's record, with the members' present assignments or those given. */
  toRecord(assignments?: ReadonlyMap<string, Buffer>): GroupMetadataValue {
    return {
      protocolType: this.#protocolType ?? '',
      generation: this.#generationId,
      protocol: this.#protocolName,
      leader: this.leaderId,
      currentStateTimestamp: this.#stateSince,
      members: this.members.map((member) =>
        memberRecord(member, this.#protocolName, assignments?.get(member.id) ?? member.assignment),
      ),
    }
  }

  #hasRoomFor(memberId: string): boolean {
    const { maxSize } = this.#options
    const member = this.#members.get(memberId)
    if (this.#state === 'Empty') return true
    // During a rebalance those who have joined count: so the last to rejoin a group that is too large are turned away.
    if (this.#state === 'PreparingRebalance') {
      return Boolean(member?.parkedJoin) || this.#members.parkedJoinCount < maxSize
    }
    return member !== undefined || this.#members.count < maxSize
  }

  #isCompatible({ protocolType, protocols }: JoinCommand): boolean {
    if (this.#state === 'Empty') return protocolType !== '' && protocols.length > 0
    return this.#protocolType === protocolType && this.#members.supportAny(protocols)
  }

  #checkSync(command: SyncCommand): number {
    const error = this.#checkMember(command)
    if (error !== ErrorCode.NONE) return error
    const { protocolType, protocolName } = command
    const isForeign =
      (protocolType !== null && protocolType !== this.#protocolType) ||
      (protocolName !== null && protocolName !== this.#protocolName)
    if (isForeign) return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    return this.#state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
  }

  /** Refuses strangers, fenced static members and members of another generation (GROUP-2, GROUP-3). */
  #checkMember(member: {
    memberId: string
    instanceId: string | null
    generationId: number
  }): number {
    if (this.#state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
    const error = this.#checkIdentity(member.memberId, member.instanceId)
    if (error !== ErrorCode.NONE) return error
    return member.generationId === this.#generationId
      ? ErrorCode.NONE
      : ErrorCode.ILLEGAL_GENERATION
  }

  #checkIdentity(memberId: string, instanceId: string | null): number {
    if (instanceId !== null) {
      const current = this.#members.idOfInstance(instanceId)
      if (current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
      if (current !== memberId) return ErrorCode.FENCED_INSTANCE_ID
    }
    return this.#members.get(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
  }

  #hasEveryoneJoined(): boolean {
    return this.#members.parkedJoinCount === this.#members.count && this.#pendingJoins.size === 0
  }

  /** Takes a member or a pending id out, if it is there; what it has parked gets the error. */
  #remove(memberId: string, error: number): void {
    this.#pendingJoins.delete(memberId)
    this.#pendingSyncs.delete(memberId)
    const member = this.#members.get(memberId)
    if (!member) return
    this.#answerJoin(member, joinError('', error))
    this.#answerSync(member, syncError(error))
    this.#members.remove(member)
  }

  #answerAllSyncs(error: number): void {
    for (const member of this.#members.all()) {
      member.assignment = NO_ASSIGNMENT
      this.#answerSync(member, syncError(error))
    }
  }

  #answerJoin(member: Member, result: JoinResult): void {
    const reply = member.parkedJoin
    if (reply === null) return
    this.#members.setParkedJoin(member, null)
    if (!member.isNew) member.sessionDeadlineMs = this.#sessionDeadlineOf(member)
    reply(result)
  }

  #answerSync(member: Member, result: SyncResult): void {
    const reply = member.parkedSync
    if (reply === null) return
    member.parkedSync = null
    member.sessionDeadlineMs = this.#sessionDeadlineOf(member)
    reply(result)
  }

  #touch(memberId: string): void {
    const member = this.#members.get(memberId)
    if (member) member.sessionDeadlineMs = this.#sessionDeadlineOf(member)
  }

  #sessionDeadlineOf(member: Member): number {
    return this.#clock.monotonicMs() + member.sessionTimeoutMs
  }

  #generationFor(member: Member): JoinResult {
    const isLeader = member.id === this.leaderId
    return {
      errorCode: ErrorCode.NONE,
      generationId: this.#generationId,
      protocolType: this.#protocolType,
      protocolName: this.#protocolName,
      leader: this.leaderId ?? '',
      skipAssignment: false,
      memberId: member.id,
      members: isLeader
        ? this.members.map((other) => ({
            memberId: other.id,
            groupInstanceId: other.instanceId,
            metadata: metadataOf(other, this.#protocolName),
          }))
        : [],
    }
  }

  #assignmentOf(member: Member): SyncResult {
    return {
      errorCode: ErrorCode.NONE,
      protocolType: this.#protocolType,
      protocolName: this.#protocolName,
      assignment: member.assignment,
    }
  }

  #transitionTo(state: GroupState): void {
    invariant(this.#state !== 'Dead', 'a dead group does not change')
    this.#state = state
    this.#stateSince = this.#clock.now()
  }
}
