import type { Clock } from '@millrace/base'
import { ErrorCode } from '@millrace/wire'
import { toWireFailure } from './log-error-codes'
import type { Partition } from './partition'

/** In place of an offset: all that may be read now. */
const TO_HIGH_WATERMARK = -1
const NO_WATERMARK = -1

export interface DeleteRecordsResult {
  readonly errorCode: number
  /** The lowest log start offset of all replicas; -1 with an error. */
  readonly lowWatermark: number
}

/**
 * Moves the start of a partition's log and waits until that is durable, `timeoutMs` at most: after REQUEST_TIMED_OUT the
 * records may be gone all the same. Never rejects.
 */
export function deleteRecordsOf(
  partition: Partition,
  request: { readonly offset: number; readonly timeoutMs: number },
  clock: Clock,
): Promise<DeleteRecordsResult> {
  const refusal = refusalOf(partition)
  if (refusal !== ErrorCode.NONE) return Promise.resolve(failed(refusal))
  const { log } = partition
  const offset = request.offset === TO_HIGH_WATERMARK ? partition.highWatermark : request.offset
  const { promise, resolve } = Promise.withResolvers<DeleteRecordsResult>()
  const timer = clock.schedule(Math.max(0, request.timeoutMs), () =>
    resolve({ errorCode: ErrorCode.REQUEST_TIMED_OUT, lowWatermark: log.logStartOffset }),
  )
  log
    .deleteRecordsBefore(offset)
    .then(
      () => resolve({ errorCode: ErrorCode.NONE, lowWatermark: log.logStartOffset }),
      (error: unknown) => resolve(failed(toWireFailure(error).errorCode)),
    )
    .finally(() => timer.cancel())
  return promise
}

function refusalOf(partition: Partition): number {
  if (!partition.isLeader) return ErrorCode.NOT_LEADER_OR_FOLLOWER
  const { cleanupPolicy } = partition.log.config
  const isCompactedOnly = cleanupPolicy.includes('compact') && !cleanupPolicy.includes('delete')
  return isCompactedOnly ? ErrorCode.POLICY_VIOLATION : ErrorCode.NONE
}

function failed(errorCode: number): DeleteRecordsResult {
  return { errorCode, lowWatermark: NO_WATERMARK }
}
