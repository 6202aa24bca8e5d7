import { type ConsumerGroupHeartbeatRequest, ErrorCode, type Infer } from '@millrace/wire'
import type { GroupWorld } from './group-world'

type Request = Infer<typeof ConsumerGroupHeartbeatRequest>

/** A member of the consumer protocol that does what it is told, at once. */
export class TestConsumer {
  readonly memberId: string
  readonly instanceId: string | null
  readonly groupId: string
  epoch = 0
  /** Topic id and partition: `id/0`. Never changes without a heartbeat. */
  owned = new Set<string>()
  #assigned: Set<string> | null = null

  constructor(memberId: string, { groupId = 'g', instanceId = null as string | null } = {}) {
    this.memberId = memberId
    this.groupId = groupId
    this.instanceId = instanceId
  }

  /** Asks to be taken in. Returns the error code. */
  join(world: GroupWorld, subscription: Partial<Request>): Promise<number> {
    this.epoch = 0
    this.owned = new Set()
    return this.#send(world, {
      rebalanceTimeoutMs: 60_000,
      subscribedTopicNames: [],
      ...subscription,
      topicPartitions: [],
    })
  }

  /** Tells what it owns, and takes or gives up what it is told. Returns the error code. */
  beat(world: GroupWorld, fields: Partial<Request> = {}): Promise<number> {
    return this.#send(world, { topicPartitions: topicPartitionsOf(this.owned), ...fields })
  }

  async leave(world: GroupWorld, epoch = -1): Promise<number> {
    const { errorCode } = await this.#ask(world, { memberEpoch: epoch })
    this.owned = new Set()
    return errorCode
  }

  async #send(world: GroupWorld, fields: Partial<Request>): Promise<number> {
    const { errorCode, memberEpoch, assignment } = await this.#ask(world, fields)
    if (errorCode !== ErrorCode.NONE) return errorCode
    this.epoch = memberEpoch
    if (assignment) {
      this.#assigned = new Set(
        assignment.topicPartitions.flatMap(({ topicId, partitions }) =>
          partitions.map((partition) => `${topicId}/${partition}`),
        ),
      )
      this.owned = this.#assigned
    }
    return errorCode
  }

  #ask(world: GroupWorld, fields: Partial<Request>) {
    const request: Request = {
      groupId: this.groupId,
      memberId: this.memberId,
      memberEpoch: this.epoch,
      instanceId: this.instanceId,
      rackId: null,
      rebalanceTimeoutMs: -1,
      subscribedTopicNames: null,
      subscribedTopicRegex: null,
      serverAssignor: null,
      topicPartitions: null,
      ...fields,
    }
    const client = { clientId: 'client', clientHost: '/127.0.0.1', apiVersion: 1 }
    return world.coordinator.consumerGroupHeartbeat(request, { ...client, mayDescribe: () => true })
  }
}

function topicPartitionsOf(owned: ReadonlySet<string>) {
  const topics = new Map<string, number[]>()
  for (const text of owned) {
    const [topicId, partition] = text.split('/')
    topics.set(topicId, [...(topics.get(topicId) ?? []), Number(partition)])
  }
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }))
}
