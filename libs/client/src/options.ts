import type { Clock, Net, Random } from '@millrace/base'
import type { CodecName } from '@millrace/record'
import type { ClientSecurity } from '@millrace/security'
import type { Logger } from '@millrace/telemetry'

export interface ClientDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly net: Net
}

export interface ClientOptions {
  /** `host:port` of brokers to begin with. */
  readonly bootstrapServers: readonly string[]
  readonly clientId: string
  /** Longest wait for a connection and for an answer that should come at once. */
  readonly requestTimeoutMs?: number
  /** TLS and login; none when absent. */
  readonly security?: ClientSecurity
}

export const DEFAULT_REQUEST_TIMEOUT_MS = 30_000

export interface ProducerOptions {
  readonly compression?: CodecName
  /** A batch is sent at the latest when it holds this many bytes, uncompressed. */
  readonly batchBytes?: number
  /** How long records wait for others; 0 sends as soon as the connection is free. */
  readonly lingerMs?: number
  /** Largest record, and largest sum of batches in one request. */
  readonly maxRequestBytes?: number
  /** Bytes that may wait to be acknowledged before `hasRoom` says no. */
  readonly bufferBytes?: number
  /** From `add` to the acknowledgement; Infinity retries until told to stop. */
  readonly deliveryTimeoutMs?: number
  /**
   * Whether looking for a topic may create it, with the broker's defaults, where `auto.create.topics.enable` allows it;
   * true if absent. False waits until somebody makes it.
   */
  readonly allowAutoTopicCreation?: boolean
}

export interface ConsumerOptions {
  readonly groupId?: string
  /** Static membership. */
  readonly groupInstanceId?: string
  /** Where to begin without a committed offset. */
  readonly autoOffsetReset?: 'earliest' | 'latest' | 'none'
  readonly isolationLevel?: 'read_uncommitted' | 'read_committed'
  readonly fetchMinBytes?: number
  readonly fetchMaxBytes?: number
  readonly fetchMaxWaitMs?: number
  readonly maxPartitionFetchBytes?: number
  readonly sessionTimeoutMs?: number
  readonly rebalanceTimeoutMs?: number
  readonly heartbeatIntervalMs?: number
  /** How often a pattern, or a topic that does not exist yet, is looked up. */
  readonly metadataMaxAgeMs?: number
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface TopicPartitionOffset extends TopicPartition {
  readonly offset: number
  readonly metadata?: string | null
}

/** Record batches of one partition as they are in the log; read them with RecordCursor, from `fromOffset` on. */
export interface FetchedBatches extends TopicPartition {
  readonly highWatermark: number
  /** Whole batches, control batches included; the first may begin before `fromOffset`. */
  readonly records: Buffer
  readonly fromOffset: number
}

export interface PartitionMetadata {
  readonly index: number
  /** -1 while there is none. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

export interface TopicMetadata {
  readonly name: string
  readonly id: string
  readonly isInternal: boolean
  readonly partitions: readonly PartitionMetadata[]
}

export interface Broker {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}
