import { errorMessage } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import { ErrorCode } from '@millrace/wire'

interface ServingShard {
  readonly partition: number
  /** NONE while it serves. */
  readonly error: number
}

/**
 * Runs a task on all shards that serve, at once: each may lie on a disk of its own, and one that is slow or fails is no reason to
 * leave the others alone. Never rejects: a failure is logged as "could not" do the task.
 */
export async function onEachShard<Shard extends ServingShard>(
  { shards, logger }: { shards: Iterable<Shard>; logger: Logger },
  task: string,
  run: (shard: Shard) => Promise<void>,
): Promise<void> {
  const serving = [...shards].filter(({ error }) => error === ErrorCode.NONE)
  const results = await Promise.allSettled(serving.map(run))
  for (const [at, result] of results.entries()) {
    if (result.status === 'fulfilled') continue
    const { partition } = serving[at]
    logger.warn(`could not ${task}`, { partition, reason: errorMessage(result.reason) })
  }
}
