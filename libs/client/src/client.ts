import { type Admin, createAdmin } from './admin'
import { Cluster } from './cluster'
import { GroupConsumer, type Consumer } from './consumer/consumer'
import { clientErrors } from './errors'
import { ClassicGroupMember, type GroupMember, type GroupMemberOptions } from './group/member'
import type { ClientDeps, ClientOptions, ConsumerOptions, ProducerOptions } from './options'
import { IdempotentProducer, type Producer } from './producer/producer'

/** A connection to a Kafka-compatible cluster. What it makes shares its sockets and what is known of the cluster. */
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
  const closing = new AbortController()
  return {
    admin: () => createAdmin(deps, cluster, closing.signal),
    producer: (producerOptions = {}) => new IdempotentProducer(deps, cluster, producerOptions),
    consumer: (consumerOptions) => new GroupConsumer(deps, cluster, consumerOptions),
    group: (groupOptions) => new ClassicGroupMember(deps, cluster, groupOptions),
    async close() {
      closing.abort(clientErrors.create('CLIENT_CLOSED'))
      await cluster.close()
    },
  }
}
