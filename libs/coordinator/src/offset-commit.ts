import {
  type Infer,
  type InferInput,
  type OffsetCommitRequest,
  type OffsetCommitResponse,
  ZERO_UUID,
} from '@millrace/wire'
import type { OffsetCommitValue } from './records/offset-commit'

const NO_RETENTION = -1

export interface Commit {
  readonly topic: string
  readonly partition: number
  readonly value: OffsetCommitValue
}

/** What commits in and outside of transactions have in common. */
interface CommitRequest {
  readonly retentionTimeMs?: number
  readonly topics: readonly {
    readonly name: string
    readonly topicId?: string
    readonly partitions: readonly {
      readonly partitionIndex: number
      readonly committedOffset: number
      readonly committedLeaderEpoch: number
      readonly committedMetadata: string | null
    }[]
  }[]
}

/** The offsets of a request in its order; null where the metadata is too long. */
export function commitsOf(
  { retentionTimeMs = NO_RETENTION, topics }: CommitRequest,
  { now, metadataMaxBytes }: { now: number; metadataMaxBytes: number },
): (Commit | null)[] {
  const expireTimestamp = retentionTimeMs === NO_RETENTION ? -1 : now + retentionTimeMs
  return topics.flatMap(({ name, topicId = ZERO_UUID, partitions }) =>
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
