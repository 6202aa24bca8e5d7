import {
  ErrorCode,
  type Infer,
  type InferInput,
  type TxnOffsetCommitRequest,
  type TxnOffsetCommitResponse,
} from '@millrace/wire'
import { coordinatorErrorOf } from './append-error'
import { checkCommit } from './group/commit-check'
import { type Commit, commitsOf } from './offset-commit'
import type { Shard } from './shard'
import type { TopicsView } from './topics-view'

type Request = Infer<typeof TxnOffsetCommitRequest>
type Response = InferInput<typeof TxnOffsetCommitResponse>

interface Options {
  readonly now: number
  readonly metadataMaxBytes: number
  readonly verification: number | undefined
  readonly apiVersion: number
  readonly topics: TopicsView
}

/**
 * Stores offsets that count when the producer's transaction commits. The transaction coordinator has taken the partition of
 * the group into the transaction before; `verification` is the log's guard from before that was asked.
 */
export async function commitInTransaction(
  shard: Shard,
  request: Request,
  options: Options,
): Promise<Response> {
  const { groupId, producerId, producerEpoch } = request
  const refusal = checkGroup(shard, request, options)
  if (refusal !== ErrorCode.NONE) return txnCommitResponse(request, () => refusal)
  const commits = commitsOf(request, options)
  const accepted = commits.filter((commit): commit is Commit => commit !== null)
  const { verification } = options
  try {
    if (accepted.length > 0) {
      await shard.commitInTransaction(
        groupId,
        { producerId, producerEpoch, verification },
        accepted,
      )
    }
  } catch (failure) {
    const error = coordinatorErrorOf(failure)
    return txnCommitResponse(request, () => error)
  }
  let index = 0
  return txnCommitResponse(request, () =>
    commits[index++] ? ErrorCode.NONE : ErrorCode.OFFSET_METADATA_TOO_LARGE,
  )
}

/** Calls `errorOfNext` for each partition in the order of the request. */
export function txnCommitResponse(request: Request, errorOfNext: () => number): Response {
  return {
    throttleTimeMs: 0,
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: errorOfNext(),
      })),
    })),
  }
}

function checkGroup(shard: Shard, request: Request, options: Options): number {
  const { groupId, groupInstanceId: instanceId } = request
  const group = shard.group(groupId)
  const claim = { ...request, instanceId, isTransactional: true, apiVersion: options.apiVersion }
  if (group) return checkCommit(group, claim, options.topics)
  return request.generationId < 0 ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION
}
