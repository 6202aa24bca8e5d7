import * as path from 'node:path'
import type { Disk, PlatformError } from '@millrace/base'
import { errorMessage } from '@millrace/base'
import { batch } from '@millrace/record'
import type { Logger } from '@millrace/telemetry'
import { finishSwaps } from './compaction/swap'
import { logErrors } from './errors'
import {
  DELETED_SUFFIX,
  LOG_SUFFIX,
  offsetFileName,
  offsetOfFileName,
  SNAPSHOT_SUFFIX,
  TXN_INDEX_SUFFIX,
} from './file-names'
import { LEADER_EPOCH_FILE, LeaderEpochs } from './leader-epochs'
import { recoverProducers } from './producer-recovery'
import type { ProducerState } from './producer-state'
import { Segment, SEGMENT_SUFFIXES } from './segment'
import { SegmentList } from './segment-list'

const TEMPORARY_SUFFIX = '.tmp'

export interface RecoveryDeps {
  readonly disk: Disk
  readonly logger: Logger
}

export interface RecoveryOptions {
  /** `topic-partition`, for messages. */
  readonly where: string
  readonly directory: string
  readonly indexIntervalBytes: number
  readonly producerExpirationMs: number
  /** The directory was closed properly: ends and indexes are as the files say. */
  readonly isClean: boolean
  /** Everything below was synced. */
  readonly recoveryPoint: number
  /** From the checkpoint; the first segment may begin later. */
  readonly logStartOffset: number
  readonly nowMs: number
}

export interface RecoveredLog {
  readonly segments: SegmentList
  readonly producers: ProducerState
  readonly epochs: LeaderEpochs
  readonly logStartOffset: number
  /** Synced data is gone: the log serves what is good and takes nothing more. */
  readonly damage: PlatformError | null
}

/**
 * Opens the segments of a log directory. After a crash it scans those from the recovery point on, cuts a torn tail,
 * rebuilds indexes, leader epochs and producers, and syncs what it found, so that all of it may be served.
 */
export async function recoverLog(
  deps: RecoveryDeps,
  options: RecoveryOptions,
): Promise<RecoveredLog> {
  const { disk } = deps
  await finishSwaps({ disk, directory: options.directory })
  const names = await removeLeftovers(disk, options.directory)
  const baseOffsets = await dropDeleted(disk, options, names)
  const epochs = await readEpochs(deps, options.directory)
  const opened = await openSegments(deps, options, { baseOffsets, epochs, names: new Set(names) })
  const { damage, scanned } = opened
  let { segments } = opened
  const last = segments.at(-1)
  const isPassed = last !== undefined && last.nextOffset < options.logStartOffset
  if (isPassed && damage === null) {
    // The log start moved beyond what reached the disk (only when acks do not wait for it): all of this was deleted.
    for (const segment of segments) await removeSegment(disk, options.directory, segment)
    segments = []
  }
  if (segments.length === 0) segments = [await createFirst(disk, options)]
  const list = new SegmentList(segments)
  const logStartOffset = Math.max(options.logStartOffset, list.first.baseOffset)
  epochs.truncateEnd(list.active.nextOffset)
  epochs.truncateStart(logStartOffset)
  const producers = await recoverProducers(deps, options, { segments: list, scanned })
  return { segments: list, producers, epochs, logStartOffset, damage }
}

/** LOG-7: base offsets of the segments that hold anything at or above the log start; files of the others are removed. */
async function dropDeleted(
  disk: Disk,
  { directory, logStartOffset }: RecoveryOptions,
  names: readonly string[],
): Promise<number[]> {
  const all = names
    .map((name) => offsetOfFileName(name, LOG_SUFFIX))
    .filter((offset) => offset >= 0)
  const firstLive = Math.max(
    all.findLastIndex((offset) => offset <= logStartOffset),
    0,
  )
  for (const offset of all.slice(0, firstLive)) await removeFiles(disk, directory, offset)
  return all.slice(firstLive)
}

interface OpenedSegments {
  segments: Segment[]
  /** Those whose indexes were rebuilt, but for the one of aborted transactions. */
  scanned: Set<Segment>
  damage: PlatformError | null
}

async function openSegments(
  deps: RecoveryDeps,
  options: RecoveryOptions,
  found: { baseOffsets: readonly number[]; epochs: LeaderEpochs; names: ReadonlySet<string> },
): Promise<OpenedSegments> {
  const { baseOffsets, epochs, names } = found
  const opened: OpenedSegments = { segments: [], scanned: new Set(), damage: null }
  if (baseOffsets.length === 0 && options.recoveryPoint > options.logStartOffset) {
    opened.damage = lostSynced(options, 0)
  }
  for (const [index, baseOffset] of baseOffsets.entries()) {
    const nextBase = baseOffsets[index + 1]
    const { segment, hasIndexes } = Segment.openStored(deps.disk, {
      directory: options.directory,
      baseOffset,
      createdMs: options.nowMs,
      hasTxnIndex: names.has(offsetFileName(baseOffset, TXN_INDEX_SUFFIX)),
    })
    opened.segments.push(segment)
    // At its very end the recovery point may stand from before it was sealed: then its indexes may be missing or old.
    const isTrusted =
      options.isClean || (nextBase !== undefined && nextBase < options.recoveryPoint)
    const isTaken = isTrusted && hasIndexes && takeAsItIs(segment, nextBase)
    if (isTaken && (nextBase !== undefined || segment.nextOffset >= options.recoveryPoint)) continue
    opened.scanned.add(segment)
    const damage = scanAll(deps, options, segment, epochs) ?? findGap(options, segment, nextBase)
    const reached = segment.nextOffset
    const missing = nextBase === undefined && reached < options.recoveryPoint
    if ((damage !== null && reached < options.recoveryPoint) || missing) {
      // LOG-2: what is below the recovery point was synced and acknowledged; it is never cut silently.
      opened.damage = lostSynced(options, reached)
      return opened
    }
    if (damage !== null) {
      await cutTail(deps, options, { segment, laterBases: baseOffsets.slice(index + 1), damage })
    }
    // LOG-3: what a crash left in the page cache only becomes readable after it is synced.
    await segment.file.sync()
    await deps.disk.syncDirectory(options.directory)
    if (damage !== null) return opened
  }
  return opened
}

/**
 * A segment may stop cleanly and yet too early, if its last write was lost and the next segment's was not. Between synced
 * segments offsets may be missing for good reasons, and nothing is lost.
 */
function findGap(
  { recoveryPoint }: RecoveryOptions,
  segment: Segment,
  nextBase: number | undefined,
): string | null {
  if (nextBase === undefined || nextBase === segment.nextOffset) return null
  if (nextBase > recoveryPoint) return 'the next segment begins at a later offset'
  segment.nextOffset = nextBase
  return null
}

/** A sealed segment needs nothing read; the last one its end. */
function takeAsItIs(segment: Segment, nextBase: number | undefined): boolean {
  if (nextBase !== undefined) {
    segment.nextOffset = nextBase
    return true
  }
  segment.unseal()
  return segment.loadEnd()
}

function scanAll(
  { logger }: RecoveryDeps,
  { where, indexIntervalBytes }: RecoveryOptions,
  segment: Segment,
  epochs: LeaderEpochs,
): string | null {
  const sizeBytes = segment.writtenBytes
  const { damage, validBytes } = segment.rebuild(
    { indexIntervalBytes, verifyCrc: true },
    (buffer, at) => {
      const epoch = batch.leaderEpoch(buffer, at)
      if (epoch > epochs.latest()) epochs.assign(epoch, batch.baseOffset(buffer, at))
    },
  )
  if (damage === null && validBytes === sizeBytes) return null
  const reason = damage ?? 'its offset is too far from the first of the segment'
  const fields = {
    log: where,
    segment: segment.baseOffset,
    position: validBytes,
    sizeBytes,
    reason,
  }
  logger.warn('a segment is good only up to this position', fields)
  return reason
}

function lostSynced({ where, recoveryPoint }: RecoveryOptions, offset: number): PlatformError {
  return logErrors.create('LOG_TRUNCATED_BELOW_RECOVERY_POINT', { where, offset, recoveryPoint })
}

/** Nothing behind a torn batch was acknowledged: syncs cover a log from its start without a gap. */
async function cutTail(
  { disk, logger }: RecoveryDeps,
  { where, directory }: RecoveryOptions,
  cut: { segment: Segment; laterBases: readonly number[]; damage: string },
): Promise<void> {
  for (const baseOffset of cut.laterBases) await removeFiles(disk, directory, baseOffset)
  await cut.segment.cutToSize()
  logger.warn('the torn tail of a log was cut', {
    log: where,
    logEndOffset: cut.segment.nextOffset,
    removedSegments: cut.laterBases.length,
  })
}

async function createFirst(disk: Disk, options: RecoveryOptions): Promise<Segment> {
  const { directory, logStartOffset, nowMs } = options
  const segment = Segment.create(disk, { directory, baseOffset: logStartOffset, createdMs: nowMs })
  await disk.syncDirectory(directory)
  return segment
}

async function readEpochs(
  { disk, logger }: RecoveryDeps,
  directory: string,
): Promise<LeaderEpochs> {
  const file = path.join(directory, LEADER_EPOCH_FILE)
  const content = await disk.readFile(file)
  if (content === null) return new LeaderEpochs()
  try {
    return LeaderEpochs.parse(file, content.toString())
  } catch (error) {
    logger.warn('leader epochs are rebuilt from the log', { file, reason: errorMessage(error) })
    return new LeaderEpochs()
  }
}

/** Removes what a crash left half done; returns the other names. */
async function removeLeftovers(disk: Disk, directory: string): Promise<string[]> {
  const kept: string[] = []
  for (const name of await disk.list(directory)) {
    const isLeftover = name.endsWith(DELETED_SUFFIX) || name.endsWith(TEMPORARY_SUFFIX)
    if (isLeftover) await disk.remove(path.join(directory, name))
    else kept.push(name)
  }
  return kept
}

async function removeSegment(disk: Disk, directory: string, segment: Segment): Promise<void> {
  segment.close()
  await removeFiles(disk, directory, segment.baseOffset)
}

async function removeFiles(disk: Disk, directory: string, baseOffset: number): Promise<void> {
  for (const suffix of [...SEGMENT_SUFFIXES, SNAPSHOT_SUFFIX]) {
    await disk.remove(path.join(directory, offsetFileName(baseOffset, suffix)))
  }
}
