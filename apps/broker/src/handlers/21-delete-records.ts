/**
 * DeleteRecords, key 21 - served: 0 to 2.
 * Does: moves the log start offset up to the offset given (-1: to the high watermark); answers when it is durable.
 * Versions: 2 flexible.
 * Gaps: none known.   Invariants: LOG-7, SEC-2.
 */
import { AclOperation, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { handler, type RequestContext } from './handler'

const NO_WATERMARK = -1

interface Result {
  readonly lowWatermark: number
  readonly errorCode: number
}

export const deleteRecords = handler(
  ApiKey.DeleteRecords,
  { min: 0, max: 2, order: 'change' },
  async (request, ctx) => {
    const { timeoutMs } = request
    const topics = request.topics.map(async ({ name, partitions }) => {
      const refusal = refusalOf(name, ctx)
      const results = partitions.map(async ({ partitionIndex, offset }) => {
        const result: Result =
          refusal === ErrorCode.NONE
            ? await ctx.broker.replicas.deleteRecords(
                { topic: name, partition: partitionIndex },
                { offset, timeoutMs },
              )
            : { lowWatermark: NO_WATERMARK, errorCode: refusal }
        return { partitionIndex, ...result }
      })
      return { name, partitions: await Promise.all(results) }
    })
    return { throttleTimeMs: 0, topics: await Promise.all(topics) }
  },
)

function refusalOf(name: string, ctx: RequestContext): number {
  if (!ctx.allows(AclOperation.DELETE, ResourceType.TOPIC, name))
    return ErrorCode.TOPIC_AUTHORIZATION_FAILED
  const topic = ctx.broker.metadata().topics.get(name)
  if (!topic) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  return topic.isInternal ? ErrorCode.INVALID_TOPIC_EXCEPTION : ErrorCode.NONE
}
