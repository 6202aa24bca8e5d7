export { type Admin, type ClusterDescription, type NewTopic } from './admin'
export { createClient, type Client } from './client'
export { type Consumer, type ConsumerListener, type Subscription } from './consumer/consumer'
export { clientErrors } from './errors'
export { type GroupMember, type GroupMemberOptions, type RevokeReason } from './group/member'
export {
  type GroupMemberInfo,
  type GroupPlace,
  type GroupProtocol,
} from './group/session'
export {
  type Broker,
  type ClientDeps,
  type ClientOptions,
  type ConsumerOptions,
  type FetchedBatches,
  type PartitionMetadata,
  type ProducerOptions,
  type TopicMetadata,
  type TopicPartition,
  type TopicPartitionOffset,
} from './options'
export { type ProduceBatch } from './producer/delivery'
export { partitionOfKey } from './producer/murmur2'
export { type Producer } from './producer/producer'
export { isRetriableError } from './retry'
