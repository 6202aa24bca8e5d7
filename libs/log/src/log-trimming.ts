import { batch } from '@millrace/record'
import type { SwappedIn } from './compaction/swap'
import { isDiskFull } from './disk-room'
import { logErrors } from './errors'
import type { LogParts } from './log-parts'
import type { LogDeps } from './log-types'
import { recoverProducers } from './producer-recovery'
import { countDeletable } from './retention'
import type { Segment } from './segment'
import { disposeSegments, removeLater } from './segment-disposal'
import type { SegmentList } from './segment-list'

/**
 * Removes the batch that holds `offset` and all behind it, in memory and on disk. Everything is written and sealed
 * before, and nothing else changes the segments meanwhile.
 */
export async function truncate(log: LogParts, offset: number): Promise<void> {
  const { deps, state, writer } = log
  const { room } = log.health
  const { segments } = state
  const keptOffset = batchStart(segments, Math.max(offset, segments.first.baseOffset))
  // The checkpoint goes first: after a crash, recovery must not miss what was removed on purpose.
  writer.truncated(keptOffset)
  await room.retry(() => deps.hooks.saveRecoveryPoints())
  const removed = segments.all().slice(segments.indexOf(keptOffset) + 1)
  segments.remove(removed)
  await dispose(log, removed)
  await deps.disk.syncDirectory(log.directory)
  segments.active.unseal()
  await segments.active.truncate(keptOffset)
  await segments.active.file.sync()
  const { nextOffset } = segments.active
  state.truncated(nextOffset)
  writer.truncated(nextOffset)
  log.tail.clear()
  await room.retry(() => writer.saveEpochs())
  const { producerExpirationMs } = deps.shared
  const options = { directory: log.directory, producerExpirationMs, nowMs: deps.clock.now() }
  state.replaceProducers(
    await recoverProducers(deps, options, { segments, scanned: new Set<Segment>() }),
  )
}

/** Where the batch begins that holds `offset`: whole batches go, and the recovery point must not be beyond what is left. */
function batchStart(segments: SegmentList, offset: number): number {
  let start = offset
  segments.at(segments.indexOf(offset))!.scanFrom(offset, (buffer, at) => {
    start = Math.min(batch.baseOffset(buffer, at), offset)
    return false
  })
  return start
}

/** Moves the log start offset durably. See `Log.deleteRecordsBefore`. */
export async function moveStart(log: LogParts, offset: number): Promise<void> {
  const { deps, state, where } = log
  const { logStartOffset, highWatermark } = state
  if (offset > highWatermark || offset < 0) {
    const params = { offset, where, logStartOffset, logEndOffset: highWatermark }
    throw logErrors.create('LOG_OFFSET_OUT_OF_RANGE', params)
  }
  if (offset > logStartOffset) {
    state.moveStart(offset)
    // On a full disk this may be what makes room, so it is tried although the start cannot be saved then.
    await deleteOldSegments(log)
  }
  // Also if the start is there already: it may be that it could not be saved.
  await deps.hooks.saveStartOffsets()
}

/** Deletes the segments that retention by time, by size or the log start offset have passed; nothing else changes the segments. */
export async function deleteOldSegments(log: LogParts): Promise<void> {
  if (log.health.isClosed) return
  const { deps, state, writer } = log
  await writer.settle()
  if (log.health.isClosed) return
  const due = countDue(log)
  if (due === 0) return
  if (due === state.segments.all().length) {
    writer.roll(state.logEndOffset)
    await writer.settle()
    await deps.disk.syncDirectory(log.directory)
    if (log.health.isClosed) return
  }
  // Appends went on meanwhile, but what was old and below the high watermark still is. On a full disk some are not sealed.
  const sealed = state.segments.all().findIndex((segment) => writer.isSealing(segment))
  const count = sealed < 0 ? due : Math.min(due, sealed)
  if (count === 0) return
  const removed = state.segments.all().slice(0, count)
  state.moveStart(state.segments.all()[count].baseOffset)
  const isStartSaved = await saveStart(deps)
  if (log.health.isClosed) return
  state.segments.remove(removed)
  // LOG-7: a crash may bring back any of the files, unless the start that is saved says that they are gone.
  if (isStartSaved) await dispose(log, removed)
  else await disposeInOrder(log, removed)
  deps.logger.info('old segments were deleted', {
    log: log.where,
    segments: removed.length,
    logStartOffset: state.logStartOffset,
  })
}

/** See `Log.replaceSegments`. */
export async function replaceSegments(
  { deps, state, tail, writer, health, config, directory }: LogParts,
  replaced: readonly Segment[],
  swap: () => Promise<SwappedIn>,
): Promise<boolean> {
  if (!state.segments.hasInactive(replaced)) return false
  const { segment, oldFiles } = await swap()
  removeLater(deps, oldFiles, { directory, delayMs: config.fileDeleteDelayMs })
  if (health.isClosed) {
    segment.close()
    return false
  }
  state.segments.replace(replaced, segment)
  tail.dropBefore(segment.nextOffset)
  for (const old of replaced) {
    writer.forget(old)
    old.close()
  }
  return true
}

function countDue({ deps, state, config }: LogParts): number {
  return countDeletable({
    segments: state.segments.all(),
    config,
    logStartOffset: state.logStartOffset,
    highWatermark: state.highWatermark,
    nowMs: deps.clock.now(),
  })
}

/** False if the disk is full. Deleting is what makes room, so it must not need any. */
async function saveStart({ hooks }: LogDeps): Promise<boolean> {
  try {
    await hooks.saveStartOffsets()
    return true
  } catch (error) {
    if (isDiskFull(error)) return false
    throw error
  }
}

/** LOG-7 without a saved start: one by one from the oldest on, so that what a crash brings back has no hole. */
async function disposeInOrder(log: LogParts, segments: readonly Segment[]): Promise<void> {
  for (const segment of segments) {
    await dispose(log, [segment])
    await log.deps.disk.syncDirectory(log.directory)
  }
}

async function dispose(
  { deps, writer, directory, config }: LogParts,
  segments: readonly Segment[],
): Promise<void> {
  for (const segment of segments) writer.forget(segment)
  await disposeSegments(deps, segments, { directory, delayMs: config.fileDeleteDelayMs })
}
