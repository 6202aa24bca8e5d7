/**
 * DescribeQuorum, key 55 - served: 0 to 2.
 * Does: tells who keeps the metadata: this node, as the only voter. Offsets are revisions of the metadata store.
 * Versions: 1 times of the last fetch; 2 directory ids, error texts, addresses of the nodes.
 * Gaps: the leader epoch is always 1, since nobody is elected.
 */
import { AclOperation } from '@millrace/security'
import { ApiKey, ErrorCode, errorText } from '@millrace/wire'
import { handler, type RequestContext, type RequestOf } from './handler'

type Request = RequestOf<typeof ApiKey.DescribeQuorum>

const METADATA_TOPIC = '__cluster_metadata'
const LEADER_EPOCH = 1

export const describeQuorum = handler(ApiKey.DescribeQuorum, { min: 0, max: 2 }, (request, ctx) => {
  if (!ctx.allowsOnCluster(AclOperation.DESCRIBE)) {
    const errorCode = ErrorCode.CLUSTER_AUTHORIZATION_FAILED
    return { errorCode, errorMessage: errorText(errorCode), topics: [], nodes: [] }
  }
  const asksForMetadata =
    request.topics.length === 1 &&
    request.topics[0].topicName === METADATA_TOPIC &&
    request.topics[0].partitions.length === 1 &&
    request.topics[0].partitions[0].partitionIndex === 0
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: '',
    topics: asksForMetadata ? [describeMetadata(ctx)] : unknownPartitions(request),
    nodes: asksForMetadata ? [describeNode(ctx)] : [],
  }
})

function describeMetadata({ broker }: RequestContext) {
  const { revision, controllerId } = broker.metadata()
  const nowMs = broker.clock.now()
  return {
    topicName: METADATA_TOPIC,
    partitions: [
      {
        partitionIndex: 0,
        errorCode: ErrorCode.NONE,
        errorMessage: '',
        leaderId: controllerId,
        leaderEpoch: LEADER_EPOCH,
        highWatermark: revision,
        currentVoters: [
          {
            replicaId: controllerId,
            logEndOffset: revision,
            lastFetchTimestamp: nowMs,
            lastCaughtUpTimestamp: nowMs,
          },
        ],
        observers: [],
      },
    ],
  }
}

function describeNode({ broker, client }: RequestContext) {
  const { listenerName } = client
  const endpoint = broker.endpointOf(broker.nodeId, listenerName)
  return {
    nodeId: broker.nodeId,
    listeners: endpoint ? [{ name: listenerName, ...endpoint }] : [],
  }
}

function unknownPartitions({ topics }: Request) {
  const errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  return topics.map(({ topicName, partitions }) => ({
    topicName,
    partitions: partitions.map(({ partitionIndex }) => ({
      partitionIndex,
      errorCode,
      errorMessage: errorText(errorCode),
      leaderId: 0,
      leaderEpoch: 0,
      highWatermark: 0,
      currentVoters: [],
      observers: [],
    })),
  }))
}
