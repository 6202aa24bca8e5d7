import * as path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { defineErrors, errorMessage } from './errors'

const LOCK_FILE = '.lock'
const SQLITE_BUSY = 5

export const lockErrors = defineErrors({
  BASE_DIRECTORY_LOCKED: {
    retriable: false,
    says: 'directory {directory} is in use by another process',
    todo: 'stop the other process or choose another data directory',
  },
  BASE_DIRECTORY_UNWRITABLE: {
    retriable: false,
    says: 'cannot write in directory {directory}: {reason}',
    todo: 'create the directory and give this user the right to write in it',
  },
})

export interface DirectoryLock {
  readonly directory: string
  /** Gives the directory free; calling it twice does nothing. */
  release(): void
}

/**
 * Holds a directory for this process by an operating-system lock, which dies with its owner: a file with a process id
 * in it lies after `kill -9` and in containers. Node has no flock, but the exclusive lock of its SQLite is one.
 * @throws PlatformError BASE_DIRECTORY_LOCKED, BASE_DIRECTORY_UNWRITABLE
 */
export function lockDirectory(directory: string): DirectoryLock {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path.join(directory, LOCK_FILE))
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database?.close()
    if ((error as { errcode?: unknown }).errcode === SQLITE_BUSY) {
      throw lockErrors.create('BASE_DIRECTORY_LOCKED', { directory }, { cause: error })
    }
    const reason = errorMessage(error)
    throw lockErrors.create('BASE_DIRECTORY_UNWRITABLE', { directory, reason }, { cause: error })
  }
  const held = database
  return { directory, release: () => held.isOpen && held.close() }
}
