/**
 * AlterReplicaLogDirs, key 34 - served: 1 to 2.
 * Does: begins to move logs to other directories of this broker; DescribeLogDirs tells how far each is.
 * Versions: 2 flexible.
 * Gaps: none known.
 */
import { resolve } from 'node:path'
import { errorCode } from '@millrace/base'
import { AclOperation } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { wireFailureOf } from '../wire-failure'
import { handler, type RequestContext, type RequestOf } from './handler'

type Directory = RequestOf<typeof ApiKey.AlterReplicaLogDirs>['dirs'][number]

interface Move {
  readonly path: string
  readonly topic: string
  readonly partition: number
}

export const alterReplicaLogDirs = handler(
  ApiKey.AlterReplicaLogDirs,
  { min: 1, max: 2, order: 'change' },
  async ({ dirs }, ctx) => {
    const isAllowed = ctx.allowsOnCluster(AclOperation.ALTER)
    const byTopic = new Map<string, { partitionIndex: number; errorCode: number }[]>()
    for (const move of movesOf(dirs)) {
      const partitions = byTopic.get(move.topic) ?? []
      byTopic.set(move.topic, partitions)
      partitions.push({
        partitionIndex: move.partition,
        errorCode: isAllowed ? await begin(move, ctx) : ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
      })
    }
    const results = Array.from(byTopic, ([topicName, partitions]) => ({ topicName, partitions }))
    return { throttleTimeMs: 0, results }
  },
)

function movesOf(dirs: readonly Directory[]): Move[] {
  return dirs.flatMap(({ path, topics }) =>
    topics.flatMap(({ name, partitions }) =>
      partitions.map((partition) => ({ path, topic: name, partition })),
    ),
  )
}

async function begin({ path, topic, partition }: Move, ctx: RequestContext): Promise<number> {
  const { logs, config, logger, replicas } = ctx.broker
  // Clients know directories by their absolute path, whatever log.dirs has.
  const directory = config.values.logDirs.find((given) => resolve(given) === path) ?? path
  if (replicas.isOffline(topic, partition)) return ErrorCode.KAFKA_STORAGE_ERROR
  try {
    await logs.moveLog(topic, partition, directory)
    return ErrorCode.NONE
  } catch (error) {
    logger.warn('log is not moved', { topic, partition, directory, error })
    if (errorCode(error) === 'LOG_NOT_FOUND') return ErrorCode.REPLICA_NOT_AVAILABLE
    if (errorCode(error) === 'LOG_DIRECTORY_UNKNOWN') return ErrorCode.LOG_DIR_NOT_FOUND
    return wireFailureOf(error).errorCode
  }
}
