export { type PartitionFetchResult } from './delayed-fetch'
export { type PartitionAppendResult } from './delayed-produce'
export { replicationErrors } from './errors'
export { type FetchEntry, type FetchRequest } from './fetch-request'
export { toWireFailure, wireCodeByLogError, type WireFailure } from './log-error-codes'
export { Partition, type PartitionAssignment } from './partition'
export {
  ReplicaManager,
  type AppendEntry,
  type AppendRequest,
  type LeadershipListener,
  type MarkerEntry,
  type ReplicatedTopic,
  type ReplicatedTopics,
} from './replica-manager'
