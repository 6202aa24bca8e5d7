/**
 * OffsetForLeaderEpoch, key 23 - served: 2 to 4.
 * Does: tells where an epoch ended, so that a client can see whether the history it read is still ours.
 * Versions: 2 the client's leader epoch; 3 replica id; 4 flexible.
 * Gaps: none known.
 */
import { toWireFailure } from '@millrace/replication'
import { AclOperation, CLUSTER_NAME, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { handler, type RequestContext } from './handler'

const UNKNOWN = { leaderEpoch: -1, endOffset: -1 }

export const offsetForLeaderEpoch = handler(
  ApiKey.OffsetForLeaderEpoch,
  { min: 2, max: 4 },
  (request, ctx) => ({
    throttleTimeMs: 0,
    topics: request.topics.map(({ topic, partitions }) => {
      const isAllowed = mayAsk(topic, ctx)
      return {
        topic,
        partitions: partitions.map((wanted) => ({
          partition: wanted.partition,
          ...(isAllowed
            ? findEnd(topic, wanted, ctx)
            : { errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, ...UNKNOWN }),
        })),
      }
    }),
  }),
)

/** Replicas ask as part of the cluster, consumers as readers of the topic. */
function mayAsk(topic: string, ctx: RequestContext): boolean {
  return (
    ctx.allowsQuietly(AclOperation.CLUSTER_ACTION, ResourceType.CLUSTER, CLUSTER_NAME) ||
    ctx.allows(AclOperation.DESCRIBE, ResourceType.TOPIC, topic)
  )
}

function findEnd(
  topic: string,
  wanted: { partition: number; currentLeaderEpoch: number; leaderEpoch: number },
  ctx: RequestContext,
) {
  const partition = ctx.broker.replicas.partition(topic, wanted.partition)
  if (!partition)
    return { errorCode: ctx.broker.replicas.missingError(topic, wanted.partition), ...UNKNOWN }
  const errorCode = partition.checkLeaderEpoch(wanted.currentLeaderEpoch)
  if (errorCode !== ErrorCode.NONE) return { errorCode, ...UNKNOWN }
  try {
    const { epoch, endOffset } = partition.log.endOffsetForEpoch(wanted.leaderEpoch)
    return { errorCode, leaderEpoch: epoch, endOffset }
  } catch (error) {
    return { errorCode: toWireFailure(error).errorCode, ...UNKNOWN }
  }
}
