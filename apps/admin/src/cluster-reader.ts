/** What the admin API tells, read from the cluster by the Kafka protocol. */
import type { Admin, Client } from '@millrace/client'
import { adminErrors } from './errors'

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

/** Longest wait of a request to this API; the client itself would go on trying for longer. */
const TIMEOUT_MS = 5_000

/** Reads topics and brokers through one client. Each call @throws PlatformError ADMIN_CLUSTER_UNREACHABLE after five seconds. */
export class ClusterReader {
  readonly #client: Client
  readonly #admin: Admin
  readonly #servers: string

  /** @param servers what the client was told to connect to, for the error text */
  constructor(client: Client, servers: readonly string[]) {
    this.#client = client
    this.#admin = client.admin()
    this.#servers = servers.join(',')
  }

  cluster(): ReturnType<Admin['describeCluster']> {
    return this.#inTime(this.#admin.describeCluster())
  }

  topics(): Promise<readonly TopicSummary[]> {
    return this.#inTime(this.#readTopics())
  }

  /** Null if there is no such topic. */
  topic(name: string): Promise<TopicDetail | null> {
    return this.#inTime(this.#readTopic(name))
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  async #inTime<T>(answer: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(adminErrors.create('ADMIN_CLUSTER_UNREACHABLE', { servers: this.#servers })),
        TIMEOUT_MS,
      )
    })
    try {
      return await Promise.race([answer, timeout])
    } finally {
      clearTimeout(timer)
    }
  }

  async #readTopics(): Promise<readonly TopicSummary[]> {
    const details = await this.#withOffsets(await this.#admin.topics(null))
    return details
      .map(({ partitions: _partitions, ...summary }) => summary)
      .sort((a, b) => a.name.localeCompare(b.name))
  }

  async #readTopic(name: string): Promise<TopicDetail | null> {
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
