/**
 * DescribeLogDirs, key 35 - served: 1 to 5.
 * Does: tells the log directories of this broker, their logs with sizes, copies that are under way, and room on the disk.
 * Versions: 2 flexible; 3 error of the whole request; 4 bytes of the file system; 5 cordoned directories.
 * Gaps: no directory is ever cordoned.
 */
import { resolve } from 'node:path'
import type { DirectoryDescription, LogDescription } from '@millrace/log'
import { AclOperation } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { handler, type RequestOf } from './handler'

type Request = RequestOf<typeof ApiKey.DescribeLogDirs>

export const describeLogDirs = handler(
  ApiKey.DescribeLogDirs,
  { min: 1, max: 5 },
  async ({ topics }, ctx) => {
    if (!ctx.allowsOnCluster(AclOperation.DESCRIBE))
      return { throttleTimeMs: 0, errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, results: [] }
    const directories = await ctx.broker.logs.describeDirectories()
    const results = directories.map((directory) => resultOf(directory, topics))
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, results }
  },
)

function resultOf(directory: DirectoryDescription, topics: Request['topics']) {
  const { path, failure, totalBytes, usableBytes, logs } = directory
  const logDir = resolve(path)
  if (failure !== null) return { errorCode: ErrorCode.KAFKA_STORAGE_ERROR, logDir, topics: [] }
  const isWanted = ({ topic, partition }: LogDescription): boolean =>
    topics === null ||
    topics.some((wanted) => wanted.topic === topic && wanted.partitions.includes(partition))
  return {
    errorCode: ErrorCode.NONE,
    logDir,
    topics: byTopic(logs.filter(isWanted)),
    totalBytes,
    usableBytes,
  }
}

function byTopic(logs: readonly LogDescription[]) {
  const topics = new Map<string, LogDescription[]>()
  for (const log of logs) {
    const ofTopic = topics.get(log.topic) ?? []
    topics.set(log.topic, ofTopic)
    ofTopic.push(log)
  }
  return Array.from(topics, ([name, ofTopic]) => ({
    name,
    partitions: ofTopic.map(({ partition, sizeBytes, offsetLag, isFuture }) => ({
      partitionIndex: partition,
      partitionSize: sizeBytes,
      offsetLag,
      isFutureKey: isFuture,
    })),
  }))
}
