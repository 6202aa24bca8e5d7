import type { Cluster } from '../cluster'
import { clientErrors } from '../errors'
import type { ClientDeps } from '../options'
import { Wakeup } from './wakeup'
import { type GroupMemberInfo, type GroupPlace, type GroupProtocol, GroupSession } from './session'
import { groupTimings } from './timings'

/** A group that does not take this member back, or an assignment that could not be taken up, is tried again. */
const FAILURE_PAUSE_MS = 5_000

export interface GroupMemberOptions {
  readonly groupId: string
  /** Static membership. */
  readonly groupInstanceId?: string
  /** Kind of group: `connect`, `consumer`... Members of different kinds do not meet. */
  readonly protocolType: string
  readonly sessionTimeoutMs?: number
  readonly rebalanceTimeoutMs?: number
  readonly heartbeatIntervalMs?: number
  /** Asked before each round: the ways to share out work that this member knows, the preferred one first. */
  protocols(): readonly GroupProtocol[]
  /** The leader's part: what each member gets. Members that are not in the map get nothing. */
  assign(
    members: readonly GroupMemberInfo[],
    protocolName: string,
  ): ReadonlyMap<string, Buffer> | Promise<ReadonlyMap<string, Buffer>>
  /** The member has a place in a new generation. The next round waits until it is done. */
  onAssigned(assignment: Buffer, place: GroupPlace): Promise<void>
  /**
   * Called before the member joins another round, which waits until it is done, and when its place was lost; then
   * `isLost` is true, and what it was assigned may be somebody else's already. A protocol that keeps work running
   * through a round does nothing unless `isLost`.
   */
  onRevoked(reason: RevokeReason): Promise<void>
}

export interface RevokeReason {
  readonly isLost: boolean
  /** Of the generation that is over. */
  readonly protocolName: string
}

/** A member of a classic group. It keeps its place by itself until it leaves. */
export interface GroupMember {
  /** Empty until the group gave one. */
  readonly memberId: string
  /** Resolves when the first assignment was taken up. @throws ProtocolError if the group refuses this member */
  join(): Promise<void>
  /** Asks for a new round, because what this member tells or hands out has changed. Does nothing without a place. */
  rejoin(): void
  /** Leaves the group, for good; `onRevoked` is not called. Not to be awaited by a callback of this member. */
  leave(): Promise<void>
}

/** Joins round after round in the background; callbacks never overlap. */
export class ClassicGroupMember implements GroupMember {
  readonly #deps: ClientDeps
  readonly #cluster: Cluster
  readonly #options: GroupMemberOptions
  readonly #session: GroupSession
  readonly #wakeup: Wakeup
  readonly #aborter = new AbortController()
  #running: Promise<void> | null = null
  #onFirst: { resolve: () => void; reject: (error: unknown) => void } | null = null
  /** The place whose assignment is in use, until it is told to be lost. */
  #place: GroupPlace | null = null
  #revoking: Promise<void> = Promise.resolve()

  /** The member closes the cluster when it leaves: a parked join must not hold back anybody else. */
  constructor(deps: ClientDeps, cluster: Cluster, options: GroupMemberOptions) {
    this.#deps = deps
    this.#cluster = cluster
    this.#options = options
    this.#wakeup = new Wakeup(deps.clock)
    this.#session = new GroupSession(
      { ...deps, cluster },
      {
        ...groupTimings(options),
        groupId: options.groupId,
        groupInstanceId: options.groupInstanceId ?? null,
        protocolType: options.protocolType,
        onChange: () => this.#wakeup.wake(),
      },
    )
  }

  get memberId(): string {
    return this.#session.memberId
  }

  async join(): Promise<void> {
    if (this.#aborter.signal.aborted) throw clientErrors.create('CLIENT_CLOSED')
    if (this.#running !== null) throw new TypeError('the member has joined already')
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#onFirst = { resolve, reject }
    this.#running = this.#run()
    await promise
  }

  rejoin(): void {
    this.#session.rejoin()
  }

  async leave(): Promise<void> {
    this.#aborter.abort()
    this.#wakeup.wake()
    await this.#session.leave()
    await this.#cluster.close() // ends what still waits for an answer
    await this.#running
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { signal } = this.#aborter
    while (!signal.aborted) {
      try {
        await this.#round()
      } catch (error) {
        if (signal.aborted) break
        if (this.#onFirst !== null) return this.#giveUp(error)
        if (this.#cluster.isClosed) break // the client was closed under the member
        const { groupId } = this.#options
        this.#deps.logger.error('a group member failed and is to join again', { groupId, error })
        if (this.#place !== null) this.#revoke(this.#session.isExpired)
        await this.#revoking
        await this.#deps.clock.sleep(FAILURE_PAUSE_MS, signal).catch(() => undefined)
      }
    }
    this.#onFirst?.reject(clientErrors.create('CLIENT_CLOSED'))
    this.#onFirst = null
  }

  /** One round: join, take up the assignment, keep the place until it is time for the next one. */
  async #round(): Promise<void> {
    const { signal } = this.#aborter
    const place = await this.#session.join({
      protocols: () => this.#options.protocols(),
      assign: (members, protocolName) => this.#options.assign(members, protocolName),
      onRetry: (error, attempt) => this.#onTrouble(error, attempt),
    })
    await this.#revoking
    if (signal.aborted) return
    this.#place = place
    await this.#options.onAssigned(place.assignment, place)
    this.#onFirst?.resolve()
    this.#onFirst = null
    while (this.#session.status === 'stable' && !signal.aborted) {
      await this.#wakeup.wait(Infinity)
    }
    if (signal.aborted) return
    this.#revoke(this.#session.status === 'lost')
    await this.#revoking
  }

  /** Between two attempts to join. */
  #onTrouble(error: unknown, attempt: number): void {
    const { groupId } = this.#options
    const level = attempt === 0 ? 'warn' : 'debug' // an outage is one line
    this.#deps.logger[level]('joining a group failed and is tried again', { groupId, error })
    if (this.#session.isExpired) this.#revoke(true)
  }

  #revoke(isLost: boolean): void {
    const place = this.#place
    if (place === null) return
    if (isLost) this.#place = null
    const { groupId } = this.#options
    this.#revoking = this.#revoking
      .then(() => this.#options.onRevoked({ isLost, protocolName: place.protocolName }))
      .catch((error: unknown) => {
        this.#deps.logger.error('work of a group could not be given up', { groupId, error })
      })
  }

  #giveUp(error: unknown): void {
    this.#running = null
    this.#onFirst?.reject(error)
    this.#onFirst = null
  }
}
