/**
 * WriteTxnMarkers, key 27 - served: 1 to 2.
 * Does: ends transactions in partitions that this broker leads; for other coordinators, and for an operator who ends one
 *   that hangs.
 * Versions: 1 flexible; 2 the version of the transaction, from which follows what epoch the marker must have.
 * Gaps: none known.   Invariants: TXN-2.
 */
import { AclOperation, CLUSTER_NAME, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { handler, type RequestContext, type RequestOf, type ResponseOf } from './handler'

type Marker = RequestOf<typeof ApiKey.WriteTxnMarkers>['markers'][number]
type Answer = ResponseOf<typeof ApiKey.WriteTxnMarkers>['markers'][number]

export const writeTxnMarkers = handler(
  ApiKey.WriteTxnMarkers,
  { min: 1, max: 2 },
  async (request, ctx) => {
    const mayWrite =
      ctx.allowsQuietly(AclOperation.ALTER, ResourceType.CLUSTER, CLUSTER_NAME) ||
      ctx.allowsOnCluster(AclOperation.CLUSTER_ACTION)
    const { markers } = request
    const refuseAll = (errorCode: number) => ({
      markers: markers.map((marker) => answerOf(marker, () => errorCode)),
    })
    if (!mayWrite) return refuseAll(ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
    // As in Kafka, where no batch can be made of one of them.
    if (markers.some(isOfNobody)) return refuseAll(ErrorCode.UNKNOWN_SERVER_ERROR)
    return { markers: await Promise.all(markers.map((marker) => write(marker, ctx))) }
  },
)

function isOfNobody({ producerId, producerEpoch }: Marker): boolean {
  return producerId < 0 || producerEpoch < 0
}

async function write(marker: Marker, ctx: RequestContext): Promise<Answer> {
  const partitions = marker.topics.flatMap(({ name: topic, partitionIndexes }) =>
    partitionIndexes.map((partition) => ({ topic, partition })),
  )
  const { producerId, producerEpoch, coordinatorEpoch, transactionVersion } = marker
  const isCommit = marker.transactionResult
  const errors = await ctx.broker.markers.write(
    { producerId, producerEpoch, coordinatorEpoch, isCommit, transactionVersion },
    partitions,
  )
  return answerOf(marker, (at) => errors[at])
}

/** `errorOf` is given the position of a partition in the whole marker. */
function answerOf({ producerId, topics }: Marker, errorOf: (at: number) => number): Answer {
  let at = 0
  return {
    producerId,
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({
        partitionIndex,
        errorCode: errorOf(at++),
      })),
    })),
  }
}
