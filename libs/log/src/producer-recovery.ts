import * as path from 'node:path'
import { errorMessage, type Disk } from '@millrace/base'
import { batch } from '@millrace/record'
import type { Logger } from '@millrace/telemetry'
import { offsetFileName, offsetOfFileName, SNAPSHOT_SUFFIX } from './file-names'
import { decodeSnapshot, encodeSnapshot } from './producer-snapshot'
import { ProducerState, type ProducerEntry } from './producer-state'
import type { Segment } from './segment'
import type { SegmentList } from './segment-list'

export interface ProducerRecoveryOptions {
  readonly directory: string
  readonly producerExpirationMs: number
  readonly nowMs: number
}

/**
 * How far before a snapshot batches are read again. A snapshot has only the last batch of each producer, but a producer
 * whose replies were lost sends up to five again.
 */
const LOOK_BACK_BYTES = 1 << 20

/**
 * Rebuilds the producers of a log: the newest good snapshot that is not beyond its end, then the batches behind it. The
 * segments in `scanned` lost their indexes of aborted transactions with all others, so these are rebuilt on the way; and
 * those that do not grow any more are sealed.
 */
export async function recoverProducers(
  deps: { readonly disk: Disk; readonly logger: Logger },
  options: ProducerRecoveryOptions,
  { segments, scanned }: { segments: SegmentList; scanned: ReadonlySet<Segment> },
): Promise<ProducerState> {
  const producers = new ProducerState()
  const { nextOffset: logEndOffset } = segments.active
  const firstScanned = segments.all().find((segment) => scanned.has(segment))
  const usableOffset = firstScanned?.baseOffset ?? logEndOffset
  const baseOffsets = new Set(segments.all().map((segment) => segment.baseOffset))
  const limits = { logEndOffset, usableOffset, baseOffsets }
  const snapshot = await newestSnapshot(deps, options.directory, limits)
  const fromOffset = Math.max(snapshot?.offset ?? 0, segments.first.baseOffset)
  if (snapshot !== null && snapshot.entries.length > 0) loadSnapshot(producers, snapshot, segments)
  for (const segment of segments.all().slice(segments.indexOf(fromOffset))) {
    const { txnIndex } = segment
    const isScanned = scanned.has(segment)
    replaySegment(segment, { fromOffset, toOffset: logEndOffset }, (buffer, at) => {
      const aborted = producers.update(buffer, at)
      if (aborted !== null && isScanned) txnIndex.append(aborted)
    })
    if (!isScanned || segment === segments.active) continue
    await segment.seal()
    const { nextOffset: offset } = segment
    await saveSnapshot(deps.disk, options.directory, { offset, content: snapshotOf(producers) })
  }
  producers.expire(options.nowMs, options.producerExpirationMs)
  return producers
}

function loadSnapshot(
  producers: ProducerState,
  { offset, entries }: LoadedSnapshot,
  segments: SegmentList,
): void {
  const before = new ProducerState()
  const range = { fromOffset: lookBack(segments, offset), toOffset: offset }
  for (const segment of segments.all().slice(segments.indexOf(range.fromOffset))) {
    replaySegment(segment, range, (buffer, at) => void before.update(buffer, at))
  }
  producers.load(
    entries.map((entry) => {
      const seen = before.entry(entry.producerId)
      const isSame = seen?.epoch === entry.epoch && lastOffsetOf(seen) === lastOffsetOf(entry)
      return isSame ? { ...entry, batches: seen.batches } : entry
    }),
  )
}

function lastOffsetOf(entry: ProducerEntry): number {
  return entry.batches.at(-1)?.lastOffset ?? -1
}

function replaySegment(
  segment: Segment,
  range: { fromOffset: number; toOffset: number },
  onBatch: (buffer: Buffer, at: number) => void,
): void {
  if (segment.baseOffset >= range.toOffset) return
  segment.scanFrom(range.fromOffset, (buffer, at) => {
    if (batch.baseOffset(buffer, at) >= range.toOffset) return false
    onBatch(buffer, at)
    return true
  })
}

/** An offset about LOOK_BACK_BYTES of batches before `offset`. */
function lookBack(segments: SegmentList, offset: number): number {
  let room = LOOK_BACK_BYTES
  for (let index = segments.indexOf(offset - 1); ; index--) {
    const segment = segments.at(index)!
    const isWhole = offset >= segment.nextOffset
    const position = isWhole ? segment.writtenBytes : segment.offsetIndex.floorPosition(offset)
    if (position >= room || index === 0) {
      return segment.offsetIndex.floorOffset(Math.max(position - room, 0))
    }
    room -= position
  }
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

interface SnapshotLimits {
  /** Snapshots from beyond it describe batches that are gone. */
  readonly logEndOffset: number
  /** Not beyond this one, so that the batches behind the snapshot are all that must be seen again. */
  readonly usableOffset: number
  /** Where segments begin: a segment that is scanned some day needs the snapshot there. */
  readonly baseOffsets: ReadonlySet<number>
}

/** The newest one that can be used. Those that nobody will ever need are removed. */
async function newestSnapshot(
  { disk, logger }: { readonly disk: Disk; readonly logger: Logger },
  directory: string,
  { logEndOffset, usableOffset, baseOffsets }: SnapshotLimits,
): Promise<LoadedSnapshot | null> {
  let newest: LoadedSnapshot | null = null
  const useless: string[] = []
  for (const name of (await disk.list(directory)).reverse()) {
    const offset = offsetOfFileName(name, SNAPSHOT_SUFFIX)
    if (offset < 0) continue
    const file = path.join(directory, name)
    const isAtBase = baseOffsets.has(offset) && offset <= logEndOffset
    if (newest !== null || offset > usableOffset) {
      if (!isAtBase) useless.push(file)
      continue
    }
    try {
      const content = await disk.readFile(file)
      newest = content && { offset, entries: decodeSnapshot(file, content) }
    } catch (error) {
      logger.warn('a snapshot of producers is unusable', { file, reason: errorMessage(error) })
      useless.push(file)
    }
  }
  for (const file of useless) await disk.remove(file)
  // One that a power loss brings back would pass for the state of what is appended from now on.
  if (useless.length > 0) await disk.syncDirectory(directory)
  return newest
}
