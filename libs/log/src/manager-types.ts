import type { Clock, DirectoryLock, Disk, Random } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import type { LogConfig } from './config'
import type { LogSpec } from './log-directory'
import type { LogManagerConfig } from './manager-config'

export interface LogManagerDeps {
  readonly disk: Disk
  readonly clock: Clock
  readonly logger: Logger
  readonly random: Random
  /** Runs a round of the group commit soon; setImmediate if absent. */
  readonly schedule?: (run: () => void) => void
  /** Keeps other processes out of the directories: `lockDirectory`. Absent where the caller holds them already. */
  readonly lock?: (directory: string) => DirectoryLock
  /** The last log directory has failed: there is nothing left to serve. */
  readonly onAllFailed?: (cause: unknown) => void
}

export interface LogManagerOptions {
  /** `log.dirs`. */
  readonly directories: readonly string[]
  readonly nodeId: number
  readonly clusterId: string
  /** The configuration of a log that is found at the start: chores work on it before anybody else has looked. */
  readonly configOf: (topic: string) => LogConfig
  readonly config?: LogManagerConfig
  readonly tailCacheBytes?: number
}

export interface CreateLogSpec extends LogSpec {
  /**
   * The partition did not exist before. Unless that is said, no log is created while a directory is offline: it may be in there.
   */
  readonly isNew?: boolean
}
