/**
 * Holds our schemas against two independent implementations of the protocol: what kafkajs (plain
 * versions) and @platformatic/kafka (flexible ones) write, we read and write back byte for byte;
 * what we answer, @platformatic/kafka reads.
 */
import {
  apiVersionsV3,
  createTopicsV7,
  deleteTopicsV6,
  describeConfigsV4,
  fetchV15,
  findCoordinatorV6,
  heartbeatV4,
  joinGroupV9,
  listOffsetsV8,
  metadataV12,
  offsetCommitV9,
  offsetFetchV9,
  produceV11,
  produceV9,
  Reader as PeerReader,
  syncGroupV5,
} from '@platformatic/kafka'
import { decode, encode } from './codec'
import { encodeRequest } from './frame'
import { decodeRequestHeader } from './header'
import { messagesOf } from './messages'
import { ProduceResponse } from './messages/00-produce'
import { FetchResponse } from './messages/01-fetch'
import { MetadataResponse } from './messages/03-metadata'
import { JoinGroupResponse } from './messages/11-join-group'
import { ApiVersionsResponse } from './messages/18-api-versions'

const TOPIC_ID = '00010203-0405-4607-8809-0a0b0c0d0e0f'
const OUR_TOPIC_ID = Buffer.from(TOPIC_ID.replaceAll('-', ''), 'hex').toString('base64url')

interface KafkajsRequest {
  readonly apiKey: number
  readonly apiVersion: number
}

const kafkajsCases: [path: string, parameters: object, expected: object][] = [
  ['apiVersions/v0', {}, {}],
  ['metadata/v0', { topics: ['a', 'é'] }, { topics: [{ name: 'a' }, { name: 'é' }] }],
  ['metadata/v6', { topics: ['a'] }, { topics: [{ name: 'a' }], allowAutoTopicCreation: true }],
  [
    'produce/v3',
    aProduce(null),
    { acks: -1, topicData: [{ name: 't', partitionData: [{ index: 4 }] }] },
  ],
  [
    'produce/v7',
    aProduce('tx'),
    { transactionalId: 'tx', timeoutMs: 30, topicData: [{ name: 't' }] },
  ],
  ['fetch/v4', aFetch(), { isolationLevel: 1, topics: [{ partitions: [{ fetchOffset: 12 }] }] }],
  [
    'fetch/v11',
    { ...aFetch(), rackId: 'az1' },
    {
      rackId: 'az1',
      sessionEpoch: -1,
      topics: [{ topic: 't', partitions: [{ partitionMaxBytes: 9 }] }],
    },
  ],
  [
    'listOffsets/v2',
    { replicaId: -1, isolationLevel: 1, topics: [{ topic: 't', partitions: [{ partition: 3 }] }] },
    { topics: [{ name: 't', partitions: [{ partitionIndex: 3, timestamp: -1 }] }] },
  ],
  ['findCoordinator/v1', { coordinatorKey: 'g', coordinatorType: 1 }, { key: 'g', keyType: 1 }],
  [
    'joinGroup/v5',
    {
      groupId: 'g',
      sessionTimeout: 1,
      rebalanceTimeout: 2,
      memberId: 'm',
      groupInstanceId: 'i',
      protocolType: 'consumer',
      groupProtocols: [{ name: 'range', metadata: Buffer.from('meta') }],
    },
    { rebalanceTimeoutMs: 2, groupInstanceId: 'i', protocols: [{ metadata: Buffer.from('meta') }] },
  ],
  [
    'offsetCommit/v5',
    {
      groupId: 'g',
      groupGenerationId: 3,
      memberId: 'm',
      topics: [{ topic: 't', partitions: [{ partition: 1, offset: '5' }] }],
    },
    { topics: [{ partitions: [{ committedOffset: 5, committedMetadata: null }] }] },
  ],
  [
    'createTopics/v3',
    {
      topics: [{ topic: 't', numPartitions: 3, replicationFactor: 1 }],
      timeout: 9,
      validateOnly: true,
    },
    { topics: [{ name: 't', numPartitions: 3 }], timeoutMs: 9, validateOnly: true },
  ],
  [
    'describeConfigs/v1',
    { resources: [{ type: 2, name: 't', configNames: ['a'] }] },
    { resources: [{ resourceType: 2, resourceName: 't', configurationKeys: ['a'] }] },
  ],
]

describe('kafkajs', () => {
  it.each(kafkajsCases)('writes %s as we do', async (path, parameters, expected) => {
    const createRequest = jest.requireActual<(parameters: object) => KafkajsRequest>(
      `kafkajs/src/protocol/requests/${path}/request`,
    )
    const frameRequest = jest.requireActual<(whole: object) => Promise<{ buffer: Buffer }>>(
      'kafkajs/src/protocol/request',
    )
    const request = createRequest(parameters)
    const { buffer: frame } = await frameRequest({ correlationId: 77, clientId: 'kjs', request })
    const { apiKey, apiVersion } = request
    const { bodyStart, ...header } = decodeRequestHeader(frame.subarray(4))
    expect(header).toEqual({ apiKey, apiVersion, correlationId: 77, clientId: 'kjs' })
    const spec = messagesOf(apiKey)!.request
    const value = decode(spec, apiVersion, frame.subarray(4), bodyStart)
    expect(value).toMatchObject(expected)
    expect(Buffer.concat(encodeRequest(spec, apiVersion, header, value)).equals(frame)).toBe(true)
  })
})

const platformaticCases: [
  name: string,
  api: { key: number; version: number },
  body: { buffer: Buffer },
  expected: object,
][] = [
  [
    'ApiVersions',
    apiVersionsV3.api,
    apiVersionsV3.createRequest('lib', '2'),
    { clientSoftwareName: 'lib', clientSoftwareVersion: '2' },
  ],
  [
    'Metadata',
    metadataV12.api,
    metadataV12.createRequest([{ topicId: TOPIC_ID } as never, 'name'], false),
    { topics: [{ topicId: OUR_TOPIC_ID, name: null }, { name: 'name' }] },
  ],
  [
    'Produce',
    produceV9.api,
    produceV9.createRequest(-1, 50, [
      { topic: 't', partition: 2, value: Buffer.alloc(200) },
    ] as never),
    { acks: -1, timeoutMs: 50, topicData: [{ name: 't', partitionData: [{ index: 2 }] }] },
  ],
  [
    'Produce',
    produceV11.api,
    produceV11.createRequest(1, 50, [{ topic: 't', value: Buffer.from('v') }] as never),
    { acks: 1, topicData: [{ name: 't' }] },
  ],
  [
    'Fetch',
    fetchV15.api,
    fetchV15.createRequest(1, 2, 3, 1, 0, -1, aPeerFetch() as never, [], 'az'),
    {
      maxWaitMs: 1,
      rackId: 'az',
      topics: [{ topicId: OUR_TOPIC_ID, partitions: [{ fetchOffset: 12, partitionMaxBytes: 9 }] }],
    },
  ],
  [
    'ListOffsets',
    listOffsetsV8.api,
    listOffsetsV8.createRequest(-1, 1, [
      { name: 't', partitions: [{ partitionIndex: 1, currentLeaderEpoch: -1, timestamp: -2n }] },
    ]),
    { topics: [{ name: 't', partitions: [{ partitionIndex: 1, timestamp: -2 }] }] },
  ],
  [
    'OffsetCommit',
    offsetCommitV9.api,
    offsetCommitV9.createRequest('g', 3, 'm', null, [
      {
        name: 't',
        partitions: [
          {
            partitionIndex: 1,
            committedOffset: 5n,
            committedLeaderEpoch: -1,
            committedMetadata: null,
          },
        ],
      },
    ]),
    { generationIdOrMemberEpoch: 3, topics: [{ partitions: [{ committedOffset: 5 }] }] },
  ],
  [
    'OffsetFetch',
    offsetFetchV9.api,
    offsetFetchV9.createRequest(
      [
        {
          groupId: 'g',
          memberId: null,
          memberEpoch: -1,
          topics: [{ name: 't', partitionIndexes: [0, 1] }],
        },
      ],
      true,
    ),
    { groups: [{ groupId: 'g', topics: [{ partitionIndexes: [0, 1] }] }], requireStable: true },
  ],
  [
    'FindCoordinator',
    findCoordinatorV6.api,
    findCoordinatorV6.createRequest(0, ['g']),
    { keyType: 0, coordinatorKeys: ['g'] },
  ],
  [
    'JoinGroup',
    joinGroupV9.api,
    joinGroupV9.createRequest('g', 1, 2, '', null, 'consumer', [{ name: 'range' }] as never, 'why'),
    { groupId: 'g', rebalanceTimeoutMs: 2, protocols: [{ name: 'range' }], reason: 'why' },
  ],
  [
    'SyncGroup',
    syncGroupV5.api,
    syncGroupV5.createRequest('g', 1, 'm', null, 'consumer', 'range', [
      { memberId: 'm', assignment: Buffer.from('a') },
    ]),
    { protocolName: 'range', assignments: [{ assignment: Buffer.from('a') }] },
  ],
  ['Heartbeat', heartbeatV4.api, heartbeatV4.createRequest('g', 4, 'm'), { generationId: 4 }],
  [
    'CreateTopics',
    createTopicsV7.api,
    createTopicsV7.createRequest(
      [
        {
          name: 't',
          numPartitions: -1,
          replicationFactor: -1,
          assignments: [],
          configs: [{ name: 'retention.ms', value: '1' }],
        },
      ],
      9,
      false,
    ),
    { topics: [{ name: 't', configs: [{ name: 'retention.ms', value: '1' }] }], timeoutMs: 9 },
  ],
  [
    'DeleteTopics',
    deleteTopicsV6.api,
    deleteTopicsV6.createRequest([{ name: 't' }], 9),
    { topics: [{ name: 't' }] },
  ],
  [
    'DescribeConfigs',
    describeConfigsV4.api,
    describeConfigsV4.createRequest([
      { resourceType: 2, resourceName: 't', configurationKeys: null },
    ] as never),
    { resources: [{ configurationKeys: null }] },
  ],
]

describe('@platformatic/kafka', () => {
  it.each(platformaticCases)('writes a %s request as we do', (_name, api, { buffer }, expected) => {
    const spec = messagesOf(api.key)!.request
    const value = decode(spec, api.version, buffer)
    expect(value).toMatchObject(expected)
    expect(encode(spec, api.version, value).equals(buffer)).toBe(true)
  })

  it('reads our responses', () => {
    const read = <Parsed>(
      peer: {
        api: { key: number; version: number }
        parseResponse(id: number, key: number, version: number, reader: PeerReader): Parsed
      },
      body: Buffer,
    ): Parsed => {
      const reader = PeerReader.from(body)
      const parsed = peer.parseResponse(1, peer.api.key, peer.api.version, reader)
      expect(reader.remaining).toBe(0)
      return parsed
    }
    const metadata = {
      throttleTimeMs: 3,
      brokers: [{ nodeId: 1, host: 'localhost', port: 9092, rack: null }],
      clusterId: 'cluster',
      controllerId: 1,
      topics: [
        {
          errorCode: 0,
          name: 't',
          isInternal: false,
          partitions: [
            {
              errorCode: 0,
              partitionIndex: 0,
              leaderId: 1,
              leaderEpoch: 2,
              replicaNodes: [1],
              isrNodes: [1],
              offlineReplicas: [],
            },
          ],
        },
      ],
    }
    expect(read(metadataV12, encode(MetadataResponse, 12, metadata))).toMatchObject(metadata)

    const versions = {
      errorCode: 0,
      apiKeys: [{ apiKey: 0, minVersion: 0, maxVersion: 13 }],
      finalizedFeatures: [{ name: 'transaction.version', maxVersionLevel: 2, minVersionLevel: 2 }],
      zkMigrationReady: true,
    }
    expect(read(apiVersionsV3, encode(ApiVersionsResponse, 3, versions))).toMatchObject(versions)

    const partition = { index: 0, errorCode: 0, baseOffset: 2 ** 40 }
    const produced = { responses: [{ name: 't', partitionResponses: [partition] }] }
    expect(read(produceV9, encode(ProduceResponse, 9, produced))).toMatchObject({
      responses: [{ partitionResponses: [{ baseOffset: BigInt(2 ** 40), logStartOffset: -1n }] }],
    })

    const fetched = {
      responses: [
        {
          topicId: OUR_TOPIC_ID,
          partitions: [
            {
              partitionIndex: 0,
              errorCode: 0,
              highWatermark: 7,
              abortedTransactions: null,
              records: null,
            },
          ],
        },
      ],
    }
    expect(read(fetchV15, encode(FetchResponse, 15, fetched))).toMatchObject({
      responses: [{ topicId: TOPIC_ID, partitions: [{ highWatermark: 7n }] }],
    })

    const joined = {
      errorCode: 0,
      generationId: 4,
      protocolType: 'consumer',
      protocolName: 'range',
      leader: 'm',
      memberId: 'm',
      members: [{ memberId: 'm', metadata: Buffer.from('meta') }],
    }
    expect(read(joinGroupV9, encode(JoinGroupResponse, 9, joined))).toMatchObject(joined)
  })
})

function aProduce(transactionalId: string | null): object {
  const messages = [{ key: 'k', value: 'v', timestamp: 1 }]
  return {
    acks: -1,
    timeout: 30,
    transactionalId,
    topicData: [{ topic: 't', partitions: [{ partition: 4, firstSequence: 0, messages }] }],
  }
}

function aFetch(): object {
  const partitions = [{ partition: 1, fetchOffset: '12', maxBytes: 9 }]
  return {
    replicaId: -1,
    maxWaitTime: 1,
    minBytes: 2,
    maxBytes: 3,
    isolationLevel: 1,
    topics: [{ topic: 't', partitions }],
  }
}

function aPeerFetch(): object {
  const partition = { partition: 1, currentLeaderEpoch: -1, fetchOffset: 12n, lastFetchedEpoch: -1 }
  return [{ topicId: TOPIC_ID, partitions: [{ ...partition, partitionMaxBytes: 9 }] }]
}
