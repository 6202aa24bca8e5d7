export {
  field,
  INT64_MAX,
  list,
  message,
  parseVersions,
  struct,
  type Infer,
  type Fields,
  type InferInput,
  type MessageSpec,
  type VersionRange,
} from './schema'
export { ZERO_UUID } from '@millrace/base'
export { ApiKey, apiName } from './api-keys'
export { decode, decodePrefix, decodeVersioned, encode, encodeVersioned } from './codec'
export {
  ErrorCode,
  errorName,
  errorText,
  isRetriable,
  ProtocolError,
  protocolError,
  type ErrorName,
} from './error-codes'
export { isWireError, wireErrors } from './errors'
export { decodeResponse, encodeRequest, encodeResponse } from './frame'
export { FrameSplitter } from './frame-splitter'
export { decodeRequestHeader, type RequestHeader } from './header'
export {
  apiMessages,
  messages,
  messagesOf,
  type MessagePair,
  type ServedApiKey,
} from './messages'
export { ProduceRequest, ProduceResponse } from './messages/00-produce'
export { FetchRequest, FetchResponse } from './messages/01-fetch'
export { ListOffsetsRequest, ListOffsetsResponse } from './messages/02-list-offsets'
export { MetadataRequest, MetadataResponse } from './messages/03-metadata'
export { OffsetCommitRequest, OffsetCommitResponse } from './messages/08-offset-commit'
export { OffsetFetchRequest, OffsetFetchResponse } from './messages/09-offset-fetch'
export { FindCoordinatorRequest, FindCoordinatorResponse } from './messages/10-find-coordinator'
export { JoinGroupRequest, JoinGroupResponse } from './messages/11-join-group'
export { HeartbeatRequest, HeartbeatResponse } from './messages/12-heartbeat'
export { LeaveGroupRequest, LeaveGroupResponse } from './messages/13-leave-group'
export { SyncGroupRequest, SyncGroupResponse } from './messages/14-sync-group'
export { DescribeGroupsRequest, DescribeGroupsResponse } from './messages/15-describe-groups'
export { ListGroupsRequest, ListGroupsResponse } from './messages/16-list-groups'
export { SaslHandshakeRequest, SaslHandshakeResponse } from './messages/17-sasl-handshake'
export { ApiVersionsRequest, ApiVersionsResponse } from './messages/18-api-versions'
export { CreateTopicsRequest, CreateTopicsResponse } from './messages/19-create-topics'
export { DeleteTopicsRequest, DeleteTopicsResponse } from './messages/20-delete-topics'
export { DeleteRecordsRequest, DeleteRecordsResponse } from './messages/21-delete-records'
export { InitProducerIdRequest, InitProducerIdResponse } from './messages/22-init-producer-id'
export {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from './messages/23-offset-for-leader-epoch'
export {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from './messages/24-add-partitions-to-txn'
export { AddOffsetsToTxnRequest, AddOffsetsToTxnResponse } from './messages/25-add-offsets-to-txn'
export { EndTxnRequest, EndTxnResponse } from './messages/26-end-txn'
export { WriteTxnMarkersRequest, WriteTxnMarkersResponse } from './messages/27-write-txn-markers'
export { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from './messages/28-txn-offset-commit'
export { DescribeAclsRequest, DescribeAclsResponse } from './messages/29-describe-acls'
export { CreateAclsRequest, CreateAclsResponse } from './messages/30-create-acls'
export { DeleteAclsRequest, DeleteAclsResponse } from './messages/31-delete-acls'
export { DescribeConfigsRequest, DescribeConfigsResponse } from './messages/32-describe-configs'
export { AlterConfigsRequest, AlterConfigsResponse } from './messages/33-alter-configs'
export {
  AlterReplicaLogDirsRequest,
  AlterReplicaLogDirsResponse,
} from './messages/34-alter-replica-log-dirs'
export { DescribeLogDirsRequest, DescribeLogDirsResponse } from './messages/35-describe-log-dirs'
export { SaslAuthenticateRequest, SaslAuthenticateResponse } from './messages/36-sasl-authenticate'
export { CreatePartitionsRequest, CreatePartitionsResponse } from './messages/37-create-partitions'
export {
  CreateDelegationTokenRequest,
  CreateDelegationTokenResponse,
} from './messages/38-create-delegation-token'
export {
  RenewDelegationTokenRequest,
  RenewDelegationTokenResponse,
} from './messages/39-renew-delegation-token'
export {
  ExpireDelegationTokenRequest,
  ExpireDelegationTokenResponse,
} from './messages/40-expire-delegation-token'
export {
  DescribeDelegationTokenRequest,
  DescribeDelegationTokenResponse,
} from './messages/41-describe-delegation-token'
export { DeleteGroupsRequest, DeleteGroupsResponse } from './messages/42-delete-groups'
export { ElectLeadersRequest, ElectLeadersResponse } from './messages/43-elect-leaders'
export {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from './messages/44-incremental-alter-configs'
export {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from './messages/45-alter-partition-reassignments'
export {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from './messages/46-list-partition-reassignments'
export { OffsetDeleteRequest, OffsetDeleteResponse } from './messages/47-offset-delete'
export {
  DescribeClientQuotasRequest,
  DescribeClientQuotasResponse,
} from './messages/48-describe-client-quotas'
export {
  AlterClientQuotasRequest,
  AlterClientQuotasResponse,
} from './messages/49-alter-client-quotas'
export {
  DescribeUserScramCredentialsRequest,
  DescribeUserScramCredentialsResponse,
} from './messages/50-describe-user-scram-credentials'
export {
  AlterUserScramCredentialsRequest,
  AlterUserScramCredentialsResponse,
} from './messages/51-alter-user-scram-credentials'
export { DescribeQuorumRequest, DescribeQuorumResponse } from './messages/55-describe-quorum'
export { UpdateFeaturesRequest, UpdateFeaturesResponse } from './messages/57-update-features'
export { DescribeClusterRequest, DescribeClusterResponse } from './messages/60-describe-cluster'
export {
  DescribeProducersRequest,
  DescribeProducersResponse,
} from './messages/61-describe-producers'
export { UnregisterBrokerRequest, UnregisterBrokerResponse } from './messages/64-unregister-broker'
export {
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
} from './messages/65-describe-transactions'
export { ListTransactionsRequest, ListTransactionsResponse } from './messages/66-list-transactions'
export {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from './messages/68-consumer-group-heartbeat'
export {
  ConsumerGroupDescribeRequest,
  ConsumerGroupDescribeResponse,
} from './messages/69-consumer-group-describe'
export {
  GetTelemetrySubscriptionsRequest,
  GetTelemetrySubscriptionsResponse,
} from './messages/71-get-telemetry-subscriptions'
export { PushTelemetryRequest, PushTelemetryResponse } from './messages/72-push-telemetry'
export {
  ListConfigResourcesRequest,
  ListConfigResourcesResponse,
} from './messages/74-list-config-resources'
export {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
} from './messages/75-describe-topic-partitions'
export {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
} from './messages/consumer-protocol'
