/** The keys that the controller owns in the store, and the JSON behind them. */

/** Raised when an older version could not read what this one writes. */
export const METADATA_FORMAT = 1

const BROKERS = 'brokers/'
const TOPICS = 'topics/'
const TOPIC_NAMES = 'topic-names/'

export const keys = {
  format: 'format',
  clusterId: 'cluster-id',
  /** The first producer id that no one has been given. */
  nextProducerId: 'next-producer-id',
  broker: (id: number): string => BROKERS + id,
  topic: (name: string): string => TOPICS + name,
  /** Holds the name of the only topic with this collision key. */
  topicName: (collisionKey: string): string => TOPIC_NAMES + collisionKey,
  brokerIdOf: (key: string): number | null =>
    key.startsWith(BROKERS) ? Number(key.slice(BROKERS.length)) : null,
  topicNameOf: (key: string): string | null =>
    key.startsWith(TOPICS) ? key.slice(TOPICS.length) : null,
} as const

export interface BrokerRecord {
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface TopicRecord {
  readonly id: string
  readonly partitions: readonly PartitionRecord[]
  readonly configs: Readonly<Record<string, string>>
}

export interface PartitionRecord {
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}
