import { ApiKey, apiMessages, ErrorCode, type ServedApiKey, ZERO_UUID } from '@millrace/wire'
import { handlers } from '../../../apps/broker/src/handlers'
import { RawClient, startTestBroker, type TestBroker } from './harness'

let broker: TestBroker
let client: RawClient
let topicId: string

beforeAll(async () => {
  broker = await startTestBroker({ 'auto.create.topics.enable': 'true' })
  client = await RawClient.open(broker.port)
  const { topics } = await client.ask(ApiKey.Metadata, 12, { topics: [{ name: 'versions' }] })
  topicId = topics[0].topicId
  await client.ask(ApiKey.FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['group'] })
  await client.ask(ApiKey.FindCoordinator, 4, { keyType: 1, coordinatorKeys: ['nobody'] })
})
afterAll(async () => {
  client.close()
  await broker.stop()
})

const anAclFilter = {
  resourceTypeFilter: 1,
  resourceNameFilter: null,
  patternTypeFilter: 1,
  principalFilter: null,
  hostFilter: null,
  operation: 1,
  permissionType: 1,
}

const aProducer = { transactionalId: 'nobody', producerId: 7, producerEpoch: 0 }
const UNKNOWN_PRODUCER_RESULT = { partitionErrorCode: ErrorCode.INVALID_PRODUCER_ID_MAPPING }

/** For each key a request that is complete in every version: the codec leaves out what a version does not have. */
function aRequest(key: ServedApiKey, version: number): object {
  const topic = { name: 'versions', topicId }
  const group = { groupId: 'group', generationId: 1, memberId: 'nobody' }
  const newTopic = { numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
  switch (key) {
    case ApiKey.Produce:
      return {
        acks: -1,
        timeoutMs: 1000,
        topicData: [{ ...topic, partitionData: [{ index: 0, records: null }] }],
      }
    case ApiKey.Fetch: {
      const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100 }]
      return { maxWaitMs: 0, minBytes: 1, topics: [{ topic: 'versions', topicId, partitions }] }
    }
    case ApiKey.ListOffsets:
      return {
        replicaId: -1,
        topics: [{ ...topic, partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
      }
    case ApiKey.Metadata:
      return { topics: [{ name: 'versions' }] }
    case ApiKey.OffsetCommit: {
      const partitions = [{ partitionIndex: 0, committedOffset: version, committedMetadata: '' }]
      return { groupId: 'alone', memberId: '', topics: [{ ...topic, partitions }] }
    }
    case ApiKey.OffsetFetch: {
      const topics = [{ ...topic, partitionIndexes: [0] }]
      return { groupId: 'alone', topics, groups: [{ groupId: 'alone', topics }] }
    }
    case ApiKey.FindCoordinator:
      return { key: 'group', coordinatorKeys: ['group', 'other'] }
    case ApiKey.JoinGroup:
      return {
        ...group,
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 10_000,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
      }
    case ApiKey.Heartbeat:
      return group
    case ApiKey.LeaveGroup:
      return { ...group, members: [{ memberId: 'nobody' }] }
    case ApiKey.SyncGroup:
      return { ...group, protocolType: 'consumer', protocolName: 'range', assignments: [] }
    case ApiKey.DescribeGroups:
      return { groups: ['group'] }
    case ApiKey.ListGroups:
      return { statesFilter: [], typesFilter: [] }
    case ApiKey.ApiVersions:
      return { clientSoftwareName: 'raw', clientSoftwareVersion: '1' }
    case ApiKey.CreateTopics:
      return { topics: [{ name: `created-${version}`, ...newTopic }], timeoutMs: 1000 }
    case ApiKey.DeleteTopics:
      return {
        topics: [{ name: 'created-7' }],
        topicNames: [`created-${version + 1}`],
        timeoutMs: 1000,
      }
    case ApiKey.InitProducerId:
      return { transactionalId: null, transactionTimeoutMs: 1000 }
    case ApiKey.DeleteRecords:
      return {
        topics: [{ ...topic, partitions: [{ partitionIndex: 0, offset: 0 }] }],
        timeoutMs: 1000,
      }
    case ApiKey.OffsetForLeaderEpoch:
      return { topics: [{ topic: 'versions', partitions: [{ partition: 0, leaderEpoch: 0 }] }] }
    case ApiKey.AddPartitionsToTxn: {
      const topics = [{ name: 'versions', partitions: [0] }]
      return {
        transactions: [{ ...aProducer, topics }],
        v3AndBelowTransactionalId: aProducer.transactionalId,
        v3AndBelowProducerId: aProducer.producerId,
        v3AndBelowProducerEpoch: aProducer.producerEpoch,
        v3AndBelowTopics: topics,
      }
    }
    case ApiKey.AddOffsetsToTxn:
      return { ...aProducer, groupId: 'group' }
    case ApiKey.EndTxn:
      return { ...aProducer, committed: true }
    case ApiKey.WriteTxnMarkers: {
      const topics = [{ name: 'versions', partitionIndexes: [0] }]
      const marker = { ...aProducer, transactionResult: false, coordinatorEpoch: 0, topics }
      return { markers: [marker] }
    }
    case ApiKey.TxnOffsetCommit: {
      const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }]
      return { ...aProducer, groupId: 'group', topics: [{ ...topic, partitions }] }
    }
    case ApiKey.DescribeAcls:
      return { ...anAclFilter }
    case ApiKey.CreateAcls: {
      const resource = { resourceType: 2, resourceName: 'versions', resourcePatternType: 3 }
      const entry = { principal: 'User:a', host: '*', operation: 3, permissionType: 3 }
      return { creations: [{ ...resource, ...entry }] }
    }
    case ApiKey.DeleteAcls:
      return { filters: [anAclFilter] }
    case ApiKey.DescribeConfigs:
      return {
        resources: [{ resourceType: 2, resourceName: 'versions', configurationKeys: null }],
      }
    case ApiKey.DeleteGroups:
      return { groupsNames: ['nobody'] }
    case ApiKey.OffsetDelete:
      return {
        groupId: 'alone',
        topics: [{ name: 'versions', partitions: [{ partitionIndex: 0 }] }],
      }
    case ApiKey.AlterConfigs:
    case ApiKey.IncrementalAlterConfigs: {
      const configs = [{ name: 'segment.ms', configOperation: 0, value: '1000' }]
      return {
        resources: [{ resourceType: 2, resourceName: 'versions', configs }],
        validateOnly: false,
      }
    }
    case ApiKey.ListConfigResources:
      return { resourceTypes: [] }
    case ApiKey.AlterReplicaLogDirs: {
      const topics = [{ name: 'versions', partitions: [0] }]
      return { dirs: [{ path: '/nowhere', topics }] }
    }
    case ApiKey.DescribeLogDirs:
      return { topics: [{ topic: 'versions', partitions: [0] }] }
    case ApiKey.CreatePartitions: {
      const topics = [{ name: 'versions', count: 1, assignments: null }]
      return { topics, timeoutMs: 1000, validateOnly: true }
    }
    case ApiKey.ElectLeaders:
      return { electionType: 0, topicPartitions: [{ topic: 'versions', partitions: [0] }] }
    case ApiKey.AlterPartitionReassignments: {
      const partitions = [{ partitionIndex: 0, replicas: null }]
      return { topics: [{ name: 'versions', partitions }] }
    }
    case ApiKey.ListPartitionReassignments:
      return { topics: null }
    case ApiKey.DescribeQuorum: {
      const partitions = [{ partitionIndex: 0 }]
      return { topics: [{ topicName: '__cluster_metadata', partitions }] }
    }
    case ApiKey.UpdateFeatures: {
      const update = { feature: 'group.version', maxVersionLevel: 9, allowDowngrade: false }
      return { featureUpdates: [update] }
    }
    case ApiKey.DescribeProducers:
      return { topics: [{ name: 'versions', partitionIndexes: [0] }] }
    case ApiKey.DescribeTransactions:
      return { transactionalIds: ['nobody'] }
    case ApiKey.ListTransactions:
      return { stateFilters: ['Ongoing', 'Odd'], producerIdFilters: [] }
    case ApiKey.UnregisterBroker:
      return { brokerId: 99 }
    case ApiKey.GetTelemetrySubscriptions:
      return { clientInstanceId: ZERO_UUID }
    case ApiKey.PushTelemetry: {
      const push = { subscriptionId: 0, terminating: false, compressionType: 0 }
      return { clientInstanceId: ZERO_UUID, metrics: Buffer.alloc(0), ...push }
    }
    case ApiKey.DescribeTopicPartitions:
      return { topics: [{ name: 'versions' }], cursor: null }
    case ApiKey.DescribeClientQuotas:
      return { components: [{ entityType: 'user', matchType: 0, match: 'a' }], strict: true }
    case ApiKey.AlterClientQuotas: {
      const ops = [{ key: 'request_percentage', value: 50, remove: false }]
      const entity = [{ entityType: 'user', entityName: 'a' }]
      return { entries: [{ entity, ops }], validateOnly: false }
    }
    case ApiKey.DescribeCluster:
      return { includeClusterAuthorizedOperations: false }
    case ApiKey.SaslHandshake:
      return { mechanism: 'PLAIN' }
    case ApiKey.SaslAuthenticate:
      return { authBytes: Buffer.alloc(0) }
    case ApiKey.CreateDelegationToken:
      return { renewers: [], maxLifetimeMs: -1 }
    case ApiKey.RenewDelegationToken:
      return { hmac: Buffer.alloc(64), renewPeriodMs: -1 }
    case ApiKey.ExpireDelegationToken:
      return { hmac: Buffer.alloc(64), expiryTimePeriodMs: -1 }
    case ApiKey.DescribeDelegationToken:
      return { owners: null }
    case ApiKey.DescribeUserScramCredentials:
      return { users: [{ name: 'nobody' }] }
    case ApiKey.AlterUserScramCredentials:
      return { deletions: [{ name: 'nobody', mechanism: 1 }], upsertions: [] }
    case ApiKey.ConsumerGroupHeartbeat:
      return {
        groupId: 'modern',
        memberId: `member-${version}`,
        memberEpoch: 0,
        rebalanceTimeoutMs: 1000,
        subscribedTopicNames: ['versions'],
        topicPartitions: [],
      }
    case ApiKey.ConsumerGroupDescribe:
      return { groupIds: ['nobody'], includeAuthorizedOperations: true }
    default:
      throw new Error(`give key ${key as number} a request here`)
  }
}

/** What each answer must be. The group requests come from a member that the group does not have. */
function expected(key: ServedApiKey, version: number): object {
  switch (key) {
    case ApiKey.Produce:
      return {
        responses: [{ partitionResponses: [{ errorCode: ErrorCode.INVALID_RECORD }] }],
      }
    case ApiKey.Fetch:
      return { responses: [{ partitions: [{ errorCode: 0, highWatermark: 0 }] }] }
    case ApiKey.ListOffsets:
      return { topics: [{ partitions: [{ errorCode: 0, offset: 0 }] }] }
    case ApiKey.Metadata:
      return { topics: [{ errorCode: 0, name: 'versions', partitions: [{ leaderId: 1 }] }] }
    case ApiKey.OffsetCommit:
      return { topics: [{ partitions: [{ errorCode: 0 }] }] }
    case ApiKey.OffsetFetch: {
      const topics = [{ partitions: [{ errorCode: 0, committedOffset: 10 }] }]
      return version < 8 ? { topics } : { groups: [{ groupId: 'alone', topics }] }
    }
    case ApiKey.FindCoordinator:
      return version < 4
        ? { errorCode: 0, nodeId: 1, port: broker.port }
        : { coordinators: [{ errorCode: 0, nodeId: 1 }, { errorCode: 0 }] }
    case ApiKey.JoinGroup:
    case ApiKey.Heartbeat:
    case ApiKey.SyncGroup:
      return { errorCode: ErrorCode.UNKNOWN_MEMBER_ID }
    case ApiKey.LeaveGroup:
      return version < 3
        ? { errorCode: ErrorCode.UNKNOWN_MEMBER_ID }
        : { members: [{ errorCode: ErrorCode.UNKNOWN_MEMBER_ID }] }
    case ApiKey.DescribeGroups:
      return {
        groups: [{ groupId: 'group', errorCode: version < 6 ? 0 : ErrorCode.GROUP_ID_NOT_FOUND }],
      }
    case ApiKey.ListGroups:
      return { errorCode: 0 }
    case ApiKey.CreateTopics:
      return { topics: [{ name: `created-${version}`, errorCode: 0 }] }
    case ApiKey.DeleteTopics:
      return { responses: [{ errorCode: 0 }] }
    case ApiKey.InitProducerId:
      return { errorCode: 0, producerEpoch: 0 }
    case ApiKey.DeleteRecords:
      return { topics: [{ partitions: [{ partitionIndex: 0, lowWatermark: 0, errorCode: 0 }] }] }
    case ApiKey.OffsetForLeaderEpoch:
      return { topics: [{ partitions: [{ errorCode: 0, endOffset: 0 }] }] }
    case ApiKey.AddPartitionsToTxn:
      return version < 4
        ? { resultsByTopicV3AndBelow: [{ resultsByPartition: [UNKNOWN_PRODUCER_RESULT] }] }
        : {
            errorCode: 0,
            resultsByTransaction: [
              { topicResults: [{ resultsByPartition: [UNKNOWN_PRODUCER_RESULT] }] },
            ],
          }
    case ApiKey.AddOffsetsToTxn:
    case ApiKey.EndTxn:
      return { errorCode: ErrorCode.INVALID_PRODUCER_ID_MAPPING }
    case ApiKey.WriteTxnMarkers:
      return { markers: [{ producerId: 7, topics: [{ partitions: [{ errorCode: 0 }] }] }] }
    case ApiKey.TxnOffsetCommit: {
      const errorCode = ErrorCode.INVALID_PRODUCER_ID_MAPPING
      return { topics: [{ name: 'versions', partitions: [{ errorCode }] }] }
    }
    // Without an authorizer there are no ACLs: acls.test.ts has the rest.
    case ApiKey.DescribeAcls:
      return { errorCode: ErrorCode.SECURITY_DISABLED, resources: [] }
    case ApiKey.CreateAcls:
      return { results: [{ errorCode: ErrorCode.SECURITY_DISABLED }] }
    case ApiKey.DeleteAcls:
      return { filterResults: [{ errorCode: ErrorCode.SECURITY_DISABLED }] }
    case ApiKey.DescribeConfigs:
      return { results: [{ errorCode: 0, resourceName: 'versions' }] }
    case ApiKey.AlterConfigs:
    case ApiKey.IncrementalAlterConfigs:
      return { responses: [{ errorCode: 0, errorMessage: null, resourceName: 'versions' }] }
    case ApiKey.AlterReplicaLogDirs: {
      const partitions = [{ partitionIndex: 0, errorCode: ErrorCode.LOG_DIR_NOT_FOUND }]
      return { results: [{ topicName: 'versions', partitions }] }
    }
    case ApiKey.DescribeLogDirs: {
      const topics = [{ name: 'versions', partitions: [{ partitionIndex: 0 }] }]
      return { results: [{ errorCode: 0, logDir: broker.directory, topics }] }
    }
    case ApiKey.CreatePartitions:
      return { results: [{ name: 'versions', errorCode: ErrorCode.INVALID_PARTITIONS }] }
    case ApiKey.ElectLeaders: {
      const partitionResult = [{ partitionId: 0, errorCode: ErrorCode.ELECTION_NOT_NEEDED }]
      return { replicaElectionResults: [{ topic: 'versions', partitionResult }] }
    }
    case ApiKey.AlterPartitionReassignments: {
      const partitions = [{ errorCode: ErrorCode.NO_REASSIGNMENT_IN_PROGRESS }]
      return { errorCode: 0, responses: [{ name: 'versions', partitions }] }
    }
    case ApiKey.ListPartitionReassignments:
      return { errorCode: 0, topics: [] }
    case ApiKey.DescribeQuorum: {
      const partitions = [{ errorCode: 0, leaderId: 1, currentVoters: [{ replicaId: 1 }] }]
      return { errorCode: 0, topics: [{ partitions }] }
    }
    case ApiKey.UpdateFeatures:
      return { errorCode: ErrorCode.INVALID_UPDATE_VERSION }
    case ApiKey.DescribeProducers:
      return { topics: [{ partitions: [{ errorCode: 0 }] }] }
    case ApiKey.DescribeTransactions:
      return { transactionStates: [{ errorCode: ErrorCode.TRANSACTIONAL_ID_NOT_FOUND }] }
    case ApiKey.ListTransactions:
      return { errorCode: 0, unknownStateFilters: ['Odd'], transactionStates: [] }
    case ApiKey.UnregisterBroker:
      return { errorCode: ErrorCode.BROKER_ID_NOT_REGISTERED }
    case ApiKey.GetTelemetrySubscriptions:
      return { errorCode: 0, pushIntervalMs: 300_000, requestedMetrics: [] }
    case ApiKey.PushTelemetry:
      return { errorCode: ErrorCode.INVALID_REQUEST }
    case ApiKey.DescribeTopicPartitions:
      return { topics: [{ errorCode: 0, name: 'versions', partitions: [{ leaderId: 1 }] }] }
    case ApiKey.ListConfigResources:
    case ApiKey.ApiVersions:
      return { errorCode: 0 }
    case ApiKey.DeleteGroups:
      return { results: [{ groupId: 'nobody', errorCode: ErrorCode.GROUP_ID_NOT_FOUND }] }
    case ApiKey.OffsetDelete:
      return { errorCode: 0, topics: [{ name: 'versions', partitions: [{ errorCode: 0 }] }] }
    case ApiKey.DescribeClientQuotas:
      return { errorCode: 0 }
    case ApiKey.AlterClientQuotas:
      return { entries: [{ errorCode: 0, entity: [{ entityType: 'user', entityName: 'a' }] }] }
    case ApiKey.DescribeCluster:
      return { errorCode: 0, controllerId: 1, brokers: [{ brokerId: 1, port: broker.port }] }
    case ApiKey.SaslHandshake:
    case ApiKey.SaslAuthenticate:
      return { errorCode: ErrorCode.ILLEGAL_SASL_STATE }
    case ApiKey.CreateDelegationToken:
    case ApiKey.RenewDelegationToken:
    case ApiKey.ExpireDelegationToken:
    case ApiKey.DescribeDelegationToken:
      return { errorCode: ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED }
    case ApiKey.DescribeUserScramCredentials:
    case ApiKey.AlterUserScramCredentials:
      return { results: [{ user: 'nobody', errorCode: ErrorCode.RESOURCE_NOT_FOUND }] }
    case ApiKey.ConsumerGroupHeartbeat:
      return { errorCode: 0, memberId: `member-${version}`, memberEpoch: 2 }
    case ApiKey.ConsumerGroupDescribe:
      return { groups: [{ groupId: 'nobody', errorCode: ErrorCode.GROUP_ID_NOT_FOUND }] }
    default:
      throw new Error(`give key ${key as number} an answer here`)
  }
}

describe('every version that is served', () => {
  const cases = handlers.flatMap(({ key }) => {
    const { name, versions } = apiMessages[key].request
    return Array.from({ length: versions.max - versions.min + 1 }, (_, at) => ({
      name: name.replace('Request', ''),
      key,
      version: versions.min + at,
    }))
  })

  it.each(cases)('is answered: $name $version', async ({ key, version }) => {
    const answer = await client.ask(key, version, aRequest(key, version) as never)
    expect(answer).toMatchObject(expected(key, version))
  })
})
