import { logErrors } from './errors'
import type { LogParts } from './log-parts'
import type { LogHome } from './log-types'
import { LogWriter } from './log-writer'
import { recoverLog } from './recovery'
import type { SegmentList } from './segment-list'

/** See `Log.relocate`. Nothing is appended, and nothing else changes the segments meanwhile. */
export async function relocate(
  log: LogParts,
  home: LogHome,
  moveFiles: () => Promise<void>,
): Promise<void> {
  const { state, writer } = log
  try {
    await writer.quiesce()
    await writer.saveEnd()
    await moveFiles()
    const segments = await openMoved(log, home)
    for (const old of state.segments.all()) old.close()
    state.segments = segments
    writer.retire()
    log.deps = home.deps
    log.directory = home.directory
    log.writer = new LogWriter(log)
  } finally {
    // It was sealed to be copied.
    state.segments.active.unseal()
  }
}

/** The old files have lost their name: if the new ones cannot be opened, the log can only be found again by a restart. */
async function openMoved(log: LogParts, { deps, directory }: LogHome): Promise<SegmentList> {
  const { where, config, state, health } = log
  const recovered = await recoverLog(deps, {
    where,
    directory,
    indexIntervalBytes: config.indexIntervalBytes,
    producerExpirationMs: deps.shared.producerExpirationMs,
    isClean: true,
    recoveryPoint: state.logEndOffset,
    logStartOffset: state.logStartOffset,
    nowMs: deps.clock.now(),
  }).catch((cause: unknown) => {
    health.fail(cause)
    const params = { where, directory, reason: 'the copy cannot be opened' }
    throw logErrors.create('LOG_MOVE_FAILED', params, { cause })
  })
  if (recovered.damage !== null) health.fail(recovered.damage)
  return recovered.segments
}
