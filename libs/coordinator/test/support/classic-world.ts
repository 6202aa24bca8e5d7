import { ErrorCode } from '@millrace/wire'
import { decodeAssignment } from '../../src/group/consumer-protocol'
import { aSubscription } from './embedded-protocol'
import type { GroupWorld } from './group-world'

const { NONE } = ErrorCode

interface ClassicOptions {
  readonly instanceId?: string | null
  readonly topics?: readonly string[]
  /** Names of assignors. */
  readonly protocols?: readonly string[]
}
type JoinResponse = Awaited<ReturnType<GroupWorld['coordinator']['joinGroup']>>

/** A consumer of the classic protocol, request by request: it joins, syncs, and reads what its assignment says. */
export class ClassicConsumer {
  memberId = ''
  generationId = -1
  assignment: Buffer = Buffer.alloc(0)
  readonly instanceId: string | null
  readonly #topics: readonly string[]
  readonly #protocols: readonly string[]

  constructor({
    instanceId = null,
    topics = ['t'],
    protocols = ['range', 'cooperative-sticky'],
  }: ClassicOptions = {}) {
    this.instanceId = instanceId
    this.#topics = topics
    this.#protocols = protocols
  }

  /** Partitions by topic, as its assignment says. */
  get assigned(): Record<string, number[]> {
    const { assignedPartitions } = decodeAssignment(this.assignment) ?? { assignedPartitions: [] }
    return Object.fromEntries(
      assignedPartitions.map(({ topic, partitions }) => [topic, partitions]),
    )
  }

  /** What it reads of `t`. */
  get owned(): number[] {
    return this.assigned.t ?? []
  }

  /** With its next id, if it is told one first. */
  async join(world: GroupWorld, protocolType = 'consumer'): Promise<number> {
    const { errorCode } = await this.ask(world, this.assigned, protocolType)
    return errorCode === ErrorCode.MEMBER_ID_REQUIRED ? this.join(world, protocolType) : errorCode
  }

  /** One JoinGroup, of a consumer that has these partitions. */
  async ask(
    world: GroupWorld,
    owned: Record<string, number[]>,
    protocolType = 'consumer',
  ): Promise<JoinResponse> {
    const metadata = aSubscription(this.#topics, owned)
    const response = await world.coordinator.joinGroup(
      {
        groupId: 'g',
        memberId: this.memberId,
        groupInstanceId: this.instanceId,
        sessionTimeoutMs: 30_000,
        rebalanceTimeoutMs: 60_000,
        protocolType,
        protocols: this.#protocols.map((name) => ({ name, metadata })),
        reason: null,
      },
      { clientId: 'classic', clientHost: '/127.0.0.1', apiVersion: 9 },
    )
    const { errorCode, memberId, generationId = -1 } = response
    if (errorCode === ErrorCode.MEMBER_ID_REQUIRED) this.memberId = memberId
    if (errorCode === NONE) Object.assign(this, { memberId, generationId })
    return response
  }

  async sync(
    world: GroupWorld,
    assigned: ReadonlyMap<string, Buffer> = new Map(),
  ): Promise<number> {
    const { errorCode, assignment } = await world.coordinator.syncGroup({
      groupId: 'g',
      generationId: this.generationId,
      memberId: this.memberId,
      groupInstanceId: this.instanceId,
      protocolType: 'consumer',
      protocolName: this.#protocols[0],
      assignments: [...assigned].map(([memberId, given]) => ({ memberId, assignment: given })),
    })
    if (errorCode === NONE) this.assignment = assignment
    return errorCode
  }

  heartbeat(world: GroupWorld): number {
    const { memberId, generationId, instanceId: groupInstanceId } = this
    const { errorCode } = world.coordinator.heartbeat({
      groupId: 'g',
      memberId,
      generationId,
      groupInstanceId,
    })
    return errorCode
  }

  async leave(world: GroupWorld): Promise<number> {
    const members = [{ memberId: this.memberId, groupInstanceId: this.instanceId, reason: null }]
    const request = { groupId: 'g', memberId: '', members }
    const response = await world.coordinator.leaveGroup(request, { apiVersion: 5 })
    return response.members?.[0]?.errorCode ?? response.errorCode ?? NONE
  }

  /** As a client goes on: a heartbeat, and what it asks for. */
  async goOn(world: GroupWorld): Promise<void> {
    if (this.heartbeat(world) !== ErrorCode.REBALANCE_IN_PROGRESS) return
    const errors = [await this.join(world), await this.sync(world)]
    if (errors.some((error) => error !== NONE)) throw new Error(`could not go on: ${errors.join()}`)
  }
}
