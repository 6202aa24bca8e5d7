import { produce } from './00-produce'
import { fetch } from './01-fetch'
import { listOffsets } from './02-list-offsets'
import { metadata } from './03-metadata'
import { offsetCommit } from './08-offset-commit'
import { offsetFetch } from './09-offset-fetch'
import { findCoordinator } from './10-find-coordinator'
import { joinGroup } from './11-join-group'
import { heartbeat } from './12-heartbeat'
import { leaveGroup } from './13-leave-group'
import { syncGroup } from './14-sync-group'
import { describeGroups } from './15-describe-groups'
import { listGroups } from './16-list-groups'
import { saslHandshake } from './17-sasl-handshake'
import { apiVersions } from './18-api-versions'
import { createTopics } from './19-create-topics'
import { deleteTopics } from './20-delete-topics'
import { deleteRecords } from './21-delete-records'
import { initProducerId } from './22-init-producer-id'
import { offsetForLeaderEpoch } from './23-offset-for-leader-epoch'
import { addPartitionsToTxn } from './24-add-partitions-to-txn'
import { addOffsetsToTxn } from './25-add-offsets-to-txn'
import { endTxn } from './26-end-txn'
import { writeTxnMarkers } from './27-write-txn-markers'
import { txnOffsetCommit } from './28-txn-offset-commit'
import { describeAcls } from './29-describe-acls'
import { createAcls } from './30-create-acls'
import { deleteAcls } from './31-delete-acls'
import { describeConfigs } from './32-describe-configs'
import { legacyAlterConfigs } from './33-alter-configs'
import { alterReplicaLogDirs } from './34-alter-replica-log-dirs'
import { describeLogDirs } from './35-describe-log-dirs'
import { saslAuthenticate } from './36-sasl-authenticate'
import { createPartitions } from './37-create-partitions'
import { createDelegationToken } from './38-create-delegation-token'
import { renewDelegationToken } from './39-renew-delegation-token'
import { expireDelegationToken } from './40-expire-delegation-token'
import { describeDelegationToken } from './41-describe-delegation-token'
import { deleteGroups } from './42-delete-groups'
import { electLeaders } from './43-elect-leaders'
import { incrementalAlterConfigs } from './44-incremental-alter-configs'
import { alterPartitionReassignments } from './45-alter-partition-reassignments'
import { listPartitionReassignments } from './46-list-partition-reassignments'
import { offsetDelete } from './47-offset-delete'
import { describeClientQuotas } from './48-describe-client-quotas'
import { alterClientQuotas } from './49-alter-client-quotas'
import { describeUserScramCredentials } from './50-describe-user-scram-credentials'
import { alterUserScramCredentials } from './51-alter-user-scram-credentials'
import { describeQuorum } from './55-describe-quorum'
import { updateFeatures } from './57-update-features'
import { describeCluster } from './60-describe-cluster'
import { describeProducers } from './61-describe-producers'
import { unregisterBroker } from './64-unregister-broker'
import { describeTransactions } from './65-describe-transactions'
import { listTransactions } from './66-list-transactions'
import { consumerGroupHeartbeat } from './68-consumer-group-heartbeat'
import { consumerGroupDescribe } from './69-consumer-group-describe'
import { getTelemetrySubscriptions } from './71-get-telemetry-subscriptions'
import { pushTelemetry } from './72-push-telemetry'
import { listConfigResources } from './74-list-config-resources'
import { describeTopicPartitions } from './75-describe-topic-partitions'
import type { Handler } from './handler'

/** THE table: every request that is served. Key and versions stand in each handler's file; ApiVersions tells this list. */
export const handlers: readonly Handler[] = [
  produce,
  fetch,
  listOffsets,
  metadata,
  offsetCommit,
  offsetFetch,
  findCoordinator,
  joinGroup,
  heartbeat,
  leaveGroup,
  syncGroup,
  describeGroups,
  listGroups,
  saslHandshake,
  apiVersions(() => handlers),
  createTopics,
  deleteTopics,
  deleteRecords,
  initProducerId,
  offsetForLeaderEpoch,
  addPartitionsToTxn,
  addOffsetsToTxn,
  endTxn,
  writeTxnMarkers,
  txnOffsetCommit,
  describeAcls,
  createAcls,
  deleteAcls,
  describeConfigs,
  legacyAlterConfigs,
  alterReplicaLogDirs,
  describeLogDirs,
  saslAuthenticate,
  createPartitions,
  createDelegationToken,
  renewDelegationToken,
  expireDelegationToken,
  describeDelegationToken,
  deleteGroups,
  electLeaders,
  incrementalAlterConfigs,
  alterPartitionReassignments,
  listPartitionReassignments,
  offsetDelete,
  describeClientQuotas,
  alterClientQuotas,
  describeUserScramCredentials,
  alterUserScramCredentials,
  describeQuorum,
  updateFeatures,
  describeCluster,
  describeProducers,
  unregisterBroker,
  describeTransactions,
  listTransactions,
  consumerGroupHeartbeat,
  consumerGroupDescribe,
  getTelemetrySubscriptions,
  pushTelemetry,
  listConfigResources,
  describeTopicPartitions,
]
