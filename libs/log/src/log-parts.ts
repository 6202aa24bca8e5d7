import type { LogConfig } from './config'
import { LogHealth } from './log-health'
import { LogState } from './log-state'
import type { LogDeps, LogOptions } from './log-types'
import { LogWriter } from './log-writer'
import type { RecoveredLog } from './recovery'
import { LogTail } from './tail-cache'
import { Verifications } from './verifications'

/** What a log is made of: appends, truncations and moves each need most of it. */
export interface LogParts {
  /** Replaced, as directory and writer are, when the log moves to another log directory. */
  deps: LogDeps
  /** `topic-partition`, for messages. */
  readonly where: string
  directory: string
  /** Replaced by `Log.updateConfig`. */
  config: LogConfig
  readonly state: LogState
  readonly tail: LogTail
  readonly verifications: Verifications
  readonly health: LogHealth
  writer: LogWriter
  /** `flushedOffset` grew, or the disk is full or has room again. */
  readonly onAdvance: () => void
}

/** `onAdvance` is called, too, when the log fails. */
export function createParts(
  { deps, options, recovered }: { deps: LogDeps; options: LogOptions; recovered: RecoveredLog },
  onAdvance: () => void,
): LogParts {
  const { topic, partition, directory, config } = options
  const where = `${topic}-${partition}`
  const health: LogHealth = new LogHealth(
    {
      ...deps,
      onFailed(failure) {
        parts.writer.stop(failure)
        onAdvance()
      },
      onRoomChange: onAdvance,
      onStorageFailure: (cause) => parts.deps.hooks.onStorageFailure(cause),
    },
    where,
    recovered.damage,
  )
  const withoutWriter = {
    deps,
    where,
    directory,
    config,
    state: new LogState(recovered, options.highWatermark),
    tail: new LogTail(deps.shared.tailCache),
    verifications: new Verifications(deps.clock),
    health,
    onAdvance,
  }
  const parts: LogParts = Object.assign(withoutWriter, { writer: new LogWriter(withoutWriter) })
  return parts
}
