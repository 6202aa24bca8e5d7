/**
 * ElectLeaders, key 43 - served: 0 to 2.
 * Does: says of each partition whether its leader is the one that was asked for.
 * Versions: 1 unclean elections; 2 flexible.
 * Gaps: nothing is elected: a partition of one replica always has its preferred leader, others come with replication.
 */
import type { PartitionImage } from '@millrace/controller'
import { AclOperation } from '@millrace/security'
import { ApiKey, ErrorCode, errorText } from '@millrace/wire'
import { handler, type RequestContext, type RequestOf } from './handler'

type Request = RequestOf<typeof ApiKey.ElectLeaders>

const ElectionType = { PREFERRED: 0, UNCLEAN: 1 } as const

export const electLeaders = handler(
  ApiKey.ElectLeaders,
  { min: 0, max: 2, order: 'change' },
  (request, ctx) => {
    const refused = refusalOf(request, ctx)
    if (refused !== ErrorCode.NONE) return failed(request, refused)
    const { topics } = ctx.broker.metadata()
    const type = ctx.apiVersion === 0 ? ElectionType.PREFERRED : request.electionType
    const results =
      request.topicPartitions === null
        ? Array.from(topics.values(), ({ name, partitions }) => ({
            topic: name,
            // Of all partitions only those are told that have something to tell.
            partitionResult: partitions
              .map((partition) => resultOf(partition.index, electionError(partition, type)))
              .filter(({ errorCode }) => errorCode !== ErrorCode.ELECTION_NOT_NEEDED),
          }))
        : request.topicPartitions.map(({ topic, partitions }) => ({
            topic,
            partitionResult: partitions.map((index) =>
              resultOf(index, electionError(topics.get(topic)?.partitions[index], type)),
            ),
          }))
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, replicaElectionResults: results }
  },
)

function refusalOf({ electionType }: Request, ctx: RequestContext): number {
  if (!ctx.allowsOnCluster(AclOperation.ALTER)) return ErrorCode.CLUSTER_AUTHORIZATION_FAILED
  const isKnown = Object.values<number>(ElectionType).includes(electionType)
  return ctx.apiVersion === 0 || isKnown ? ErrorCode.NONE : ErrorCode.INVALID_REQUEST
}

function electionError(partition: PartitionImage | undefined, type: number): number {
  if (!partition) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  const { leader, replicas } = partition
  if (type === ElectionType.UNCLEAN)
    return leader >= 0 ? ErrorCode.ELECTION_NOT_NEEDED : ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE
  return leader === replicas[0]
    ? ErrorCode.ELECTION_NOT_NEEDED
    : ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE
}

function resultOf(partitionId: number, errorCode: number) {
  return { partitionId, errorCode, errorMessage: errorText(errorCode) }
}

function failed({ topicPartitions }: Request, errorCode: number) {
  return {
    throttleTimeMs: 0,
    errorCode,
    replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map((index) => resultOf(index, errorCode)),
    })),
  }
}
