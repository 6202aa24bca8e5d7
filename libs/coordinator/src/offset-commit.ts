import type { Infer, InferInput, OffsetCommitRequest, OffsetCommitResponse } from '@millrace/wire'
import type { OffsetCommitValue } from './records/offset-commit'

const NO_RETENTION = -1

export interface Commit {
  readonly topic: string
  readonly partition: number
  readonly value: OffsetCommitValue
}

/** The offsets of a request in its order; null where the metadata is too long. */
export function commitsOf(
  request: Infer<typeof OffsetCommitRequest>,
  { now, metadataMaxBytes }: { now: number; metadataMaxBytes: number },
): (Commit | null)[] {
  const { retentionTimeMs } = request
  const expireTimestamp = retentionTimeMs === NO_RETENTION ? -1 : now + retentionTimeMs
  return request.topics.flatMap(({ name, topicId, partitions }) =>
    partitions.map((partition) => {
      const metadata = partition.committedMetadata ?? ''
      if (metadata.length > metadataMaxBytes) return null // Kafka counts characters too
      return {
        topic: name,
        partition: partition.partitionIndex,
        value: {
          offset: partition.committedOffset,
          leaderEpoch: partition.committedLeaderEpoch,
          metadata,
          commitTimestamp: now,
          expireTimestamp,
          topicId,
        },
      }
    }),
  )
}

/** Calls `errorOfNext` for each partition in the order of the request. */
export function commitResponse(
  request: Infer<typeof OffsetCommitRequest>,
  errorOfNext: () => number,
): InferInput<typeof OffsetCommitResponse> {
  return {
    topics: request.topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: errorOfNext(),
      })),
    })),
  }
}
