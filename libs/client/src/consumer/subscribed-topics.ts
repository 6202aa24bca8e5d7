import type { Cluster } from '../cluster'
import type { TopicMetadata, TopicPartition } from '../options'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../group/consumer-protocol'
import { assignRanges, RANGE_ASSIGNOR } from '../group/range-assignor'
import type { GroupMemberInfo, GroupProtocol } from '../group/session'

/** Topics by name, whether they exist or not, or all whose name a pattern matches, internal ones excepted. */
export type Subscription = { readonly topics: readonly string[] } | { readonly pattern: RegExp }

/** What one member of a group wants to read and, if it leads, how all is shared out. */
export class SubscribedTopics {
  readonly #cluster: Cluster
  readonly #subscription: Subscription
  /** What the group was told in the last round. */
  #topics: readonly string[] = []
  /** What the leader shared out in the last round; null for other members. */
  #shared: ReadonlyMap<string, number> | null = null
  #groupTopics: readonly string[] = []

  constructor(cluster: Cluster, subscription: Subscription) {
    this.#cluster = cluster
    this.#subscription = subscription
  }

  /** For the join. @throws ProtocolError; PlatformError CLIENT_* */
  async protocols(): Promise<GroupProtocol[]> {
    this.#shared = null
    this.#topics = await this.#match()
    return [{ name: RANGE_ASSIGNOR, metadata: encodeSubscription(this.#topics) }]
  }

  /** The leader's part. @throws ProtocolError; PlatformError CLIENT_*, WIRE_* if a member's bytes cannot be read */
  async assign(members: readonly GroupMemberInfo[]): Promise<Map<string, Buffer>> {
    const subscribed = members.map(({ memberId, groupInstanceId, metadata }) => ({
      memberId,
      groupInstanceId,
      topics: decodeSubscription(metadata).topics,
    }))
    this.#groupTopics = [...new Set(subscribed.flatMap(({ topics }) => topics))].sort()
    const counts = await this.#partitionCounts()
    this.#shared = counts
    const assigned = assignRanges(subscribed, counts)
    return new Map([...assigned].map(([id, partitions]) => [id, encodeAssignment(partitions)]))
  }

  /** Whether this member, as the leader, shared out the topics of this round. */
  get hasShared(): boolean {
    return this.#shared !== null
  }

  decode(assignment: Buffer): TopicPartition[] {
    return decodeAssignment(assignment)
  }

  /** Whether another round would turn out differently. @throws ProtocolError; PlatformError CLIENT_* */
  async hasChanged(): Promise<boolean> {
    if ('pattern' in this.#subscription) {
      const topics = await this.#match()
      if (topics.join() !== this.#topics.join()) return true
    }
    const shared = this.#shared
    if (shared === null) return false
    const counts = await this.#partitionCounts()
    if (counts.size !== shared.size) return true
    return [...counts].some(([topic, count]) => shared.get(topic) !== count)
  }

  async #match(): Promise<readonly string[]> {
    if ('topics' in this.#subscription) return this.#subscription.topics
    const { source, flags } = this.#subscription.pattern
    // With these two a pattern remembers where it last matched.
    const pattern = new RegExp(source, flags.replace(/[gy]/g, ''))
    const isMatch = ({ name, isInternal }: TopicMetadata) => !isInternal && pattern.test(name)
    const all = await this.#cluster.topics(null)
    return [...all.values()]
      .filter(isMatch)
      .map(({ name }) => name)
      .sort()
  }

  async #partitionCounts(): Promise<Map<string, number>> {
    if (this.#groupTopics.length === 0) return new Map()
    const known = await this.#cluster.topics(this.#groupTopics)
    return new Map(
      this.#groupTopics.flatMap((name) => {
        const count = known.get(name)?.partitions.length ?? 0
        return count > 0 ? [[name, count] as const] : []
      }),
    )
  }
}
