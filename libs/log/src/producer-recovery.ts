import * as path from 'node:path'
import { errorMessage, type Disk } from '@millrace/base'
import type { Logger } from '@millrace/telemetry'
import { offsetFileName, offsetOfFileName, SNAPSHOT_SUFFIX } from './file-names'
import { decodeSnapshot, encodeSnapshot } from './producer-snapshot'
import { ProducerState, type ProducerEntry } from './producer-state'
import type { SegmentList } from './segment-list'

export interface ProducerRecoveryOptions {
  readonly directory: string
  readonly producerExpirationMs: number
  readonly nowMs: number
}

/** Rebuilds the producers of a log: the newest good snapshot that is not beyond its end, then the batches behind it. */
export async function recoverProducers(
  deps: { readonly disk: Disk; readonly logger: Logger },
  options: ProducerRecoveryOptions,
  segments: SegmentList,
): Promise<ProducerState> {
  const producers = new ProducerState()
  const logEndOffset = segments.active.nextOffset
  const snapshot = await newestSnapshot(deps, options.directory, logEndOffset)
  for (const entry of snapshot?.entries ?? []) producers.load(entry)
  const fromOffset = Math.max(snapshot?.offset ?? 0, segments.first.baseOffset)
  for (const segment of segments.all().slice(segments.indexOf(fromOffset))) {
    segment.scanFrom(fromOffset, (buffer, at) => producers.update(buffer, at))
  }
  producers.expire(options.nowMs, options.producerExpirationMs)
  return producers
}

/** Writes the state as of `offset`, whole or not at all. */
export function saveSnapshot(
  disk: Disk,
  directory: string,
  snapshot: { offset: number; content: Buffer },
): Promise<void> {
  const name = offsetFileName(snapshot.offset, SNAPSHOT_SUFFIX)
  return disk.replaceFile(path.join(directory, name), snapshot.content)
}

export function snapshotOf(producers: ProducerState): Buffer {
  return encodeSnapshot([...producers.entries()])
}

interface LoadedSnapshot {
  readonly offset: number
  readonly entries: readonly ProducerEntry[]
}

/** Removes snapshots from beyond the end: they describe batches that are gone. */
async function newestSnapshot(
  { disk, logger }: { readonly disk: Disk; readonly logger: Logger },
  directory: string,
  logEndOffset: number,
): Promise<LoadedSnapshot | null> {
  const names = (await disk.list(directory)).filter(
    (name) => offsetOfFileName(name, SNAPSHOT_SUFFIX) >= 0,
  )
  for (const name of names.reverse()) {
    const file = path.join(directory, name)
    const offset = offsetOfFileName(name, SNAPSHOT_SUFFIX)
    const content = offset <= logEndOffset ? await disk.readFile(file) : null
    try {
      if (content !== null) return { offset, entries: decodeSnapshot(file, content) }
    } catch (error) {
      logger.warn('a snapshot of producers is unusable', { file, reason: errorMessage(error) })
    }
    await disk.remove(file)
  }
  return null
}
