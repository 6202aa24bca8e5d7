import { type Clock, invariant } from '@millrace/base'
import { ErrorCode } from '@millrace/wire'
import type { JoinResult, Member, Protocol, Reply, SyncResult } from './member'

/** The members of one group: who leads them, what they have in common, what they have parked, when their sessions end. */
export class Members {
  readonly #clock: Clock
  readonly #byId = new Map<string, Member>()
  readonly #idByInstance = new Map<string, string>()
  /** How many members offer a protocol. */
  readonly #supportCounts = new Map<string, number>()
  #parkedJoinCount = 0
  #leaderId: string | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get count(): number {
    return this.#byId.size
  }

  get parkedJoinCount(): number {
    return this.#parkedJoinCount
  }

  /** Null only while there are no members. */
  get leaderId(): string | null {
    return this.#leaderId
  }

  /** In the order in which they joined. */
  all(): IterableIterator<Member> {
    return this.#byId.values()
  }

  get(id: string): Member | undefined {
    return this.#byId.get(id)
  }

  idOfInstance(instanceId: string): string | undefined {
    return this.#idByInstance.get(instanceId)
  }

  /** The longest that any member asks for. */
  rebalanceTimeoutMs(): number {
    let longestMs = 0
    for (const member of this.all()) longestMs = Math.max(longestMs, member.rebalanceTimeoutMs)
    return longestMs
  }

  add(member: Member): void {
    invariant(!this.#byId.has(member.id), 'a member is added once')
    this.#byId.set(member.id, member)
    if (member.instanceId !== null) this.#idByInstance.set(member.instanceId, member.id)
    if (member.parkedJoin) this.#parkedJoinCount++
    this.#leaderId ??= member.id
    this.#countSupport(member.protocols, 1)
  }

  /** The next member in order leads if the leader goes. Parked requests must have been answered. */
  remove(member: Member): void {
    if (!this.#byId.delete(member.id)) return
    if (member.instanceId !== null) this.#idByInstance.delete(member.instanceId)
    if (member.parkedJoin) this.#parkedJoinCount--
    this.#countSupport(member.protocols, -1)
    if (this.#leaderId === member.id) this.#leaderId = this.#byId.keys().next().value ?? null
  }

  /** Puts `next` in the place of `old`, leadership included. */
  replace(old: Member, next: Member): void {
    const wasLeader = this.#leaderId === old.id
    this.remove(old)
    this.add(next)
    if (wasLeader) this.#leaderId = next.id
  }

  setLeader(id: string | null): void {
    this.#leaderId = id
  }

  /** Parks a JoinGroup, or takes the parked one out (null). */
  setParkedJoin(member: Member, reply: Reply<JoinResult> | null): void {
    if (member.parkedJoin === null && reply !== null) this.#parkedJoinCount++
    if (member.parkedJoin !== null && reply === null) this.#parkedJoinCount--
    member.parkedJoin = reply
  }

  /** Answers a parked JoinGroup, if there is one. */
  answerJoin(member: Member, result: JoinResult): void {
    const reply = member.parkedJoin
    if (reply === null) return
    this.setParkedJoin(member, null)
    if (!member.isNew) this.#startSession(member)
    reply(result)
  }

  /** Answers a parked SyncGroup, if there is one. */
  answerSync(member: Member, result: SyncResult): void {
    const reply = member.parkedSync
    if (reply === null) return
    member.parkedSync = null
    this.#startSession(member)
    reply(result)
  }

  /** A sign of life: the session starts anew. */
  touch(memberId: string): void {
    const member = this.#byId.get(memberId)
    if (member) this.#startSession(member)
  }

  /** Refuses strangers, and static members that another one has replaced (GROUP-3). Returns an error code. */
  checkIdentity(memberId: string, instanceId: string | null): number {
    if (instanceId !== null) {
      const current = this.#idByInstance.get(instanceId)
      if (current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
      if (current !== memberId) return ErrorCode.FENCED_INSTANCE_ID
    }
    return this.#byId.has(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
  }

  setProtocols(member: Member, protocols: readonly Protocol[]): void {
    this.#countSupport(member.protocols, -1)
    member.protocols = protocols
    this.#countSupport(protocols, 1)
  }

  /** Whether one of the protocols is offered by every member. */
  supportAny(protocols: readonly Protocol[]): boolean {
    return protocols.some(({ name }) => this.#isSupportedByAll(name))
  }

  /** Each member votes for the first of its protocols that all offer; the earlier vote breaks a tie. */
  electProtocol(): string {
    const votes = new Map<string, number>()
    for (const { protocols } of this.all()) {
      const choice = protocols.find(({ name }) => this.#isSupportedByAll(name))
      invariant(choice, 'members that share no protocol are not admitted')
      votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1)
    }
    let elected: [name: string, votes: number] = ['', 0]
    for (const candidate of votes) if (candidate[1] > elected[1]) elected = candidate
    return elected[0]
  }

  /** Makes someone who has joined the leader. False if no one has. */
  electJoinedLeader(): boolean {
    const leader = this.#leaderId === null ? undefined : this.#byId.get(this.#leaderId)
    if (leader?.parkedJoin) return true
    for (const member of this.all()) {
      if (!member.parkedJoin) continue
      this.#leaderId = member.id
      return true
    }
    return false
  }

  #startSession(member: Member): void {
    member.sessionDeadlineMs = this.#clock.monotonicMs() + member.sessionTimeoutMs
  }

  #isSupportedByAll(protocolName: string): boolean {
    return (this.#supportCounts.get(protocolName) ?? 0) === this.#byId.size
  }

  #countSupport(protocols: readonly Protocol[], change: 1 | -1): void {
    for (const name of new Set(protocols.map((protocol) => protocol.name))) {
      const count = (this.#supportCounts.get(name) ?? 0) + change
      if (count === 0) this.#supportCounts.delete(name)
      else this.#supportCounts.set(name, count)
    }
  }
}
