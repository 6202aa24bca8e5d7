import { type Admin, createAdmin } from './admin'
import { Cluster } from './cluster'
import { GroupConsumer, type Consumer } from './consumer/consumer'
import { clientErrors } from './errors'
import { ClassicGroupMember, type GroupMember, type GroupMemberOptions } from './group/member'
import type { ClientDeps, ClientOptions, ConsumerOptions, ProducerOptions } from './options'
import { IdempotentProducer, type Producer } from './producer/producer'

/**
 * A connection to a Kafka-compatible cluster. Admin and producers share sockets; each consumer and member has its own,
 * since a broker answers in order and a long poll or a join would hold back the others.
 */
export interface Client {
  admin(): Admin
  producer(options?: ProducerOptions): Producer
  consumer(options: ConsumerOptions): Consumer
  /** A member of a classic group of any protocol type. */
  group(options: GroupMemberOptions): GroupMember
  /** Closes the sockets; close producers, consumers and members before. */
  close(): Promise<void>
}

export function createClient(deps: ClientDeps, options: ClientOptions): Client {
  const cluster = new Cluster(deps, options)
  /** Of consumers and members, which close their own. */
  const clusters = new Set<Cluster>()
  const ownCluster = (): Cluster => {
    for (const one of clusters) if (one.isClosed) clusters.delete(one)
    const own = new Cluster(deps, options)
    clusters.add(own)
    return own
  }
  const closing = new AbortController()
  return {
    admin: () => createAdmin(deps, cluster, closing.signal),
    producer: (producerOptions = {}) => new IdempotentProducer(deps, cluster, producerOptions),
    consumer: (consumerOptions) => new GroupConsumer(deps, ownCluster(), consumerOptions),
    group: (groupOptions) => new ClassicGroupMember(deps, ownCluster(), groupOptions),
    async close() {
      closing.abort(clientErrors.create('CLIENT_CLOSED'))
      await Promise.all([cluster, ...clusters].map((one) => one.close()))
    },
  }
}
