import {
  CreateTopicsRequest,
  CreateTopicsResponse,
  DeleteTopicsRequest,
  DeleteTopicsResponse,
  DescribeClusterRequest,
  DescribeClusterResponse,
  DescribeConfigsRequest,
  DescribeConfigsResponse,
  ErrorCode,
  ListOffsetsRequest,
  ListOffsetsResponse,
  OffsetFetchRequest,
  OffsetFetchResponse,
} from '@millrace/wire'
import type { Cluster } from './cluster'
import type {
  Broker,
  ClientDeps,
  TopicMetadata,
  TopicPartition,
  TopicPartitionOffset,
} from './options'
import { retry } from './retry'
import { refusal } from './refusal'

/** How long an administrative call goes on trying while the cluster is not ready. */
const ADMIN_TIMEOUT_MS = 60_000
const CREATE_TIMEOUT_MS = 30_000
const TOPIC_RESOURCE = 2
const LATEST = -1
const EARLIEST = -2
/** The last versions that name one group and its topics by name. */
const OFFSET_FETCH_MAX_VERSION = 7
const DELETE_TOPICS_MAX_VERSION = 5

export interface ClusterDescription {
  readonly clusterId: string
  readonly controllerId: number
  readonly brokers: readonly Broker[]
}

export interface NewTopic {
  readonly name: string
  /** -1 takes the default of the broker, as for the replication factor. */
  readonly partitions: number
  readonly replicationFactor: number
  readonly configs?: Readonly<Record<string, string>>
}

/** Administrative calls. Each tries again while the cluster is not ready, for a minute at most. */
export interface Admin {
  describeCluster(): Promise<ClusterDescription>
  /** Null means all topics; topics that do not exist are absent. */
  topics(names: readonly string[] | null): Promise<readonly TopicMetadata[]>
  /** @throws ProtocolError of the first topic that could not be created, TOPIC_ALREADY_EXISTS among them */
  createTopics(topics: readonly NewTopic[]): Promise<void>
  /** @throws ProtocolError of the first topic that could not be deleted */
  deleteTopics(names: readonly string[]): Promise<void>
  /** Keys and values of a topic's configuration; null for what the cluster hides. */
  describeConfigs(topic: string): Promise<Readonly<Record<string, string | null>>>
  /** Log start, log end, or the first offset at or after a timestamp (-1 if there is none). */
  listOffsets(
    partitions: readonly TopicPartition[],
    which: 'earliest' | 'latest' | number,
  ): Promise<readonly TopicPartitionOffset[]>
  /** What a group has committed, for all partitions. */
  committedOffsets(groupId: string): Promise<readonly TopicPartitionOffset[]>
}

export function createAdmin(deps: ClientDeps, cluster: Cluster, signal: AbortSignal): Admin {
  const persist = <T>(action: () => Promise<T>): Promise<T> =>
    retry(
      deps,
      { signal, timeoutMs: ADMIN_TIMEOUT_MS, onRetry: () => cluster.invalidate() },
      action,
    )
  return {
    describeCluster: () => persist(() => describeCluster(cluster)),
    topics: (names) => persist(async () => [...(await cluster.topics(names)).values()]),
    createTopics: (topics) => persist(() => createTopics(cluster, topics)),
    deleteTopics: (names) => persist(() => deleteTopics(cluster, names)),
    describeConfigs: (topic) => persist(() => describeConfigs(cluster, topic)),
    listOffsets: (partitions, which) => persist(() => listOffsets(cluster, partitions, which)),
    committedOffsets: (groupId) => persist(() => committedOffsets(cluster, groupId)),
  }
}

async function describeCluster(cluster: Cluster): Promise<ClusterDescription> {
  const connection = await cluster.anyConnection()
  const reply = await connection.send(DescribeClusterRequest, DescribeClusterResponse, {
    includeClusterAuthorizedOperations: false,
  })
  check(reply.errorCode, reply.errorMessage, 'cluster')
  return {
    clusterId: reply.clusterId,
    controllerId: reply.controllerId,
    brokers: reply.brokers.map(({ brokerId, host, port, rack }) => ({
      id: brokerId,
      host,
      port,
      rack,
    })),
  }
}

async function createTopics(cluster: Cluster, topics: readonly NewTopic[]): Promise<void> {
  const connection = await cluster.controller()
  const reply = await connection.send(CreateTopicsRequest, CreateTopicsResponse, {
    topics: topics.map(({ name, partitions, replicationFactor, configs = {} }) => ({
      name,
      numPartitions: partitions,
      replicationFactor,
      assignments: [],
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    })),
    timeoutMs: CREATE_TIMEOUT_MS,
  })
  for (const { name, errorCode, errorMessage } of reply.topics)
    check(errorCode, errorMessage, `topic ${name}`)
}

async function deleteTopics(cluster: Cluster, names: readonly string[]): Promise<void> {
  const connection = await cluster.controller()
  const request = { topicNames: [...names], timeoutMs: CREATE_TIMEOUT_MS }
  const reply = await connection.send(DeleteTopicsRequest, DeleteTopicsResponse, request, {
    maxVersion: DELETE_TOPICS_MAX_VERSION,
  })
  for (const { name, errorCode, errorMessage } of reply.responses)
    check(errorCode, errorMessage, `topic ${name}`)
}

async function describeConfigs(
  cluster: Cluster,
  topic: string,
): Promise<Readonly<Record<string, string | null>>> {
  const connection = await cluster.anyConnection()
  const reply = await connection.send(DescribeConfigsRequest, DescribeConfigsResponse, {
    resources: [{ resourceType: TOPIC_RESOURCE, resourceName: topic, configurationKeys: null }],
  })
  const [result] = reply.results
  check(result.errorCode, result.errorMessage, `topic ${topic}`)
  return Object.fromEntries(result.configs.map(({ name, value }) => [name, value]))
}

async function listOffsets(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  which: 'earliest' | 'latest' | number,
): Promise<readonly TopicPartitionOffset[]> {
  const timestamp = which === 'earliest' ? EARLIEST : which === 'latest' ? LATEST : which
  const byLeader = new Map<number, TopicPartition[]>()
  for (const one of partitions) {
    const leader = await cluster.leaderOf(one.topic, one.partition)
    const group = byLeader.get(leader)
    if (group) group.push(one)
    else byLeader.set(leader, [one])
  }
  const answers = await Promise.all(
    [...byLeader].map(([leader, group]) => listOffsetsOf(cluster, leader, group, timestamp)),
  )
  return answers.flat()
}

async function listOffsetsOf(
  cluster: Cluster,
  leader: number,
  partitions: readonly TopicPartition[],
  timestamp: number,
): Promise<TopicPartitionOffset[]> {
  const connection = await cluster.connection(leader, 'main')
  const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, group]) => ({
    name,
    partitions: group.map(({ partition }) => ({ partitionIndex: partition, timestamp })),
  }))
  const reply = await connection.send(ListOffsetsRequest, ListOffsetsResponse, {
    replicaId: -1,
    topics,
  })
  return reply.topics.flatMap((topic) =>
    topic.partitions.map(({ partitionIndex, errorCode, offset }) => {
      check(errorCode, null, `${topic.name}-${partitionIndex}`)
      return { topic: topic.name, partition: partitionIndex, offset }
    }),
  )
}

async function committedOffsets(
  cluster: Cluster,
  groupId: string,
): Promise<readonly TopicPartitionOffset[]> {
  const connection = await cluster.connection(await cluster.coordinator(groupId), 'group')
  const reply = await connection.send(
    OffsetFetchRequest,
    OffsetFetchResponse,
    { groupId, topics: null },
    { maxVersion: OFFSET_FETCH_MAX_VERSION },
  )
  if (reply.errorCode !== ErrorCode.NONE) cluster.forgetCoordinator(groupId)
  check(reply.errorCode, null, `group ${groupId}`)
  return reply.topics.flatMap(({ name, partitions }) =>
    partitions
      .filter(({ committedOffset }) => committedOffset >= 0)
      .map(({ partitionIndex, committedOffset, metadata }) => ({
        topic: name,
        partition: partitionIndex,
        offset: committedOffset,
        metadata,
      })),
  )
}

/** @throws ProtocolError unless the code is NONE */
function check(errorCode: number, message: string | null, about: string): void {
  if (errorCode === ErrorCode.NONE) return
  throw refusal(errorCode, about, message)
}
