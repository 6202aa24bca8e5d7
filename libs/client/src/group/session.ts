import type { Clock, Random, Timer } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import {
  ErrorCode,
  errorName,
  HeartbeatRequest,
  HeartbeatResponse,
  type Infer,
  JoinGroupRequest,
  JoinGroupResponse,
  LeaveGroupRequest,
  LeaveGroupResponse,
  SyncGroupRequest,
  SyncGroupResponse,
} from '@millrace/wire'
import type { Cluster } from '../cluster'
import { clientErrors } from '../errors'
import { isRetriableError, retry } from '../retry'
import { askCoordinator, isElsewhere } from './coordinator-request'
import { refusal } from '../refusal'

/** A join is answered when all members are there, at the latest after the rebalance timeout. */
const JOIN_GRACE_MS = 5_000
/** Leaving is a courtesy: who cannot say it is missed after the session timeout. */
const LEAVE_TIMEOUT_MS = 5_000
const NO_GENERATION = -1

export interface GroupSessionDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly cluster: Cluster
}

export interface GroupSessionOptions {
  readonly groupId: string
  readonly groupInstanceId: string | null
  readonly protocolType: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly heartbeatIntervalMs: number
  /** Called after `status` became `rejoin` or `lost` by itself. */
  readonly onChange: () => void
}

/** A way to share out the work that this member knows, with what it tells the leader about itself. */
export interface GroupProtocol {
  readonly name: string
  readonly metadata: Buffer
}

/** What the leader knows of a member. */
export interface GroupMemberInfo {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly metadata: Buffer
}

export interface JoinRound {
  protocols(): readonly GroupProtocol[] | Promise<readonly GroupProtocol[]>
  /** The leader's part: what each member gets. */
  assign(
    members: readonly GroupMemberInfo[],
    protocolName: string,
  ): ReadonlyMap<string, Buffer> | Promise<ReadonlyMap<string, Buffer>>
  /** After a failed attempt, before the next one; `attempt` counts from 0. */
  onRetry?(error: unknown, attempt: number): void
}

/** A member's place in one generation of the group. */
export interface GroupPlace {
  readonly memberId: string
  readonly generationId: number
  readonly protocolName: string
  readonly isLeader: boolean
  readonly assignment: Buffer
}

/**
 * - `out`: not joined, or left
 * - `joining`: a round of the group is under way
 * - `stable`: has a place
 * - `rejoin`: still has its place, and is to join the next round
 * - `lost`: had a place, which may be somebody else's now
 */
export type SessionStatus = 'out' | 'joining' | 'stable' | 'rejoin' | 'lost'

/** One member of a classic group: joins, keeps its place by heartbeats, notices when it has to join again, and leaves. */
export class GroupSession {
  readonly #deps: GroupSessionDeps
  readonly #options: GroupSessionOptions
  readonly #aborter = new AbortController()
  #status: SessionStatus = 'out'
  #memberId = ''
  #generationId = NO_GENERATION
  /** When the coordinator was last known to count this member in. */
  #heardAtMs = -Infinity
  #timer: Timer | null = null

  constructor(deps: GroupSessionDeps, options: GroupSessionOptions) {
    this.#deps = deps
    this.#options = options
  }

  get status(): SessionStatus {
    return this.#status
  }
  /** Empty until the coordinator gave one. */
  get memberId(): string {
    return this.#memberId
  }
  /** -1 without a place. */
  get generationId(): number {
    return this.#generationId
  }
  /** Whether the coordinator must be taken to have given this member's place away. */
  get isExpired(): boolean {
    const silentMs = this.#deps.clock.monotonicMs() - this.#heardAtMs
    return this.#memberId === '' || silentMs > this.#options.sessionTimeoutMs
  }

  /**
   * Takes part in the next round of the group and resolves with a place in it. Tries again as long as it makes sense.
   * One call at a time. @throws ProtocolError when the group does not take this member; PlatformError CLIENT_CLOSED
   */
  async join(round: JoinRound): Promise<GroupPlace> {
    this.#stopHeartbeats()
    this.#status = 'joining'
    const { signal } = this.#aborter
    const onRetry = (error: unknown, attempt: number) => round.onRetry?.(error, attempt)
    try {
      return await retry(this.#deps, { signal, timeoutMs: Infinity, onRetry }, () =>
        this.#joinOnce(round),
      )
    } catch (error) {
      this.#status = 'out'
      throw signal.aborted ? clientErrors.create('CLIENT_CLOSED') : error
    }
  }

  /** Asks for a new round, because what this member tells or hands out has changed. */
  rejoin(): void {
    if (this.#status === 'stable') this.#change('rejoin')
  }

  /**
   * The coordinator answered a request of this member, other than join and heartbeat, with this error.
   * Gives the error to throw.
   */
  refused(errorCode: number): Error {
    const error = this.#failureOf(errorCode)
    if (this.#status !== 'stable' && this.#status !== 'rejoin') return error
    if (errorCode === ErrorCode.REBALANCE_IN_PROGRESS) this.rejoin()
    else if (this.#generationId === NO_GENERATION) this.#lose(errorName(errorCode))
    return error
  }

  /**
   * Ends a join that is under way and tells the coordinator. A static member says so too: its name is there to take its place
   * back after a crash, and a clean end is none.
   */
  async leave(): Promise<void> {
    const { groupId, groupInstanceId } = this.#options
    this.#aborter.abort()
    this.#stopHeartbeats()
    this.#status = 'out'
    const memberId = this.#memberId
    if (memberId === '') return
    const reason = 'the member is closed'
    const member = { memberId, members: [{ memberId, groupInstanceId, reason }] }
    // A parked join may hold back the group's own connection.
    const to = { groupId, purpose: 'main', timeoutMs: LEAVE_TIMEOUT_MS } as const
    try {
      const { cluster } = this.#deps
      await askCoordinator(cluster, to, LeaveGroupRequest, LeaveGroupResponse, {
        groupId,
        ...member,
      })
    } catch (error) {
      if (!isRetriableError(error)) throw error
      this.#deps.logger.debug('could not tell the group that a member leaves', { groupId, error })
    }
  }

  async #joinOnce(round: JoinRound): Promise<GroupPlace> {
    const { clock, logger } = this.#deps
    const joined = await this.#requestJoin(await round.protocols())
    const { generationId, memberId, protocolName, leader } = joined
    this.#memberId = memberId
    this.#generationId = generationId
    const isLeader = leader === memberId
    const assignments =
      isLeader && !joined.skipAssignment
        ? await round.assign(joined.members, protocolName ?? '')
        : new Map<string, Buffer>()
    const assignment = await this.#requestSync(joined, assignments)
    if (this.#aborter.signal.aborted) throw clientErrors.create('CLIENT_CLOSED')
    this.#heardAtMs = clock.monotonicMs()
    this.#status = 'stable'
    this.#scheduleHeartbeat()
    const { groupId } = this.#options
    logger.debug('joined a group', { groupId, memberId, generationId, isLeader })
    return { memberId, generationId, protocolName: protocolName ?? '', isLeader, assignment }
  }

  async #requestJoin(
    protocols: readonly GroupProtocol[],
  ): Promise<Infer<typeof JoinGroupResponse>> {
    const { rebalanceTimeoutMs, sessionTimeoutMs, ...options } = this.#options
    const { groupId, groupInstanceId, protocolType } = options
    const to = { groupId, purpose: 'group', timeoutMs: rebalanceTimeoutMs + JOIN_GRACE_MS } as const
    const ask = () =>
      askCoordinator(this.#deps.cluster, to, JoinGroupRequest, JoinGroupResponse, {
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId: this.#memberId,
        groupInstanceId,
        protocolType,
        protocols,
      })
    let reply = await ask()
    if (reply.errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
      this.#memberId = reply.memberId
      if (this.#aborter.signal.aborted) throw clientErrors.create('CLIENT_CLOSED')
      reply = await ask()
    }
    if (reply.errorCode !== ErrorCode.NONE) throw this.#failureOf(reply.errorCode)
    return reply
  }

  async #requestSync(
    joined: Infer<typeof JoinGroupResponse>,
    assignments: ReadonlyMap<string, Buffer>,
  ): Promise<Buffer> {
    const { groupId, groupInstanceId, protocolType, rebalanceTimeoutMs } = this.#options
    const { generationId, memberId, protocolName } = joined
    const to = { groupId, purpose: 'group', timeoutMs: rebalanceTimeoutMs + JOIN_GRACE_MS } as const
    const reply = await askCoordinator(
      this.#deps.cluster,
      to,
      SyncGroupRequest,
      SyncGroupResponse,
      {
        groupId,
        generationId,
        memberId,
        groupInstanceId,
        protocolType,
        protocolName,
        assignments: [...assignments].map(([id, assignment]) => ({ memberId: id, assignment })),
      },
    )
    if (reply.errorCode !== ErrorCode.NONE) throw this.#failureOf(reply.errorCode)
    return Buffer.from(reply.assignment) // a view of a whole frame otherwise
  }

  #scheduleHeartbeat(): void {
    const { heartbeatIntervalMs } = this.#options
    this.#timer = this.#deps.clock.schedule(heartbeatIntervalMs, () => void this.#heartbeat())
  }

  #stopHeartbeats(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  /** Sends one heartbeat and sees to the next. Never rejects. */
  async #heartbeat(): Promise<void> {
    const timer = this.#timer
    const sentAtMs = this.#deps.clock.monotonicMs()
    const errorCode = await this.#requestHeartbeat(sentAtMs)
    if (this.#timer !== timer) return // meanwhile it joined again, lost its place or left
    if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.REBALANCE_IN_PROGRESS) {
      this.#heardAtMs = sentAtMs
      if (errorCode !== ErrorCode.NONE) this.rejoin()
    } else if (errorCode !== null) {
      const isRetriable = isRetriableError(this.#failureOf(errorCode))
      if (!isRetriable || this.#generationId === NO_GENERATION) {
        return this.#lose(errorName(errorCode))
      }
    }
    if (this.isExpired) return this.#lose('the coordinator could not be reached')
    this.#scheduleHeartbeat()
  }

  /** The error code of the answer, null without one. */
  async #requestHeartbeat(nowMs: number): Promise<number | null> {
    const { groupId, groupInstanceId, sessionTimeoutMs, heartbeatIntervalMs } = this.#options
    const leftMs = this.#heardAtMs + sessionTimeoutMs - nowMs
    const to = {
      groupId,
      purpose: 'group',
      timeoutMs: Math.max(heartbeatIntervalMs, leftMs),
    } as const
    try {
      const { errorCode } = await askCoordinator(
        this.#deps.cluster,
        to,
        HeartbeatRequest,
        HeartbeatResponse,
        {
          groupId,
          generationId: this.#generationId,
          memberId: this.#memberId,
          groupInstanceId,
        },
      )
      return errorCode
    } catch (error) {
      this.#deps.logger.debug('a heartbeat failed and is tried again', { groupId, error })
      return null
    }
  }

  /** The error of an answer's code, with what it means for this member's identity. Retriable: join again. */
  #failureOf(errorCode: number): Error {
    const { groupId } = this.#options
    if (isElsewhere(errorCode)) this.#deps.cluster.forgetCoordinator(groupId)
    switch (errorCode) {
      case ErrorCode.UNKNOWN_MEMBER_ID:
        this.#memberId = ''
        this.#generationId = NO_GENERATION
        break
      case ErrorCode.ILLEGAL_GENERATION:
        this.#generationId = NO_GENERATION
        break
      case ErrorCode.REBALANCE_IN_PROGRESS:
        break
      default:
        return refusal(errorCode, `group ${groupId}`)
    }
    return clientErrors.create('CLIENT_GROUP_MOVED_ON', { groupId, reason: errorName(errorCode) })
  }

  #lose(reason: string): void {
    const { groupId } = this.#options
    this.#deps.logger.warn('lost the place in a group', { groupId, reason })
    this.#generationId = NO_GENERATION
    this.#stopHeartbeats()
    this.#change('lost')
  }

  #change(status: 'rejoin' | 'lost'): void {
    this.#status = status
    this.#options.onChange()
  }
}
