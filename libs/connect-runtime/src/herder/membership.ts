import type { Client, GroupMember } from '@millrace/client'
import type { Logger } from '@millrace/telemetry'
import type { WorkerConfig } from '../config/worker-config'
import { assignEagerly, assignIncrementally, type WorkItem } from './assignor'
import {
  CONFIG_MISMATCH,
  decodeAssignment,
  decodeMetadata,
  encodeAssignment,
  encodeMetadata,
  GROUP_PROTOCOLS,
  NO_ALLOCATION,
  type Allocation,
  type GroupProtocol,
  type WorkerAssignment,
} from './group-protocol'

export interface MembershipDeps {
  readonly client: Client
  readonly logger: Logger
  /** Offset after the last record of the config topic that was read. */
  readonly configOffset: () => number
  /** What there is to hand out, when this worker leads. */
  readonly items: () => readonly WorkItem[]
  /** The worker has a (new) place in the group. Runs to the end before the group goes on. */
  readonly onJoined: () => Promise<void>
  /** The worker lost its place: what it ran may run elsewhere now, so all must stop. */
  readonly onLost: () => Promise<void>
}

export interface MembershipOptions {
  readonly config: WorkerConfig
  /** Address of this worker's REST server, `http://host:port/`. */
  readonly url: () => string
}

/** Everyone stops everything before a round. */
const EAGER_PROTOCOL = 'default'

/** This worker's place in the Connect group: who leads, and what this worker runs. */
export class Membership {
  readonly #deps: MembershipDeps
  readonly #options: MembershipOptions
  readonly #member: GroupMember
  #current: WorkerAssignment | null = null
  #allocation: Allocation = NO_ALLOCATION
  #memberId = ''
  #generation = -1
  /** Whether this worker has shared out work as the leader. */
  #hasAssigned = false
  readonly #placed = Promise.withResolvers<void>()

  constructor(deps: MembershipDeps, options: MembershipOptions) {
    this.#deps = deps
    this.#options = options
    const { config } = options
    this.#member = deps.client.group({
      groupId: config.groupId,
      protocolType: 'connect',
      ...(config.groupInstanceId !== null && { groupInstanceId: config.groupInstanceId }),
      sessionTimeoutMs: config.sessionTimeoutMs,
      rebalanceTimeoutMs: config.rebalanceTimeoutMs,
      heartbeatIntervalMs: config.heartbeatIntervalMs,
      protocols: () => this.#protocols(),
      assign: (members, protocol) => this.#assign(members, protocol as GroupProtocol),
      onAssigned: (assignment, place) => this.#onAssigned(assignment, place),
      // The cooperative protocols keep work running through a round: its outcome names what to give up.
      onRevoked: async ({ isLost, protocolName }) => {
        if (isLost || protocolName === EAGER_PROTOCOL) await this.#onRevoked()
      },
    })
  }

  get isJoined(): boolean {
    return this.#current !== null && this.#current.error === 0
  }
  get isLeader(): boolean {
    return this.isJoined && this.#current!.leaderId === this.#memberId
  }
  get leaderUrl(): string {
    return this.#current?.leaderUrl ?? 'unknown'
  }
  get generation(): number {
    return this.#generation
  }
  /** What this worker runs. */
  get allocation(): Allocation {
    return this.#allocation
  }

  /** Resolves when this worker has a place of its own. */
  async start(): Promise<void> {
    await this.#member.join()
    await this.#placed.promise
  }
  /** Asks for a new assignment, because what there is to hand out has changed. */
  rejoin(): void {
    this.#member.rejoin()
  }
  leave(): Promise<void> {
    this.#placed.resolve() // nobody waits for a place any more
    return this.#member.leave()
  }

  #protocols() {
    const { connectProtocol } = this.#options.config
    const newest = connectProtocol === 'eager' ? EAGER_PROTOCOL : connectProtocol
    const offered = GROUP_PROTOCOLS.slice(GROUP_PROTOCOLS.findIndex(({ name }) => name === newest))
    const configOffset = this.#deps.configOffset()
    const current =
      this.#current === null
        ? null
        : { ...this.#current, assigned: this.#allocation, revoked: NO_ALLOCATION }
    return offered.map(({ name }) => ({
      name,
      metadata: encodeMetadata(name, { url: this.#options.url(), configOffset, current }),
    }))
  }

  /** The leader's part. Members that have not read as far as the newest configuration run nothing until they have. */
  #assign(
    members: readonly { readonly memberId: string; readonly metadata: Buffer }[],
    protocol: GroupProtocol,
  ): Map<string, Buffer> {
    this.#hasAssigned = true
    const decoded = members.map(({ memberId, metadata }) => ({
      memberId,
      metadata: decodeMetadata(metadata),
    }))
    const newest = Math.max(...decoded.map(({ metadata }) => metadata.configOffset))
    const self = decoded.find(({ memberId }) => memberId === this.#member.memberId)
    const configOffset = this.#deps.configOffset()
    const base = {
      error: newest > configOffset ? CONFIG_MISMATCH : 0,
      leaderId: this.#member.memberId,
      leaderUrl: self?.metadata.url ?? this.#options.url(),
      configOffset: Math.max(newest, configOffset),
      delayMs: 0,
    }
    const items = base.error === 0 ? this.#deps.items() : []
    const encode = (assigned: Allocation, revoked: Allocation) =>
      encodeAssignment(protocol, { ...base, assigned, revoked })
    if (protocol === EAGER_PROTOCOL) {
      const split = assignEagerly(
        decoded.map(({ memberId }) => memberId),
        items,
      )
      return new Map([...split].map(([id, assigned]) => [id, encode(assigned, NO_ALLOCATION)]))
    }
    if (base.error !== 0) {
      return new Map(
        decoded.map(({ memberId }) => [memberId, encode(NO_ALLOCATION, NO_ALLOCATION)]),
      )
    }
    const loads = decoded.map(({ memberId, metadata }) => ({
      memberId,
      current: metadata.current?.assigned ?? NO_ALLOCATION,
    }))
    const changes = assignIncrementally(loads, items)
    return new Map(
      [...changes].map(([id, { assigned, revoked }]) => [id, encode(assigned, revoked)]),
    )
  }

  async #onAssigned(
    bytes: Buffer,
    place: {
      readonly memberId: string
      readonly generationId: number
      readonly protocolName: string
    },
  ): Promise<void> {
    const assignment = decodeAssignment(bytes)
    if (this.#hasTakenOver) {
      this.#current = { ...assignment, assigned: NO_ALLOCATION, revoked: NO_ALLOCATION }
      this.rejoin()
      return
    }
    this.#memberId = place.memberId
    this.#generation = place.generationId
    this.#current = assignment
    this.#allocation =
      place.protocolName === EAGER_PROTOCOL
        ? assignment.assigned
        : merge(this.#allocation, assignment.assigned, assignment.revoked)
    this.#deps.logger.info('joined the Connect group', {
      generation: this.#generation,
      isLeader: this.isLeader,
      leader: assignment.leaderUrl,
      connectors: this.#allocation.size,
    })
    await this.#deps.onJoined()
    this.#placed.resolve()
    // What had to be given up is free now and can be assigned to somebody else.
    if (assignment.revoked.size > 0 || assignment.error === CONFIG_MISMATCH) this.rejoin()
  }

  /**
   * The first place of a worker with a fixed name may be that of its former self, without any round: what comes with it is what
   * changed in the last round, not all that it ran. Telling the group that it runs nothing brings it the rest.
   */
  get #hasTakenOver(): boolean {
    const isFirst = this.#current === null
    return isFirst && this.#options.config.groupInstanceId !== null && !this.#hasAssigned
  }

  async #onRevoked(): Promise<void> {
    this.#current = null
    this.#allocation = NO_ALLOCATION
    await this.#deps.onLost()
  }
}

/** What runs after a round of the cooperative protocols. */
export function merge(current: Allocation, assigned: Allocation, revoked: Allocation): Allocation {
  const merged = new Map<string, number[]>()
  const add = (allocation: Allocation, isKept: (connector: string, task: number) => boolean) => {
    for (const [connector, tasks] of allocation) {
      const known = merged.get(connector) ?? []
      for (const task of tasks) {
        if (isKept(connector, task) && !known.includes(task)) known.push(task)
      }
      if (known.length > 0) merged.set(connector, known)
    }
  }
  add(current, (connector, task) => !(revoked.get(connector)?.includes(task) ?? false))
  add(assigned, () => true)
  return merged
}
