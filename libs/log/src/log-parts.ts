import type { LogConfig } from './config'
import type { LogHealth } from './log-health'
import type { LogState } from './log-state'
import type { LogWriter } from './log-writer'
import type { LogTail } from './tail-cache'
import type { Verifications } from './verifications'

/** What a log is made of: the steps of an append or a truncation each need some of it. */
export interface LogParts {
  /** `topic-partition`, for messages. */
  readonly where: string
  readonly directory: string
  /** Replaced by `Log.updateConfig`. */
  config: LogConfig
  readonly producerExpirationMs: number
  readonly state: LogState
  readonly tail: LogTail
  readonly verifications: Verifications
  readonly health: LogHealth
  readonly writer: LogWriter
}
