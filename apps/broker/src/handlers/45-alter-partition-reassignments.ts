/**
 * AlterPartitionReassignments, key 45 - served: 0 to 1.
 * Does: checks where partitions are to go, and answers that those which are there already are there.
 * Versions: 1 the number of replicas can be kept from changing.
 * Gaps: nothing is moved between brokers, which comes with replication: another place is INVALID_REPLICA_ASSIGNMENT.
 */
import type { MetadataImage } from '@millrace/controller'
import { AclOperation } from '@millrace/security'
import { ApiKey, ErrorCode, errorText } from '@millrace/wire'
import { handler, type RequestOf } from './handler'

type Request = RequestOf<typeof ApiKey.AlterPartitionReassignments>
type Partition = Request['topics'][number]['partitions'][number]

export const alterPartitionReassignments = handler(
  ApiKey.AlterPartitionReassignments,
  { min: 0, max: 1, order: 'change' },
  (request, ctx) => {
    const { topics, allowReplicationFactorChange } = request
    const isAllowed = ctx.allowsOnCluster(AclOperation.ALTER)
    const errorCode = isAllowed ? ErrorCode.NONE : ErrorCode.CLUSTER_AUTHORIZATION_FAILED
    const image = ctx.broker.metadata()
    return {
      throttleTimeMs: 0,
      allowReplicationFactorChange,
      errorCode,
      errorMessage: messageOf(errorCode),
      responses: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map((partition) => {
          const code = isAllowed
            ? reassignmentError(name, partition, { image, allowReplicationFactorChange })
            : errorCode
          const { partitionIndex } = partition
          return { partitionIndex, errorCode: code, errorMessage: messageOf(code) }
        }),
      })),
    }
  },
)

function reassignmentError(
  name: string,
  { partitionIndex, replicas }: Partition,
  context: { image: MetadataImage; allowReplicationFactorChange: boolean },
): number {
  const { topics, brokers } = context.image
  const partition = topics.get(name)?.partitions[partitionIndex]
  if (!partition) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  if (replicas === null) return ErrorCode.NO_REASSIGNMENT_IN_PROGRESS
  const isValid =
    replicas.length > 0 &&
    new Set(replicas).size === replicas.length &&
    replicas.every((id) => brokers.some((broker) => broker.id === id))
  if (!isValid) return ErrorCode.INVALID_REPLICA_ASSIGNMENT
  if (!context.allowReplicationFactorChange && replicas.length !== partition.replicas.length)
    return ErrorCode.INVALID_REPLICATION_FACTOR
  const isThere = replicas.every((id, at) => partition.replicas[at] === id)
  return isThere && replicas.length === partition.replicas.length
    ? ErrorCode.NONE
    : ErrorCode.INVALID_REPLICA_ASSIGNMENT
}

function messageOf(errorCode: number): string | null {
  return errorCode === ErrorCode.NONE ? null : errorText(errorCode)
}
