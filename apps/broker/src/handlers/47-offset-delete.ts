/**
 * OffsetDelete, key 47 - served: 0 to 0.
 * Does: removes a group's offsets of topics that none of its members reads.
 * Versions: 0 only.
 * Gaps: none known.   Invariants: ACK-3.
 */
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { handler, type RequestContext } from './handler'

export const offsetDelete = handler(
  ApiKey.OffsetDelete,
  { min: 0, max: 0, order: 'change' },
  async (request, ctx) => {
    const { groupId, topics } = request
    if (!ctx.allows(AclOperation.DELETE, ResourceType.GROUP, groupId))
      return failed(ErrorCode.GROUP_AUTHORIZATION_FAILED)
    const asked = topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex }) => {
        const refusal = refusalOf(name, partitionIndex, ctx)
        return { topic: name, partition: partitionIndex, refusal }
      }),
    )
    const known = asked.filter(({ refusal }) => refusal === ErrorCode.NONE)
    const { errorCode, partitionErrors } = await ctx.broker.groups.deleteOffsets(groupId, known)
    if (errorCode !== ErrorCode.NONE) return failed(errorCode)
    const errors = new Map(known.map((partition, at) => [partition, partitionErrors[at]]))
    let index = 0
    return {
      errorCode: ErrorCode.NONE,
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => {
          const partition = asked[index++]
          return { partitionIndex, errorCode: errors.get(partition) ?? partition.refusal }
        }),
      })),
    }
  },
)

function refusalOf(topic: string, partition: number, ctx: RequestContext): number {
  if (!ctx.allows(AclOperation.READ, ResourceType.TOPIC, topic))
    return ErrorCode.TOPIC_AUTHORIZATION_FAILED
  return ctx.broker.metadata().topics.get(topic)?.partitions[partition]
    ? ErrorCode.NONE
    : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
}

function failed(errorCode: number) {
  return { errorCode, throttleTimeMs: 0, topics: [] }
}
