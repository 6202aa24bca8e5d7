import type { RequestContext } from './request-context'

export interface LeaderHint {
  readonly leaderId: number
  readonly leaderEpoch: number
}

export interface NodeEndpoint {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/** Collects for an answer who leads the partitions that were looked for in the wrong place, and where to find those brokers. */
export class LeaderHints {
  readonly #ctx: RequestContext
  readonly #endpoints = new Map<number, NodeEndpoint>()

  constructor(ctx: RequestContext) {
    this.#ctx = ctx
  }

  /** Undefined, which encodes as "not told", if nobody is known to lead the partition. */
  leaderOf(topic: string, partition: number): LeaderHint | undefined {
    const { broker, client } = this.#ctx
    const image = broker.metadata()
    const found = image.topics.get(topic)?.partitions[partition]
    if (!found) return undefined
    const { leader, leaderEpoch } = found
    const endpoint = broker.endpointOf(leader, client.listenerName)
    const rack = image.brokers.find(({ id }) => id === leader)?.rack ?? null
    if (endpoint) this.#endpoints.set(leader, { nodeId: leader, ...endpoint, rack })
    return { leaderId: leader, leaderEpoch }
  }

  get endpoints(): NodeEndpoint[] {
    return [...this.#endpoints.values()]
  }
}
