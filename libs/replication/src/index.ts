export { type PartitionAppendResult } from './delayed-produce'
export { replicationErrors } from './errors'
export { failedFetch, type FetchEntry, type PartitionFetchResult } from './fetch-entry'
export { type FetchRequest } from './fetch-request'
export { FetchSessions, type FetchContext, type SessionRequest } from './fetch-sessions'
export { toWireFailure, wireCodeByLogError, type WireFailure } from './log-error-codes'
export { Partition, type PartitionAssignment } from './partition'
export {
  ReplicaManager,
  type AppendEntry,
  type AppendRequest,
  type MarkerEntry,
} from './replica-manager'
export { type LeadershipListener, type ReplicatedTopic, type ReplicatedTopics } from './replicas'
export { TopicTraffic, type Traffic } from './traffic'
