import { type ConsumerGroupHeartbeatRequest, ErrorCode, type Infer } from '@millrace/wire'
import type { GroupWorld } from './group-world'

type Request = Infer<typeof ConsumerGroupHeartbeatRequest>

interface ConsumerOptions {
  readonly groupId?: string
  readonly instanceId?: string | null
}

/** A member of the consumer protocol, as clients are: it gives up first, and only then takes what is new. */
export class TestConsumer {
  readonly memberId: string
  readonly instanceId: string | null
  readonly groupId: string
  epoch = 0
  /** What it reads from: topic id and partition, `id/0`. */
  owned: ReadonlySet<string> = new Set()
  /** As it was told. */
  heartbeatIntervalMs = 0
  /** Whether it takes its time to give up; `finish` ends that. */
  isSlow = false
  /** The answer to its next heartbeat does not arrive. */
  losesAnswer = false
  #assigned: ReadonlySet<string> = new Set()
  #subscription: Partial<Request> = {}

  constructor(memberId: string, { groupId = 'g', instanceId = null }: ConsumerOptions = {}) {
    this.memberId = memberId
    this.groupId = groupId
    this.instanceId = instanceId
  }

  /** Names that it subscribes to; a pattern stands for what it is meant to find. */
  get topics(): readonly string[] {
    const { subscribedTopicNames, subscribedTopicRegex } = this.#subscription
    return [...(subscribedTopicNames ?? []), ...(subscribedTopicRegex ? ['t0', 't1'] : [])]
  }

  /** Asks to be taken in. Returns the error code. */
  join(world: GroupWorld, subscription: Partial<Request>): Promise<number> {
    this.epoch = 0
    this.owned = new Set()
    this.#assigned = new Set()
    this.#subscription = { rebalanceTimeoutMs: 60_000, subscribedTopicNames: [], ...subscription }
    return this.#send(world, { ...this.#subscription, topicPartitions: [] })
  }

  /** Comes again from the beginning, with nothing. */
  rejoin(world: GroupWorld): Promise<number> {
    return this.join(world, this.#subscription)
  }

  /** Tells what it owns, and takes or gives up what it is told. Returns the error code. */
  beat(world: GroupWorld, fields: Partial<Request> = {}): Promise<number> {
    const topicPartitions = topicPartitionsOf(this.owned)
    return this.#send(world, { topicPartitions, ...fields })
  }

  /** As after a lost answer: tells everything. */
  beatInFull(world: GroupWorld): Promise<number> {
    return this.beat(world, this.#subscription)
  }

  /** Has given up what it was told to. */
  finish(): void {
    this.isSlow = false
    this.owned = this.#assigned
  }

  async leave(world: GroupWorld, epoch = -1): Promise<number> {
    this.owned = new Set()
    const { errorCode } = await this.#ask(world, { memberEpoch: epoch })
    return errorCode
  }

  async #send(world: GroupWorld, fields: Partial<Request>): Promise<number> {
    const answer = await this.#ask(world, fields)
    const { errorCode, memberEpoch, assignment } = answer
    if (this.losesAnswer) {
      this.losesAnswer = false
      return ErrorCode.REQUEST_TIMED_OUT
    }
    if (errorCode !== ErrorCode.NONE) {
      if (FENCING.includes(errorCode)) this.owned = new Set()
      return errorCode
    }
    this.epoch = memberEpoch
    this.heartbeatIntervalMs = answer.heartbeatIntervalMs
    if (assignment) this.#assigned = namesOf(assignment.topicPartitions)
    const isRevoking = [...this.owned].some((name) => !this.#assigned.has(name))
    if (!this.isSlow || !isRevoking) this.owned = this.#assigned
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

const FENCING: readonly number[] = [
  ErrorCode.FENCED_MEMBER_EPOCH,
  ErrorCode.UNKNOWN_MEMBER_ID,
  ErrorCode.FENCED_INSTANCE_ID,
  ErrorCode.GROUP_ID_NOT_FOUND,
]

function namesOf(topics: readonly { topicId: string; partitions: readonly number[] }[]) {
  return new Set(
    topics.flatMap(({ topicId, partitions }) =>
      partitions.map((partition) => `${topicId}/${partition}`),
    ),
  )
}

function topicPartitionsOf(owned: ReadonlySet<string>) {
  const topics = new Map<string, number[]>()
  for (const text of owned) {
    const [topicId, partition] = text.split('/')
    topics.set(topicId, [...(topics.get(topicId) ?? []), Number(partition)])
  }
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }))
}
