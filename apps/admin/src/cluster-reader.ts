/** What the admin API tells, read from the cluster by the Kafka protocol. */
import type { Admin, Client } from '@millrace/client'

export interface TopicSummary {
  readonly name: string
  readonly id: string
  readonly isInternal: boolean
  readonly partitionCount: number
  /** Offsets between log start and end, over all partitions: an upper bound of the records. */
  readonly offsetCount: number
}

export interface PartitionDetail {
  readonly index: number
  readonly leader: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly startOffset: number
  readonly endOffset: number
}

export interface TopicDetail extends TopicSummary {
  readonly partitions: readonly PartitionDetail[]
  readonly configs: Readonly<Record<string, string | null>>
}

type TopicMetadata = Awaited<ReturnType<Admin['topics']>>[number]

/** Reads topics and brokers through one client. */
export class ClusterReader {
  readonly #client: Client
  readonly #admin: Admin

  constructor(client: Client) {
    this.#client = client
    this.#admin = client.admin()
  }

  cluster(): ReturnType<Admin['describeCluster']> {
    return this.#admin.describeCluster()
  }

  async topics(): Promise<readonly TopicSummary[]> {
    const details = await this.#withOffsets(await this.#admin.topics(null))
    return details
      .map(({ partitions, ...summary }) => summary)
      .sort((a, b) => a.name.localeCompare(b.name))
  }

  /** Null if there is no such topic. */
  async topic(name: string): Promise<TopicDetail | null> {
    const metadata = (await this.#admin.topics([name])).filter(
      (topic) => topic.partitions.length > 0,
    )
    if (metadata.length === 0) return null
    const [[detail], configs] = await Promise.all([
      this.#withOffsets(metadata),
      this.#admin.describeConfigs(name),
    ])
    return { ...detail, configs }
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  /** One round of requests for all topics: a page over a thousand topics must not ask a thousand times. */
  async #withOffsets(topics: readonly TopicMetadata[]): Promise<Omit<TopicDetail, 'configs'>[]> {
    const all = topics.flatMap(({ name, partitions }) =>
      partitions.map(({ index }) => ({ topic: name, partition: index })),
    )
    const [starts, ends] = await Promise.all([
      this.#admin.listOffsets(all, 'earliest'),
      this.#admin.listOffsets(all, 'latest'),
    ])
    const startOf = offsetsById(starts)
    const endOf = offsetsById(ends)
    return topics.map(({ name, id, isInternal, partitions }) => {
      const details = partitions.map(({ index, leader, replicas, isr }) => ({
        index,
        leader,
        replicas,
        isr,
        startOffset: startOf.get(`${name}-${index}`) ?? 0,
        endOffset: endOf.get(`${name}-${index}`) ?? 0,
      }))
      const offsetCount = details.reduce((sum, part) => sum + part.endOffset - part.startOffset, 0)
      return {
        name,
        id,
        isInternal,
        partitionCount: partitions.length,
        offsetCount,
        partitions: details,
      }
    })
  }
}

function offsetsById(
  offsets: readonly { topic: string; partition: number; offset: number }[],
): ReadonlyMap<string, number> {
  return new Map(offsets.map(({ topic, partition, offset }) => [`${topic}-${partition}`, offset]))
}
