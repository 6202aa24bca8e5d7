import { ErrorCode } from '@millrace/wire'
import { decodeSubscription } from '../../src/group/consumer-protocol'
import { ClassicConsumer } from './classic-world'
import { anAssignment } from './embedded-protocol'
import type { GroupWorld } from './group-world'

/** Of an assignment that its former self made. */
const UNKNOWN_VERSION = -1

type Partitions = ReadonlyMap<string, readonly number[]>
interface Candidate {
  readonly memberId: string
  readonly topics: readonly string[]
  readonly owned: Partitions
}

/**
 * A member of the classic protocol, as clients are: one request at a time, and as the leader it assigns. An eager one gives up
 * everything before it joins again; a cooperative one what it was not given, and then joins once more.
 */
export class ClassicClient {
  readonly instanceId: string | null
  readonly topics: readonly string[]
  /** Whether it takes its time to give up, which it does before it joins; `finish` ends that. */
  isSlow = false
  /** The answer to its next request does not arrive. */
  losesAnswer = false
  /** Kept by the test: the broker gave it up, and it does not know. It finds out when it is told what it has, or has lost all. */
  isGivenUp = false
  readonly #consumer: ClassicConsumer
  readonly #isEager: boolean
  /** What it reads, topic id and partition by `id/0`, as it was when it was told. */
  #owned: ReadonlySet<string> = new Set()
  #ownedByName: Partitions = new Map()
  #mustJoin = true
  #isBusy = false
  #isDead = false
  /** Of the topics, when it last assigned; null if it does not lead. */
  #assignedVersion: number | null = null

  constructor(options: { instanceId: string | null; topics: readonly string[]; isEager: boolean }) {
    const { instanceId, topics, isEager } = options
    this.instanceId = instanceId
    this.topics = topics
    this.#isEager = isEager
    const protocols = [isEager ? 'range' : 'cooperative-sticky']
    this.#consumer = new ClassicConsumer({ instanceId, topics, protocols })
  }

  get memberId(): string {
    return this.#consumer.memberId
  }

  get generationId(): number {
    return this.#consumer.generationId
  }

  get owned(): ReadonlySet<string> {
    return this.#owned
  }

  /** As it is now: it reads topics by their names, also if those were made anew. */
  ownedNow({ topics }: GroupWorld): string[] {
    return namesOf(this.#ownedByName, topics)
  }

  finish(): void {
    this.isSlow = false
  }

  /** The process is gone: no answer reaches it. */
  crash(): void {
    this.#isDead = true
  }

  async leave(world: GroupWorld): Promise<void> {
    this.crash()
    this.#own(new Map(), world)
    // Static members only go away: whoever restarts them has time until their session ends.
    if (this.memberId !== '' && this.instanceId === null) await this.#consumer.leave(world)
  }

  /** Does what is next, if no request is under way. Resolves when that is answered, which may take a rebalance. */
  async goOn(world: GroupWorld): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    if (!this.#mustJoin) this.#heartbeat(world)
    const isReady = !this.isSlow || this.#owned.size === 0
    if (this.#mustJoin && isReady) await this.#join(world)
    this.#isBusy = false
  }

  #heartbeat(world: GroupWorld): void {
    const error = this.#consumer.heartbeat(world)
    const haveTopicsChanged =
      this.#assignedVersion !== null && this.#assignedVersion !== world.topics.version()
    this.#mustJoin = error === ErrorCode.REBALANCE_IN_PROGRESS || haveTopicsChanged
    this.#maybeLose(error, world)
  }

  async #join(world: GroupWorld): Promise<void> {
    if (this.#isEager) this.#own(new Map(), world)
    const response = await this.#consumer.ask(world, Object.fromEntries(this.#ownedByName) as never)
    if (this.#isLost() || this.#maybeLose(response.errorCode!, world)) return
    if (response.errorCode === ErrorCode.MEMBER_ID_REQUIRED) return this.#join(world)
    if (response.errorCode !== ErrorCode.NONE) return
    const isLeader = response.leader === this.memberId
    const leads = isLeader && response.skipAssignment !== true
    // A static leader that comes back assigns anew: unlike Java's, it does not miss what changed while it was away.
    this.#assignedVersion = leads ? world.topics.version() : isLeader ? UNKNOWN_VERSION : null
    const members = (response.members ?? []).map(({ memberId, metadata }) =>
      candidateOf(memberId, metadata),
    )
    const error = await this.#consumer.sync(world, leads ? this.#assign(members, world) : undefined)
    if (this.#isLost() || this.#maybeLose(error, world) || error !== ErrorCode.NONE) return
    this.#onAssigned(world)
  }

  #onAssigned(world: GroupWorld): void {
    const assigned = new Map(Object.entries(this.#consumer.assigned))
    const isRevoking = [...this.#ownedByName].some(([topic, partitions]) =>
      partitions.some((partition) => !assigned.get(topic)?.includes(partition)),
    )
    this.#own(assigned, world)
    this.#mustJoin = isRevoking && !this.#isEager
  }

  /** Each topic in turns; of a cooperative group nobody gets what another one still has. */
  #assign(members: readonly Candidate[], { topics }: GroupWorld): ReadonlyMap<string, Buffer> {
    const given = new Map(members.map(({ memberId }) => [memberId, {} as Record<string, number[]>]))
    for (const topic of new Set(members.flatMap((member) => member.topics))) {
      const readers = members.filter((member) => member.topics.includes(topic))
      for (let partition = 0; partition < topics.partitionCount(topic); partition++) {
        const { memberId } = readers[partition % readers.length]
        const isOwnedByOther = members.some(
          (other) => other.memberId !== memberId && other.owned.get(topic)?.includes(partition),
        )
        if (!isOwnedByOther) (given.get(memberId)![topic] ??= []).push(partition)
      }
    }
    return new Map([...given].map(([memberId, partitions]) => [memberId, anAssignment(partitions)]))
  }

  /** After an answer that did not come it joins again, as who it is. */
  #isLost(): boolean {
    if (this.#isDead) return true
    if (!this.losesAnswer) return false
    this.losesAnswer = false
    this.#mustJoin = true
    return true
  }

  /** It is out, and has lost everything. */
  #maybeLose(error: number, world: GroupWorld): boolean {
    const isForgotten =
      error === ErrorCode.UNKNOWN_MEMBER_ID || error === ErrorCode.FENCED_INSTANCE_ID
    if (!isForgotten && error !== ErrorCode.ILLEGAL_GENERATION) return false
    this.#own(new Map(), world)
    if (isForgotten) this.#consumer.memberId = ''
    this.#mustJoin = true
    return true
  }

  #own(partitions: Partitions, { topics }: GroupWorld): void {
    this.isGivenUp = false
    this.#ownedByName = partitions
    this.#owned = new Set(namesOf(partitions, topics))
  }
}

function namesOf(partitions: Partitions, topics: GroupWorld['topics']): string[] {
  return [...partitions].flatMap(([topic, indexes]) =>
    indexes.map((partition) => `${topics.topicId(topic) ?? topic}/${partition}`),
  )
}

function candidateOf(memberId: string, metadata: Buffer): Candidate {
  const { topics, ownedPartitions } = decodeSubscription(metadata)!.subscription
  const owned = new Map(ownedPartitions.map(({ topic, partitions }) => [topic, partitions]))
  return { memberId, topics, owned }
}
