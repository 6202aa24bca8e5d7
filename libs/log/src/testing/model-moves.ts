import { errorCode } from '@millrace/base'
import type { Log } from '../log'
import type { Harness } from './log-fixture'

export const DIRECTORIES = ['/a', '/b'] as const
const TURNS_MAX = 2000

/** Moves of the log of a model from one directory to the other and back. */
export class ModelMoves {
  /** How often the log came to another directory. */
  count = 0
  /** A move was begun, by this run of the broker or the one before. */
  hasBegun = false
  #directory: string

  constructor({ log }: { log: Log }) {
    this.#directory = log.directory
  }

  /** Begins a move, or finds one under way. */
  async begin({ manager, log }: Harness & { log: Log }, isDiskFull: boolean): Promise<void> {
    const target = DIRECTORIES.find((directory) => !log.directory.startsWith(`${directory}/`))!
    this.hasBegun = true
    try {
      await manager.moveLog(log.topic, log.partition, target)
    } catch (error) {
      // Its directory cannot be made.
      if (!isDiskFull || errorCode(error) !== 'LOG_STORAGE_FAILED') throw error
    }
  }

  /** Gives up a move that is under way. */
  stay({ manager, log }: Harness & { log: Log }): Promise<void> {
    const here = DIRECTORIES.find((directory) => log.directory.startsWith(`${directory}/`))!
    return manager.moveLog(log.topic, log.partition, here)
  }

  /** Resolves when no log is moving any more. */
  async whenEnded({ manager }: Harness): Promise<void> {
    const isMoving = async () => {
      const directories = await manager.describeDirectories()
      return directories.some(({ logs }) => logs.some(({ isFuture }) => isFuture))
    }
    for (let turn = 0; turn < TURNS_MAX; turn++) if (!(await isMoving())) return
    throw new Error('the move does not end')
  }

  note({ directory }: Log): void {
    if (directory !== this.#directory) this.count++
    this.#directory = directory
  }
}
