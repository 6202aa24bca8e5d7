import type { Clock } from '@millrace/base'
import { ErrorCode } from '@millrace/wire'
import type { GroupMetadataValue } from '../../records/group-metadata'
import { assignmentOf, generationFor, joinError, syncError } from './answers'
import type {
  ClassicGroupOptions,
  GroupState,
  GroupWrite,
  JoinCommand,
  LeavingMember,
  SyncCommand,
} from './commands'
import { groupRecord } from './group-record'
import { type JoinResult, type Member, offersSame, type Reply, type SyncResult } from './member'
import type { Members } from './members'
import { Rebalance } from './rebalance'

/** A new member whose first JoinGroup is parked cannot send heartbeats; it is dropped after this. */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60 * 1000
const NO_ASSIGNMENT = Buffer.alloc(0)

/**
 * One group of the classic protocol: it parks and answers requests, says what to write, and knows when it next needs
 * waking (`nextDeadlineMs`, `onDeadline`). It does no I/O and sets no timers. `Rebalance` has its phases.
 */
export class ClassicGroup {
  readonly type = 'classic'
  readonly groupId: string
  readonly #clock: Clock
  readonly #rebalance: Rebalance
  /** Generation whose assignment is being written, -1 if none. */
  #storingGeneration = -1

  constructor(groupId: string, clock: Clock, options: ClassicGroupOptions) {
    this.groupId = groupId
    this.#clock = clock
    this.#rebalance = new Rebalance(clock, options)
  }

  /** The group as its record has it; every member gets a whole session to come back. */
  static restore(
    groupId: string,
    value: GroupMetadataValue,
    clock: Clock,
    options: ClassicGroupOptions,
  ): ClassicGroup {
    const group = new ClassicGroup(groupId, clock, options)
    group.#rebalance.restore(value)
    return group
  }

  get state(): GroupState {
    return this.#rebalance.state
  }

  /** Wall-clock time of the last change of state. */
  get stateSince(): number {
    return this.#rebalance.stateSince
  }

  get generationId(): number {
    return this.#rebalance.generation.id
  }

  /** Null if nobody ever joined: such a group only holds offsets. */
  get protocolType(): string | null {
    return this.#rebalance.generation.protocolType
  }

  get protocolName(): string | null {
    return this.#rebalance.generation.protocolName
  }

  get leaderId(): string | null {
    return this.#members.leaderId
  }

  get members(): readonly Member[] {
    return [...this.#members.all()]
  }

  /** Whether there are neither members nor ids that were given out. */
  get isVacant(): boolean {
    return this.#rebalance.isVacant
  }

  join(command: JoinCommand, reply: Reply<JoinResult>): GroupWrite | null {
    const { memberId } = command
    if (this.state === 'Dead') {
      reply(joinError(memberId, ErrorCode.COORDINATOR_NOT_AVAILABLE))
      return null
    }
    if (!this.#rebalance.hasRoomFor(memberId)) {
      this.#rebalance.remove(memberId, ErrorCode.GROUP_MAX_SIZE_REACHED)
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
    this.#rebalance.onSynced(member.id)
    if (this.state === 'Stable') {
      reply(assignmentOf(member, this.#rebalance.generation))
      return null
    }
    this.#members.answerSync(member, syncError(ErrorCode.REBALANCE_IN_PROGRESS)) // sent again: nobody reads the first answer
    member.parkedSync = reply
    const isStoring = this.#storingGeneration === this.generationId
    return member.id === this.leaderId && !isStoring ? this.#storeAssignment(command) : null
  }

  /** Returns an error code. */
  heartbeat(member: { memberId: string; instanceId: string | null; generationId: number }): number {
    const error = this.#checkMember(member)
    if (error !== ErrorCode.NONE) return error
    this.#members.touch(member.memberId)
    return this.state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
  }

  /** Takes members out, each for itself; `errors` are in the order of the request. */
  leave(leaving: readonly LeavingMember[]): { errors: number[]; write: GroupWrite | null } {
    const errors = leaving.map((member) => this.#leaveOne(member))
    const hasLeft = errors.includes(ErrorCode.NONE)
    return { errors, write: hasLeft ? this.#rebalance.continueWithout() : null }
  }

  /**
   * Whether a commit is accepted, as an error code; an accepted one counts as a heartbeat. One in a transaction may come
   * from a producer that knows nothing of members, and changes nothing before its transaction ends.
   */
  checkCommit(commit: {
    memberId: string
    instanceId: string | null
    generationId: number
    isTransactional?: boolean
  }): number {
    const { memberId, instanceId, generationId, isTransactional = false } = commit
    if (this.state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
    if (generationId < 0 && this.state === 'Empty') return ErrorCode.NONE
    if (generationId < 0 && memberId === '' && instanceId === null) {
      // A simple consumer must stay out of a group that has members.
      return isTransactional ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
    }
    const error = this.#checkMember(commit)
    if (error !== ErrorCode.NONE || isTransactional) return error
    // The member knows the new generation but has no assignment yet: it must not commit for partitions of the old one.
    if (this.state === 'CompletingRebalance') return ErrorCode.REBALANCE_IN_PROGRESS
    this.#members.touch(memberId)
    return ErrorCode.NONE
  }

  /** The owner reports how a write ended; the group may have moved on meanwhile, so everything is checked again. */
  onWritten(write: GroupWrite, error: number): GroupWrite | null {
    if (this.state === 'Dead' || write.reason === 'empty') return null
    if (write.reason === 'static-member') {
      this.#onStaticMemberStored(write, error)
      return null
    }
    const { generation } = write.value
    if (this.#storingGeneration === generation) this.#storingGeneration = -1
    if (this.state !== 'CompletingRebalance' || this.generationId !== generation) return null
    if (error !== ErrorCode.NONE) {
      this.#rebalance.failSyncs(error)
      return this.#rebalance.prepareOrComplete()
    }
    this.#rebalance.becomeStable(write.assignments)
    return null
  }

  /** The write takes longer than anybody waits: they are told to ask again, and it counts when it ends. */
  onLate(write: GroupWrite): void {
    const error = ErrorCode.COORDINATOR_NOT_AVAILABLE
    if (write.reason === 'static-member') {
      const member = this.#members.get(write.command.newMemberId)
      if (member) this.#members.answerJoin(member, joinError('', error))
    } else if (this.#storingGeneration === this.generationId) this.#rebalance.failSyncs(error)
  }

  /** Monotonic time at which `onDeadline` is due; Infinity if never. Requests may move it, mostly further away. */
  nextDeadlineMs(): number {
    return this.#rebalance.nextDeadlineMs()
  }

  /** Handles the earliest deadline if it has passed; the caller repeats while there is one. */
  onDeadline(): GroupWrite | null {
    const dueMs = this.nextDeadlineMs()
    const isDue = this.state !== 'Dead' && dueMs <= this.#clock.monotonicMs()
    return isDue ? this.#rebalance.onDeadline(dueMs) : null
  }

  /** Gives every member a whole session from now on. */
  restartSessions(): void {
    for (const member of this.#members.all()) this.#members.touch(member.id)
  }

  /** Makes everyone join again. */
  startRebalance(): GroupWrite | null {
    return this.#rebalance.prepare()
  }

  /**
   * Called once the log is read to its end. Goes on with a rebalance that was to follow the record, and rebalances a group that is
   * larger than allowed by now, so that the last to rejoin are turned away.
   */
  onLoaded(): GroupWrite | null {
    return this.#rebalance.isDue ? this.#rebalance.prepare() : null
  }

  /** Answers everything that is parked; the group is never used again. */
  die(error: number): void {
    this.#rebalance.die(error)
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
    this.#rebalance.expectJoin(newMemberId, command.sessionTimeoutMs)
    reply(joinError(newMemberId, ErrorCode.MEMBER_ID_REQUIRED))
    return null
  }

  #joinKnown(command: JoinCommand, reply: Reply<JoinResult>): GroupWrite | null {
    const { memberId, instanceId, protocols } = command
    if (this.#rebalance.isJoinExpected(memberId) && instanceId === null) {
      return this.#add(memberId, command, reply)
    }
    const error = this.#members.checkIdentity(memberId, instanceId)
    const member = this.#members.get(memberId)
    if (error !== ErrorCode.NONE || !member) {
      reply(joinError(memberId, error))
      return null
    }
    // A follower that missed the answer, or has nothing new to say, is told again what this generation is. Only the
    // leader can force a rebalance: what it assigns may change without any member changing.
    const isRepeated = offersSame(member, protocols)
    const isSettled =
      this.state === 'CompletingRebalance' ||
      (this.state === 'Stable' && member.id !== this.leaderId)
    if (isSettled && isRepeated) {
      reply(generationFor(member, this.#members, this.#rebalance.generation))
      return null
    }
    this.#rejoin(member, command, reply)
    return this.#rebalance.prepareOrComplete()
  }

  #add(memberId: string, command: JoinCommand, reply: Reply<JoinResult>): GroupWrite | null {
    const member: Member = {
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
    }
    return this.#rebalance.add(member, command.protocolType)
  }

  #rejoin(member: Member, command: JoinCommand, reply: Reply<JoinResult>): void {
    this.#members.answerJoin(member, joinError(member.id, ErrorCode.REBALANCE_IN_PROGRESS)) // sent again: nobody reads the first answer
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
    this.#members.answerJoin(before, joinError(before.id, ErrorCode.FENCED_INSTANCE_ID))
    this.#members.answerSync(before, syncError(ErrorCode.FENCED_INSTANCE_ID))
    const sessionDeadlineMs = this.#clock.monotonicMs() + command.sessionTimeoutMs
    const member = { ...before, id: command.newMemberId, sessionDeadlineMs }
    this.#rebalance.replace(before, member)
    this.#rejoin(member, command, reply)
    // Its former id may be in the assignment that the leader is working on: only a new rebalance can tell the leader.
    if (this.state === 'CompletingRebalance') return this.#rebalance.prepare()
    if (this.state !== 'Stable') return this.#rebalance.maybeComplete()
    if (this.#members.electProtocol() !== this.protocolName) return this.#rebalance.prepare()
    return { reason: 'static-member', value: groupRecord(this.#rebalance), before, command }
  }

  #onStaticMemberStored(
    { before, command }: GroupWrite & { reason: 'static-member' },
    error: number,
  ): void {
    const member = this.#members.get(command.newMemberId)
    if (!member) return
    if (error === ErrorCode.NONE) {
      const answer = generationFor(member, this.#members, this.#rebalance.generation)
      const isLeader = member.id === this.leaderId
      // Without the means to skip the assignment, the leader must not learn that it leads: it would assign anew.
      this.#members.answerJoin(
        member,
        command.canSkipAssignment
          ? { ...answer, skipAssignment: isLeader }
          : { ...answer, leader: isLeader ? before.id : answer.leader, members: [] },
      )
      return
    }
    this.#members.answerJoin(member, joinError('', error))
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
    this.#storingGeneration = this.generationId
    return { reason: 'assignment', value: groupRecord(this.#rebalance, assignments), assignments }
  }

  #leaveOne({ memberId, groupInstanceId }: LeavingMember): number {
    if (this.#rebalance.forgetExpectedJoin(memberId)) return ErrorCode.NONE
    if (memberId === '') {
      const id = groupInstanceId === null ? undefined : this.#members.idOfInstance(groupInstanceId)
      if (id === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
      this.#rebalance.remove(id, ErrorCode.UNKNOWN_MEMBER_ID)
      return ErrorCode.NONE
    }
    const error = this.#members.checkIdentity(memberId, groupInstanceId)
    if (error === ErrorCode.NONE) this.#rebalance.remove(memberId, ErrorCode.UNKNOWN_MEMBER_ID)
    return error
  }

  #isCompatible({ protocolType, protocols }: JoinCommand): boolean {
    if (this.state === 'Empty') return protocolType !== '' && protocols.length > 0
    return this.protocolType === protocolType && this.#members.supportAny(protocols)
  }

  #checkSync(command: SyncCommand): number {
    const error = this.#checkMember(command)
    if (error !== ErrorCode.NONE) return error
    const { protocolType, protocolName } = command
    const isForeign =
      (protocolType !== null && protocolType !== this.protocolType) ||
      (protocolName !== null && protocolName !== this.protocolName)
    if (isForeign) return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    return this.state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
  }

  /** Refuses strangers, fenced static members and members of another generation (GROUP-2, GROUP-3). */
  #checkMember(member: {
    memberId: string
    instanceId: string | null
    generationId: number
  }): number {
    if (this.state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
    const error = this.#members.checkIdentity(member.memberId, member.instanceId)
    if (error !== ErrorCode.NONE) return error
    return member.generationId === this.generationId ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION
  }

  get #members(): Members {
    return this.#rebalance.members
  }
}
