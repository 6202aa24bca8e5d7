import type { LogConfig } from './config'
import type { LogHealth } from './log-health'
import type { LogState } from './log-state'
import type { LogDeps } from './log-types'
import type { LogWriter } from './log-writer'
import type { LogTail } from './tail-cache'
import type { Verifications } from './verifications'

/** What a log is made of: appends, truncations and moves each need most of it. */
export interface LogParts {
  /** Replaced, as directory and writer are, when the log moves to another log directory. */
  deps: LogDeps
  /** `topic-partition`, for messages. */
  readonly where: string
  directory: string
  /** Replaced by `Log.updateConfig`. */
  config: LogConfig
  readonly producerExpirationMs: number
  readonly state: LogState
  readonly tail: LogTail
  readonly verifications: Verifications
  readonly health: LogHealth
  writer: LogWriter
  /** `flushedOffset` grew, or the disk is full or has room again. */
  readonly onAdvance: () => void
}
