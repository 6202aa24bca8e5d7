import { ApiKey, type ServedApiKey, ZERO_UUID } from '@millrace/wire'
import { aBatch } from '../harness'
import type { RequestOf } from './rights-bed'

const CLUSTER = 'cluster kafka-cluster'
const NOBODY_ID = 'bm9ib2R5IGhhcyB0aGlzIQ'

/** A request that is asked with each of these sets of rules in force. */
export interface RightsCase {
  readonly title: string
  readonly key: ServedApiKey
  readonly version: number
  readonly request: object
  readonly rules: readonly (readonly string[])[]
}

/** What the topics of the bed have got as their ids. */
export interface TopicIds {
  readonly orders: string
  readonly secret: string
}

function aCase<K extends ServedApiKey>(
  title: string,
  [key, version]: readonly [key: K, version: number],
  request: RequestOf<K>,
  rules: readonly (readonly string[])[],
): RightsCase {
  return { title, key, version, request, rules: [[], ...rules] }
}

/** There are the topics `orders` and `secret`; a topic `ghost` there is not. */
export function rightsCases(ids: TopicIds): readonly RightsCase[] {
  return [
    ...topicCases(ids),
    ...groupCases(ids),
    ...transactionCases(),
    ...clusterCases(),
    ...tokenCases(),
  ]
}

function topicCases(ids: TopicIds): RightsCase[] {
  const named = [{ name: 'orders' }, { name: 'secret' }, { name: 'ghost' }]
  const readOrders = ['READ topic orders']
  const partition = { partitionIndex: 0 }
  const batch = () => aBatch(['x'])
  const newTopic = { numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
  return [
    aCase(
      'metadata by name',
      [ApiKey.Metadata, 12],
      { topics: named, allowAutoTopicCreation: false },
      [
        ['DESCRIBE topic orders'],
        ['WRITE topic or*'],
        ['DELETE topic *', 'DENY DESCRIBE topic secret'],
      ],
    ),
    aCase('metadata of all', [ApiKey.Metadata, 12], { topics: null }, [
      ['ALTER topic orders'],
      ['DESCRIBE topic *'],
      ['DESCRIBE_CONFIGS topic orders'],
    ]),
    aCase(
      'metadata by id',
      [ApiKey.Metadata, 12],
      {
        topics: [ids.orders, ids.secret, NOBODY_ID].map((topicId) => ({ name: null, topicId })),
        allowAutoTopicCreation: false,
      },
      [['DESCRIBE topic orders']],
    ),
    aCase(
      'metadata with operations',
      [ApiKey.Metadata, 10],
      {
        topics: named,
        allowAutoTopicCreation: false,
        includeTopicAuthorizedOperations: true,
        includeClusterAuthorizedOperations: true,
      },
      [
        ['READ topic orders', 'DESCRIBE topic ghost'],
        ['ALL topic orders', `DESCRIBE ${CLUSTER}`, `ALTER_CONFIGS ${CLUSTER}`],
        ['ALL topic *', 'DENY WRITE topic orders', `ALL ${CLUSTER}`],
      ],
    ),
    aCase(
      'partitions of topics',
      [ApiKey.DescribeTopicPartitions, 0],
      { topics: named, responsePartitionLimit: 100, cursor: null },
      [['DESCRIBE topic orders'], ['ALL topic *']],
    ),
    aCase(
      'offsets',
      [ApiKey.ListOffsets, 7],
      {
        replicaId: -1,
        isolationLevel: 0,
        topics: named.map(({ name }) => ({ name, partitions: [{ ...partition, timestamp: -1 }] })),
      },
      [['DESCRIBE topic orders'], ['READ topic *']],
    ),
    aCase(
      'produce by name',
      [ApiKey.Produce, 9],
      {
        transactionalId: null,
        acks: -1,
        timeoutMs: 5000,
        topicData: named.map(({ name }) => ({
          name,
          partitionData: [{ index: 0, records: batch() }],
        })),
      },
      [['WRITE topic orders'], readOrders, ['ALL topic *', 'DENY WRITE topic sec*']],
    ),
    aCase(
      'produce by id',
      [ApiKey.Produce, 13],
      {
        transactionalId: null,
        acks: -1,
        timeoutMs: 5000,
        topicData: [ids.orders, ids.secret, NOBODY_ID].map((topicId) => ({
          topicId,
          partitionData: [{ index: 0, records: batch() }],
        })),
      },
      [['WRITE topic orders']],
    ),
    aCase(
      'produce in a transaction',
      [ApiKey.Produce, 9],
      {
        transactionalId: 'pay',
        acks: -1,
        timeoutMs: 5000,
        topicData: [
          {
            name: 'orders',
            partitionData: [
              {
                index: 0,
                records: aBatch(['x'], {
                  producer: { producerId: 99_999, producerEpoch: 0, baseSequence: 0 },
                  isTransactional: true,
                }),
              },
            ],
          },
        ],
      },
      [['WRITE topic orders'], ['DESCRIBE transactional_id pay', 'WRITE topic orders']],
    ),
    aCase(
      'fetch by name',
      [ApiKey.Fetch, 12],
      {
        maxWaitMs: 0,
        minBytes: 0,
        sessionId: 0,
        sessionEpoch: -1,
        topics: named.map(({ name }) => ({
          topic: name,
          partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }],
        })),
      },
      [readOrders, ['WRITE topic orders'], ['READ topic *']],
    ),
    aCase(
      'fetch by id',
      [ApiKey.Fetch, 13],
      {
        maxWaitMs: 0,
        minBytes: 0,
        sessionId: 0,
        sessionEpoch: -1,
        topics: [ids.orders, ids.secret, NOBODY_ID].map((topicId) => ({
          topicId,
          partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }],
        })),
      },
      [readOrders],
    ),
    aCase(
      'ends of epochs',
      [ApiKey.OffsetForLeaderEpoch, 4],
      {
        replicaId: -1,
        topics: named.map(({ name }) => ({
          topic: name,
          partitions: [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 }],
        })),
      },
      [['DESCRIBE topic orders'], [`CLUSTER_ACTION ${CLUSTER}`]],
    ),
    aCase(
      'delete records',
      [ApiKey.DeleteRecords, 2],
      {
        timeoutMs: 5000,
        topics: named.map(({ name }) => ({ name, partitions: [{ ...partition, offset: 0 }] })),
      },
      [['DELETE topic orders'], ['DESCRIBE topic *']],
    ),
    aCase(
      'producers of a topic',
      [ApiKey.DescribeProducers, 0],
      { topics: named.map(({ name }) => ({ name, partitionIndexes: [0] })) },
      [readOrders, ['DESCRIBE topic *']],
    ),
    aCase(
      'create topics',
      [ApiKey.CreateTopics, 7],
      {
        timeoutMs: 5000,
        validateOnly: true,
        topics: ['orders', 'fresh', 'other'].map((name) => ({ name, ...newTopic })),
      },
      [
        ['CREATE topic fresh'],
        ['CREATE topic fr*', 'DESCRIBE_CONFIGS topic fresh'],
        [`CREATE ${CLUSTER}`],
        ['DESCRIBE topic *'],
      ],
    ),
    aCase(
      'create partitions',
      [ApiKey.CreatePartitions, 3],
      {
        timeoutMs: 5000,
        validateOnly: true,
        topics: named.map(({ name }) => ({ name, count: 7, assignments: null })),
      },
      [['ALTER topic orders'], [`ALTER ${CLUSTER}`], ['ALTER topic *']],
    ),
    aCase(
      'delete topics by name',
      [ApiKey.DeleteTopics, 5],
      { topicNames: ['secret', 'ghost'], timeoutMs: 5000 },
      [
        ['DESCRIBE topic *'],
        ['DELETE topic ghost'],
        ['DELETE topic *', 'DENY DELETE topic secret'],
      ],
    ),
    aCase(
      'delete topics by id',
      [ApiKey.DeleteTopics, 6],
      {
        topics: [ids.secret, NOBODY_ID].map((topicId) => ({ name: null, topicId })),
        timeoutMs: 5000,
      },
      [['DESCRIBE topic *'], ['READ topic secret']],
    ),
    aCase(
      'configs',
      [ApiKey.DescribeConfigs, 4],
      {
        resources: [
          { resourceType: 2, resourceName: 'orders' },
          { resourceType: 2, resourceName: 'ghost' },
          { resourceType: 4, resourceName: '1' },
          { resourceType: 32, resourceName: 'crew' },
          { resourceType: 16, resourceName: 'metrics' },
          { resourceType: 8, resourceName: '1' },
        ].map((resource) => ({ ...resource, configurationKeys: ['none'] })),
        includeSynonyms: false,
        includeDocumentation: false,
      },
      [
        ['DESCRIBE_CONFIGS topic orders'],
        ['ALTER_CONFIGS topic *', 'DESCRIBE_CONFIGS group crew'],
        ['DESCRIBE topic *', `DESCRIBE_CONFIGS ${CLUSTER}`],
      ],
    ),
    aCase(
      'alter configs',
      [ApiKey.IncrementalAlterConfigs, 1],
      {
        validateOnly: true,
        resources: [
          { resourceType: 2, resourceName: 'orders', name: 'retention.ms', value: '5000' },
          { resourceType: 2, resourceName: 'ghost', name: 'retention.ms', value: '5000' },
          { resourceType: 4, resourceName: '', name: 'log.retention.ms', value: '5000' },
          {
            resourceType: 32,
            resourceName: 'crew',
            name: 'consumer.session.timeout.ms',
            value: '50000',
          },
        ].map(({ name, value, ...resource }) => ({
          ...resource,
          configs: [{ name, configOperation: 0, value }],
        })),
      },
      [
        ['ALTER_CONFIGS topic *'],
        ['ALTER topic *', 'DESCRIBE_CONFIGS topic *'],
        [`ALTER_CONFIGS ${CLUSTER}`, 'ALTER_CONFIGS group crew'],
      ],
    ),
    aCase(
      'set configs',
      [ApiKey.AlterConfigs, 2],
      {
        validateOnly: true,
        resources: [{ resourceType: 2, resourceName: 'orders', configs: [] }],
      },
      [['ALTER_CONFIGS topic orders']],
    ),
  ]
}

function groupCases(ids: TopicIds): RightsCase[] {
  const member = { groupId: 'crew', memberId: 'nobody' }
  const readGroup = ['READ group crew']
  const offsets = { partitionIndex: 0, committedOffset: 1, committedMetadata: '' }
  const named = ['orders', 'ghost']
  return [
    aCase(
      'find a group',
      [ApiKey.FindCoordinator, 4],
      { keyType: 0, coordinatorKeys: ['crew', 'other'] },
      [['DESCRIBE group crew', 'DESCRIBE group other']],
    ),
    aCase(
      'join',
      [ApiKey.JoinGroup, 9],
      {
        ...member,
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 10_000,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
      },
      [['DESCRIBE group crew'], readGroup],
    ),
    aCase(
      'sync',
      [ApiKey.SyncGroup, 5],
      {
        ...member,
        generationId: 1,
        protocolType: 'consumer',
        protocolName: 'range',
        assignments: [],
      },
      [['DESCRIBE group crew'], readGroup],
    ),
    aCase('heartbeat', [ApiKey.Heartbeat, 4], { ...member, generationId: 1 }, [readGroup]),
    aCase('leave', [ApiKey.LeaveGroup, 5], { groupId: 'crew', members: [{ memberId: 'nobody' }] }, [
      readGroup,
    ]),
    aCase('find a group, as of old', [ApiKey.FindCoordinator, 3], { key: 'crew', keyType: 0 }, [
      readGroup,
    ]),
    aCase(
      'commit by name',
      [ApiKey.OffsetCommit, 8],
      {
        groupId: 'crew',
        memberId: '',
        topics: named.map((name) => ({ name, partitions: [offsets] })),
      },
      [
        ['READ topic *'],
        readGroup,
        [...readGroup, 'READ topic orders'],
        ['READ group *', 'READ topic *'],
      ],
    ),
    aCase(
      'commit by id',
      [ApiKey.OffsetCommit, 10],
      {
        groupId: 'crew',
        memberId: '',
        topics: [ids.orders, NOBODY_ID].map((topicId) => ({ topicId, partitions: [offsets] })),
      },
      [readGroup, [...readGroup, 'READ topic orders']],
    ),
    aCase(
      'committed offsets by name',
      [ApiKey.OffsetFetch, 7],
      {
        groupId: 'crew',
        topics: named.map((name) => ({ name, partitionIndexes: [0] })),
        requireStable: false,
      },
      [
        ['DESCRIBE topic *'],
        ['DESCRIBE group crew'],
        ['DESCRIBE group crew', 'DESCRIBE topic orders'],
      ],
    ),
    aCase(
      'committed offsets, as of old',
      [ApiKey.OffsetFetch, 1],
      { groupId: 'crew', topics: named.map((name) => ({ name, partitionIndexes: [0] })) },
      [['DESCRIBE topic *'], ['DESCRIBE group crew'], ['DESCRIBE group crew', 'READ topic *']],
    ),
    aCase(
      'committed offsets of two groups',
      [ApiKey.OffsetFetch, 9],
      {
        requireStable: false,
        groups: [
          { groupId: 'crew', topics: [{ name: 'orders', partitionIndexes: [0] }] },
          { groupId: 'other', topics: null },
        ],
      },
      [['DESCRIBE group crew'], ['DESCRIBE group *', 'DESCRIBE topic *']],
    ),
    aCase(
      'all committed offsets',
      [ApiKey.OffsetFetch, 7],
      { groupId: 'crew', topics: null, requireStable: false },
      [['DESCRIBE group crew'], ['DESCRIBE group crew', 'DESCRIBE topic orders']],
    ),
    aCase(
      'committed offsets by id',
      [ApiKey.OffsetFetch, 10],
      {
        requireStable: false,
        groups: [
          {
            groupId: 'crew',
            topics: [ids.orders, NOBODY_ID].map((topicId) => ({ topicId, partitionIndexes: [0] })),
          },
        ],
      },
      [['READ group crew'], ['READ group crew', 'DESCRIBE topic orders']],
    ),
    aCase(
      'describe groups',
      [ApiKey.DescribeGroups, 5],
      { groups: ['crew', 'other'], includeAuthorizedOperations: true },
      [['DESCRIBE group crew'], ['ALL group *', 'DENY DELETE group crew']],
    ),
    aCase(
      'describe consumer groups',
      [ApiKey.ConsumerGroupDescribe, 1],
      { groupIds: ['crew', 'other'], includeAuthorizedOperations: true },
      [['DESCRIBE group crew']],
    ),
    aCase(
      'describe groups that are not there',
      [ApiKey.DescribeGroups, 6],
      { groups: ['crew', 'other'], includeAuthorizedOperations: true },
      [['DESCRIBE group *']],
    ),
    aCase('list groups', [ApiKey.ListGroups, 4], { statesFilter: [] }, [
      ['DESCRIBE group crew'],
      [`DESCRIBE ${CLUSTER}`],
    ]),
    aCase('delete groups', [ApiKey.DeleteGroups, 2], { groupsNames: ['ghosts', 'other'] }, [
      ['READ group ghosts', 'DESCRIBE group other'],
      ['DELETE group ghosts'],
    ]),
    aCase(
      'delete offsets',
      [ApiKey.OffsetDelete, 0],
      {
        groupId: 'crew',
        topics: named.map((name) => ({ name, partitions: [{ partitionIndex: 1 }] })),
      },
      [['READ topic *'], ['DELETE group crew'], ['DELETE group crew', 'READ topic orders']],
    ),
    aCase(
      'heartbeat with a pattern',
      [ApiKey.ConsumerGroupHeartbeat, 1],
      { groupId: 'modern', memberId: 'nobody', memberEpoch: 5, subscribedTopicRegex: '.*' },
      [['READ group modern'], ['READ topic *']],
    ),
    aCase(
      'consumer group heartbeat',
      [ApiKey.ConsumerGroupHeartbeat, 0],
      {
        groupId: 'modern',
        memberId: 'nobody',
        memberEpoch: 5,
        subscribedTopicNames: ['orders', 'secret'],
      },
      [
        ['READ group modern'],
        ['READ group modern', 'DESCRIBE topic orders'],
        ['READ group *', 'READ topic *'],
      ],
    ),
  ]
}

function transactionCases(): RightsCase[] {
  const write = ['WRITE transactional_id pay']
  const ids = { transactionalId: 'pay', producerId: 77_777, producerEpoch: 0 }
  return [
    aCase(
      'find a transaction',
      [ApiKey.FindCoordinator, 4],
      { keyType: 1, coordinatorKeys: ['pay'] },
      [['DESCRIBE transactional_id pay']],
    ),
    aCase(
      'idempotent producer',
      [ApiKey.InitProducerId, 4],
      { transactionalId: null, transactionTimeoutMs: 1000 },
      [
        [`IDEMPOTENT_WRITE ${CLUSTER}`],
        ['WRITE topic anything'],
        ['READ topic *'],
        ['WRITE topic any*', 'DENY WRITE topic an*'],
        ['WRITE topic any*', 'DENY WRITE topic *'],
        ['ALL topic x', 'DENY WRITE topic y'],
      ],
    ),
    aCase(
      'transactional producer',
      [ApiKey.InitProducerId, 4],
      { transactionalId: 'pay', transactionTimeoutMs: 0 },
      [['DESCRIBE transactional_id pay'], write],
    ),
    aCase(
      'partitions of a transaction',
      [ApiKey.AddPartitionsToTxn, 3],
      {
        v3AndBelowTransactionalId: 'pay',
        v3AndBelowProducerId: 77_777,
        v3AndBelowProducerEpoch: 0,
        v3AndBelowTopics: ['orders', 'secret', 'ghost'].map((name) => ({ name, partitions: [0] })),
      },
      [['WRITE topic *'], write, [...write, 'WRITE topic orders'], [...write, 'WRITE topic *']],
    ),
    aCase(
      'partitions of a transaction, for a broker',
      [ApiKey.AddPartitionsToTxn, 5],
      {
        transactions: [
          {
            transactionalId: 'pay',
            producerId: 77_777,
            producerEpoch: 0,
            verifyOnly: true,
            topics: [{ name: 'orders', partitions: [0] }],
          },
        ],
      },
      [['WRITE transactional_id pay', 'WRITE topic orders'], [`CLUSTER_ACTION ${CLUSTER}`]],
    ),
    aCase('offsets of a transaction', [ApiKey.AddOffsetsToTxn, 3], { ...ids, groupId: 'crew' }, [
      write,
      ['READ group crew'],
      [...write, 'READ group crew'],
    ]),
    aCase('end a transaction', [ApiKey.EndTxn, 3], { ...ids, committed: true }, [
      ['DESCRIBE transactional_id pay'],
      write,
    ]),
    aCase(
      'commit in a transaction',
      [ApiKey.TxnOffsetCommit, 3],
      {
        ...ids,
        groupId: 'crew',
        generationId: -1,
        memberId: '',
        topics: ['orders', 'ghost'].map((name) => ({
          name,
          partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }],
        })),
      },
      [write, ['READ group crew'], [...write, 'READ group crew']],
    ),
    aCase(
      'describe transactions',
      [ApiKey.DescribeTransactions, 0],
      { transactionalIds: ['pay'] },
      [['DESCRIBE transactional_id pay'], ['WRITE transactional_id *']],
    ),
    aCase(
      'write markers',
      [ApiKey.WriteTxnMarkers, 1],
      {
        markers: [
          {
            producerId: 77_777,
            producerEpoch: 0,
            transactionResult: false,
            topics: [{ name: 'ghost', partitionIndexes: [0] }],
            coordinatorEpoch: 0,
          },
        ],
      },
      [['WRITE topic *'], [`ALTER ${CLUSTER}`], [`CLUSTER_ACTION ${CLUSTER}`]],
    ),
  ]
}

function clusterCases(): RightsCase[] {
  const describe = [`DESCRIBE ${CLUSTER}`]
  const alter = [`ALTER ${CLUSTER}`]
  const anAcl = {
    resourceType: 2,
    resourceName: 'x',
    resourcePatternType: 3,
    principal: 'User:x',
    host: '*',
    operation: 3,
    permissionType: 3,
  }
  const aFilter = {
    resourceTypeFilter: 3,
    resourceNameFilter: 'x',
    patternTypeFilter: 3,
    principalFilter: null,
    hostFilter: null,
    operation: 1,
    permissionType: 1,
  }
  return [
    aCase('cluster', [ApiKey.DescribeCluster, 0], { includeClusterAuthorizedOperations: true }, [
      describe,
      [`ALL ${CLUSTER}`],
      [`CREATE ${CLUSTER}`],
    ]),
    aCase('ACLs', [ApiKey.DescribeAcls, 3], aFilter, [describe, alter, ['DESCRIBE topic *']]),
    aCase(
      'create ACLs',
      [ApiKey.CreateAcls, 3],
      { creations: [{ ...anAcl, resourceName: '' }, anAcl] },
      [describe],
    ),
    aCase(
      'delete ACLs',
      [ApiKey.DeleteAcls, 3],
      { filters: [aFilter, { ...aFilter, operation: 99 }] },
      [describe, alter],
    ),
    aCase('quotas', [ApiKey.DescribeClientQuotas, 1], { components: [], strict: false }, [
      describe,
      [`DESCRIBE_CONFIGS ${CLUSTER}`],
      [`ALTER_CONFIGS ${CLUSTER}`],
    ]),
    aCase(
      'alter quotas',
      [ApiKey.AlterClientQuotas, 1],
      {
        validateOnly: true,
        entries: [
          {
            entity: [{ entityType: 'user', entityName: 'x' }],
            ops: [{ key: 'producer_byte_rate', value: 1000, remove: false }],
          },
        ],
      },
      [alter, [`ALTER_CONFIGS ${CLUSTER}`]],
    ),
    aCase('log directories', [ApiKey.DescribeLogDirs, 4], { topics: [] }, [describe]),
    aCase(
      'move logs',
      [ApiKey.AlterReplicaLogDirs, 2],
      { dirs: [{ path: '/nowhere', topics: [{ name: 'orders', partitions: [0] }] }] },
      [describe, alter],
    ),
    aCase(
      'elect leaders',
      [ApiKey.ElectLeaders, 2],
      { electionType: 0, topicPartitions: [{ topic: 'orders', partitions: [0] }], timeoutMs: 1000 },
      [describe, alter],
    ),
    aCase(
      'reassign',
      [ApiKey.AlterPartitionReassignments, 0],
      {
        timeoutMs: 1000,
        topics: [{ name: 'ghost', partitions: [{ partitionIndex: 0, replicas: null }] }],
      },
      [describe, alter],
    ),
    aCase(
      'reassignments',
      [ApiKey.ListPartitionReassignments, 0],
      { timeoutMs: 1000, topics: null },
      [describe],
    ),
    aCase(
      'quorum',
      [ApiKey.DescribeQuorum, 1],
      { topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }] },
      [describe],
    ),
    aCase(
      'features',
      [ApiKey.UpdateFeatures, 1],
      {
        timeoutMs: 1000,
        validateOnly: true,
        featureUpdates: [{ feature: 'group.version', maxVersionLevel: 1, upgradeType: 1 }],
      },
      [describe, alter],
    ),
    aCase('unregister', [ApiKey.UnregisterBroker, 0], { brokerId: 42 }, [describe, alter]),
    aCase('config resources', [ApiKey.ListConfigResources, 1], { resourceTypes: [16] }, [
      describe,
      [`DESCRIBE_CONFIGS ${CLUSTER}`],
    ]),
    aCase('scram users', [ApiKey.DescribeUserScramCredentials, 0], { users: [{ name: 'x' }] }, [
      describe,
      alter,
    ]),
    aCase(
      'alter scram users',
      [ApiKey.AlterUserScramCredentials, 0],
      { deletions: [{ name: 'x', mechanism: 1 }], upsertions: [] },
      [describe, alter],
    ),
    aCase(
      'transactions',
      [ApiKey.ListTransactions, 1],
      { stateFilters: [], producerIdFilters: [] },
      [describe],
    ),
    aCase('telemetry', [ApiKey.GetTelemetrySubscriptions, 0], { clientInstanceId: ZERO_UUID }, [
      describe,
    ]),
  ]
}

function tokenCases(): RightsCase[] {
  const bob = { principalType: 'User', principalName: 'bob' }
  const alice = { principalType: 'User', principalName: 'alice' }
  const forBob = { ownerPrincipalType: 'User', ownerPrincipalName: 'bob' }
  return [
    aCase(
      'a token',
      [ApiKey.CreateDelegationToken, 3],
      { ownerPrincipalType: null, ownerPrincipalName: null, renewers: [], maxLifetimeMs: 60_000 },
      [],
    ),
    aCase(
      'a token of somebody else',
      [ApiKey.CreateDelegationToken, 3],
      { ...forBob, renewers: [], maxLifetimeMs: 60_000 },
      [['CREATE_TOKENS user User:bob'], ['DESCRIBE_TOKENS user User:bob'], [`ALL ${CLUSTER}`]],
    ),
    aCase('tokens', [ApiKey.DescribeDelegationToken, 3], { owners: [bob, alice] }, [
      ['DESCRIBE_TOKENS user User:bob'],
      ['DESCRIBE delegation_token *'],
    ]),
    aCase('all tokens', [ApiKey.DescribeDelegationToken, 3], { owners: null }, [
      ['DESCRIBE_TOKENS user *'],
    ]),
  ]
}
