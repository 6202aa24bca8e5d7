import * as path from 'node:path'
import type { Disk } from '@millrace/base'
import { logErrors } from './errors'
import type { Log } from './log'
import { checkpointKey, type LogDirectory } from './log-directory'
import { MOVED_MARKER_FILE } from './log-move'

interface TwoCopies {
  /** The copy that is open. */
  readonly log: Log
  readonly directory: LogDirectory
  /** Where another one was found, under this name. */
  readonly other: LogDirectory
  readonly name: string
}

/**
 * Two directories have a log of one name. If a move ended between its two renames, the copy with its mark is whole and the
 * other one goes; it is closed if it was open. Otherwise only a human can tell, as the other would hide the topic's own.
 * @throws PlatformError LOG_IN_TWO_DIRECTORIES
 */
export async function chooseCopy(disk: Disk, copies: TwoCopies): Promise<LogDirectory> {
  const { log, directory, other, name } = copies
  const inOther = path.join(other.path, name)
  const isFirstMoved = await hasMark(disk, log.directory)
  const isSecondMoved = await hasMark(disk, inOther)
  const isSameTopic = (await other.topicIdOf(name)) === log.topicId
  if (!isSameTopic || isFirstMoved === isSecondMoved) {
    const params = { where: name, directory: directory.path, other: other.path }
    throw logErrors.create('LOG_IN_TWO_DIRECTORIES', params)
  }
  const { fileDeleteDelayMs } = log.config
  if (isFirstMoved) {
    other.removeLater(await other.setAside(inOther, log), fileDeleteDelayMs)
    await disk.remove(path.join(log.directory, MOVED_MARKER_FILE))
    return directory
  }
  log.abandon()
  await log.whenAbandoned()
  directory.logs.delete(checkpointKey(log.topic, log.partition))
  directory.removeLater(await directory.setAside(log.directory, log), fileDeleteDelayMs)
  await disk.remove(path.join(inOther, MOVED_MARKER_FILE))
  return other
}

async function hasMark(disk: Disk, directory: string): Promise<boolean> {
  return (await disk.readFile(path.join(directory, MOVED_MARKER_FILE))) !== null
}
