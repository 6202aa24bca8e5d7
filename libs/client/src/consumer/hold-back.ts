import type { Clock, Random } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import { backoffMs, isRetriableError } from '../retry'
import type { PartitionSet, PartitionState } from './partition-state'

export interface FailedPartition {
  readonly state: PartitionState
  readonly error: unknown
}

/**
 * Partitions whose failure may pass are left alone for a while, together, so that one request serves them all after it;
 * any other failure is kept for the caller of `poll`. `onDue` is called when there is something to do about them again.
 */
export function holdBack(
  deps: {
    readonly clock: Clock
    readonly random: Random
    readonly logger: Logger
    readonly partitions: PartitionSet
  },
  failed: readonly FailedPartition[],
  onDue: () => void,
): void {
  const { clock, random, logger, partitions } = deps
  const waiting: { state: PartitionState; epoch: number }[] = []
  let attemptCount = 0
  for (const { state, error } of failed) {
    if (!isRetriableError(error)) {
      state.onFailure(error as Error)
      continue
    }
    const { topic, partition, epoch } = state
    if (state.attemptCount === 0) {
      logger.warn('a partition cannot be read now and is tried again', { topic, partition, error })
    }
    attemptCount = Math.max(attemptCount, state.attemptCount)
    state.onRetry()
    waiting.push({ state, epoch })
  }
  if (waiting.length === 0) return onDue()
  clock.schedule(backoffMs(random, attemptCount), () => {
    for (const { state, epoch } of waiting)
      if (partitions.isCurrent(state, epoch)) state.onRetryDue()
    onDue()
  })
}
