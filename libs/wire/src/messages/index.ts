import { ApiKey } from '../api-keys'
import type { MessageSpec } from '../schema'
import { ProduceRequest, ProduceResponse } from './00-produce'
import { FetchRequest, FetchResponse } from './01-fetch'
import { ListOffsetsRequest, ListOffsetsResponse } from './02-list-offsets'
import { MetadataRequest, MetadataResponse } from './03-metadata'
import { OffsetCommitRequest, OffsetCommitResponse } from './08-offset-commit'
import { OffsetFetchRequest, OffsetFetchResponse } from './09-offset-fetch'
import { FindCoordinatorRequest, FindCoordinatorResponse } from './10-find-coordinator'
import { JoinGroupRequest, JoinGroupResponse } from './11-join-group'
import { HeartbeatRequest, HeartbeatResponse } from './12-heartbeat'
import { LeaveGroupRequest, LeaveGroupResponse } from './13-leave-group'
import { SyncGroupRequest, SyncGroupResponse } from './14-sync-group'
import { DescribeGroupsRequest, DescribeGroupsResponse } from './15-describe-groups'
import { ListGroupsRequest, ListGroupsResponse } from './16-list-groups'
import { SaslHandshakeRequest, SaslHandshakeResponse } from './17-sasl-handshake'
import { ApiVersionsRequest, ApiVersionsResponse } from './18-api-versions'
import { CreateTopicsRequest, CreateTopicsResponse } from './19-create-topics'
import { DeleteTopicsRequest, DeleteTopicsResponse } from './20-delete-topics'
import { DeleteRecordsRequest, DeleteRecordsResponse } from './21-delete-records'
import { InitProducerIdRequest, InitProducerIdResponse } from './22-init-producer-id'
import {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from './23-offset-for-leader-epoch'
import { AddPartitionsToTxnRequest, AddPartitionsToTxnResponse } from './24-add-partitions-to-txn'
import { AddOffsetsToTxnRequest, AddOffsetsToTxnResponse } from './25-add-offsets-to-txn'
import { EndTxnRequest, EndTxnResponse } from './26-end-txn'
import { WriteTxnMarkersRequest, WriteTxnMarkersResponse } from './27-write-txn-markers'
import { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from './28-txn-offset-commit'
import { DescribeAclsRequest, DescribeAclsResponse } from './29-describe-acls'
import { CreateAclsRequest, CreateAclsResponse } from './30-create-acls'
import { DeleteAclsRequest, DeleteAclsResponse } from './31-delete-acls'
import { DescribeConfigsRequest, DescribeConfigsResponse } from './32-describe-configs'
import { AlterConfigsRequest, AlterConfigsResponse } from './33-alter-configs'
import {
  AlterReplicaLogDirsRequest,
  AlterReplicaLogDirsResponse,
} from './34-alter-replica-log-dirs'
import { DescribeLogDirsRequest, DescribeLogDirsResponse } from './35-describe-log-dirs'
import { SaslAuthenticateRequest, SaslAuthenticateResponse } from './36-sasl-authenticate'
import { CreatePartitionsRequest, CreatePartitionsResponse } from './37-create-partitions'
import {
  CreateDelegationTokenRequest,
  CreateDelegationTokenResponse,
} from './38-create-delegation-token'
import {
  RenewDelegationTokenRequest,
  RenewDelegationTokenResponse,
} from './39-renew-delegation-token'
import {
  ExpireDelegationTokenRequest,
  ExpireDelegationTokenResponse,
} from './40-expire-delegation-token'
import {
  DescribeDelegationTokenRequest,
  DescribeDelegationTokenResponse,
} from './41-describe-delegation-token'
import { DeleteGroupsRequest, DeleteGroupsResponse } from './42-delete-groups'
import { ElectLeadersRequest, ElectLeadersResponse } from './43-elect-leaders'
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from './44-incremental-alter-configs'
import {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from './45-alter-partition-reassignments'
import {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from './46-list-partition-reassignments'
import { OffsetDeleteRequest, OffsetDeleteResponse } from './47-offset-delete'
import {
  DescribeClientQuotasRequest,
  DescribeClientQuotasResponse,
} from './48-describe-client-quotas'
import { AlterClientQuotasRequest, AlterClientQuotasResponse } from './49-alter-client-quotas'
import {
  DescribeUserScramCredentialsRequest,
  DescribeUserScramCredentialsResponse,
} from './50-describe-user-scram-credentials'
import {
  AlterUserScramCredentialsRequest,
  AlterUserScramCredentialsResponse,
} from './51-alter-user-scram-credentials'
import { DescribeQuorumRequest, DescribeQuorumResponse } from './55-describe-quorum'
import { UpdateFeaturesRequest, UpdateFeaturesResponse } from './57-update-features'
import { DescribeClusterRequest, DescribeClusterResponse } from './60-describe-cluster'
import { DescribeProducersRequest, DescribeProducersResponse } from './61-describe-producers'
import { UnregisterBrokerRequest, UnregisterBrokerResponse } from './64-unregister-broker'
import {
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
} from './65-describe-transactions'
import { ListTransactionsRequest, ListTransactionsResponse } from './66-list-transactions'
import {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from './68-consumer-group-heartbeat'
import {
  ConsumerGroupDescribeRequest,
  ConsumerGroupDescribeResponse,
} from './69-consumer-group-describe'
import {
  GetTelemetrySubscriptionsRequest,
  GetTelemetrySubscriptionsResponse,
} from './71-get-telemetry-subscriptions'
import { PushTelemetryRequest, PushTelemetryResponse } from './72-push-telemetry'
import { ListConfigResourcesRequest, ListConfigResourcesResponse } from './74-list-config-resources'
import {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
} from './75-describe-topic-partitions'

export interface MessagePair {
  readonly request: MessageSpec
  readonly response: MessageSpec
}

/** Every message that we have a schema for, by its key: typed, so that a handler knows what it gets and must answer. */
export const apiMessages = {
  [ApiKey.Produce]: { request: ProduceRequest, response: ProduceResponse },
  [ApiKey.Fetch]: { request: FetchRequest, response: FetchResponse },
  [ApiKey.ListOffsets]: { request: ListOffsetsRequest, response: ListOffsetsResponse },
  [ApiKey.Metadata]: { request: MetadataRequest, response: MetadataResponse },
  [ApiKey.OffsetCommit]: { request: OffsetCommitRequest, response: OffsetCommitResponse },
  [ApiKey.OffsetFetch]: { request: OffsetFetchRequest, response: OffsetFetchResponse },
  [ApiKey.FindCoordinator]: { request: FindCoordinatorRequest, response: FindCoordinatorResponse },
  [ApiKey.JoinGroup]: { request: JoinGroupRequest, response: JoinGroupResponse },
  [ApiKey.Heartbeat]: { request: HeartbeatRequest, response: HeartbeatResponse },
  [ApiKey.LeaveGroup]: { request: LeaveGroupRequest, response: LeaveGroupResponse },
  [ApiKey.SyncGroup]: { request: SyncGroupRequest, response: SyncGroupResponse },
  [ApiKey.DescribeGroups]: { request: DescribeGroupsRequest, response: DescribeGroupsResponse },
  [ApiKey.ListGroups]: { request: ListGroupsRequest, response: ListGroupsResponse },
  [ApiKey.SaslHandshake]: { request: SaslHandshakeRequest, response: SaslHandshakeResponse },
  [ApiKey.ApiVersions]: { request: ApiVersionsRequest, response: ApiVersionsResponse },
  [ApiKey.CreateTopics]: { request: CreateTopicsRequest, response: CreateTopicsResponse },
  [ApiKey.DeleteTopics]: { request: DeleteTopicsRequest, response: DeleteTopicsResponse },
  [ApiKey.DeleteRecords]: { request: DeleteRecordsRequest, response: DeleteRecordsResponse },
  [ApiKey.InitProducerId]: { request: InitProducerIdRequest, response: InitProducerIdResponse },
  [ApiKey.OffsetForLeaderEpoch]: {
    request: OffsetForLeaderEpochRequest,
    response: OffsetForLeaderEpochResponse,
  },
  [ApiKey.AddPartitionsToTxn]: {
    request: AddPartitionsToTxnRequest,
    response: AddPartitionsToTxnResponse,
  },
  [ApiKey.AddOffsetsToTxn]: { request: AddOffsetsToTxnRequest, response: AddOffsetsToTxnResponse },
  [ApiKey.EndTxn]: { request: EndTxnRequest, response: EndTxnResponse },
  [ApiKey.WriteTxnMarkers]: { request: WriteTxnMarkersRequest, response: WriteTxnMarkersResponse },
  [ApiKey.TxnOffsetCommit]: { request: TxnOffsetCommitRequest, response: TxnOffsetCommitResponse },
  [ApiKey.DescribeAcls]: { request: DescribeAclsRequest, response: DescribeAclsResponse },
  [ApiKey.CreateAcls]: { request: CreateAclsRequest, response: CreateAclsResponse },
  [ApiKey.DeleteAcls]: { request: DeleteAclsRequest, response: DeleteAclsResponse },
  [ApiKey.DescribeConfigs]: { request: DescribeConfigsRequest, response: DescribeConfigsResponse },
  [ApiKey.AlterConfigs]: { request: AlterConfigsRequest, response: AlterConfigsResponse },
  [ApiKey.AlterReplicaLogDirs]: {
    request: AlterReplicaLogDirsRequest,
    response: AlterReplicaLogDirsResponse,
  },
  [ApiKey.DescribeLogDirs]: { request: DescribeLogDirsRequest, response: DescribeLogDirsResponse },
  [ApiKey.SaslAuthenticate]: {
    request: SaslAuthenticateRequest,
    response: SaslAuthenticateResponse,
  },
  [ApiKey.CreatePartitions]: {
    request: CreatePartitionsRequest,
    response: CreatePartitionsResponse,
  },
  [ApiKey.CreateDelegationToken]: {
    request: CreateDelegationTokenRequest,
    response: CreateDelegationTokenResponse,
  },
  [ApiKey.RenewDelegationToken]: {
    request: RenewDelegationTokenRequest,
    response: RenewDelegationTokenResponse,
  },
  [ApiKey.ExpireDelegationToken]: {
    request: ExpireDelegationTokenRequest,
    response: ExpireDelegationTokenResponse,
  },
  [ApiKey.DescribeDelegationToken]: {
    request: DescribeDelegationTokenRequest,
    response: DescribeDelegationTokenResponse,
  },
  [ApiKey.DeleteGroups]: { request: DeleteGroupsRequest, response: DeleteGroupsResponse },
  [ApiKey.ElectLeaders]: { request: ElectLeadersRequest, response: ElectLeadersResponse },
  [ApiKey.IncrementalAlterConfigs]: {
    request: IncrementalAlterConfigsRequest,
    response: IncrementalAlterConfigsResponse,
  },
  [ApiKey.AlterPartitionReassignments]: {
    request: AlterPartitionReassignmentsRequest,
    response: AlterPartitionReassignmentsResponse,
  },
  [ApiKey.ListPartitionReassignments]: {
    request: ListPartitionReassignmentsRequest,
    response: ListPartitionReassignmentsResponse,
  },
  [ApiKey.OffsetDelete]: { request: OffsetDeleteRequest, response: OffsetDeleteResponse },
  [ApiKey.DescribeClientQuotas]: {
    request: DescribeClientQuotasRequest,
    response: DescribeClientQuotasResponse,
  },
  [ApiKey.AlterClientQuotas]: {
    request: AlterClientQuotasRequest,
    response: AlterClientQuotasResponse,
  },
  [ApiKey.DescribeUserScramCredentials]: {
    request: DescribeUserScramCredentialsRequest,
    response: DescribeUserScramCredentialsResponse,
  },
  [ApiKey.AlterUserScramCredentials]: {
    request: AlterUserScramCredentialsRequest,
    response: AlterUserScramCredentialsResponse,
  },
  [ApiKey.DescribeQuorum]: { request: DescribeQuorumRequest, response: DescribeQuorumResponse },
  [ApiKey.UpdateFeatures]: { request: UpdateFeaturesRequest, response: UpdateFeaturesResponse },
  [ApiKey.DescribeCluster]: { request: DescribeClusterRequest, response: DescribeClusterResponse },
  [ApiKey.DescribeProducers]: {
    request: DescribeProducersRequest,
    response: DescribeProducersResponse,
  },
  [ApiKey.UnregisterBroker]: {
    request: UnregisterBrokerRequest,
    response: UnregisterBrokerResponse,
  },
  [ApiKey.DescribeTransactions]: {
    request: DescribeTransactionsRequest,
    response: DescribeTransactionsResponse,
  },
  [ApiKey.ListTransactions]: {
    request: ListTransactionsRequest,
    response: ListTransactionsResponse,
  },
  [ApiKey.ConsumerGroupHeartbeat]: {
    request: ConsumerGroupHeartbeatRequest,
    response: ConsumerGroupHeartbeatResponse,
  },
  [ApiKey.ConsumerGroupDescribe]: {
    request: ConsumerGroupDescribeRequest,
    response: ConsumerGroupDescribeResponse,
  },
  [ApiKey.GetTelemetrySubscriptions]: {
    request: GetTelemetrySubscriptionsRequest,
    response: GetTelemetrySubscriptionsResponse,
  },
  [ApiKey.PushTelemetry]: { request: PushTelemetryRequest, response: PushTelemetryResponse },
  [ApiKey.ListConfigResources]: {
    request: ListConfigResourcesRequest,
    response: ListConfigResourcesResponse,
  },
  [ApiKey.DescribeTopicPartitions]: {
    request: DescribeTopicPartitionsRequest,
    response: DescribeTopicPartitionsResponse,
  },
} as const
export type ServedApiKey = keyof typeof apiMessages

/** The same as a list, in the order of the keys. */
export const messages: readonly MessagePair[] = Object.values(apiMessages)

const pairs = new Map<number, MessagePair>(messages.map((pair) => [pair.request.key, pair]))

export function messagesOf(apiKey: number): MessagePair | undefined {
  return pairs.get(apiKey)
}
