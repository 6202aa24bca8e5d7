import { errorMessage, type Disk } from '@millrace/base'
import type { Log } from './log'
import type { LogMove } from './log-move'

/** One of `log.dirs`, as DescribeLogDirs shows it. */
export interface DirectoryDescription {
  readonly path: string
  /** Why it is offline, or null. */
  readonly failure: string | null
  /** Of its file system; -1 if unknown. */
  readonly totalBytes: number
  readonly usableBytes: number
  readonly logs: readonly LogDescription[]
}

export interface LogDescription {
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  readonly sizeBytes: number
  /** How far the copy is behind the log, or the log behind its high watermark. */
  readonly offsetLag: number
  /** It is the copy of a log that moves here. */
  readonly isFuture: boolean
}

export async function describeDirectory(
  disk: Disk,
  found: {
    path: string
    failure: string | null
    logs: Iterable<Log>
    moves: readonly LogMove[]
  },
): Promise<DirectoryDescription> {
  const { path, failure, moves } = found
  if (failure !== null) return offline(path, failure)
  const logs = Array.from(found.logs, (log) => {
    const offsetLag = Math.max(log.highWatermark - log.logEndOffset, 0)
    return describe(log, { sizeBytes: log.sizeBytes, offsetLag, isFuture: false })
  })
  for (const { log, sizeBytes, offsetLag } of moves) {
    logs.push(describe(log, { sizeBytes, offsetLag, isFuture: true }))
  }
  try {
    return { path, failure, logs, ...(await disk.space(path)) }
  } catch (error) {
    return offline(path, errorMessage(error))
  }
}

function describe(
  { topic, partition, topicId }: Log,
  fields: Omit<LogDescription, 'topic' | 'partition' | 'topicId'>,
): LogDescription {
  return { topic, partition, topicId, ...fields }
}

function offline(path: string, failure: string): DirectoryDescription {
  return { path, failure, totalBytes: -1, usableBytes: -1, logs: [] }
}
