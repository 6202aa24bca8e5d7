import * as path from 'node:path'
import { errorMessage, type Disk } from '@millrace/base'
import { batch } from '@millrace/record'
import {
  CLEANED_SUFFIX,
  DELETED_SUFFIX,
  LOG_SUFFIX,
  offsetFileName,
  offsetOfFileName,
  SNAPSHOT_SUFFIX,
  SWAP_SUFFIX,
} from '../file-names'
import { SEGMENT_SUFFIXES, type Segment } from '../segment'
import { scanSegment } from '../segment-scan'

/** A segment that took the place of others, and the names that their files have now. */
export interface SwappedIn {
  readonly segment: Segment
  readonly oldFiles: readonly string[]
}

export interface SwapPlace {
  readonly disk: Disk
  readonly directory: string
}

/**
 * COMPACT-2: puts the `.cleaned` files of a segment, which are synced, in the place of those of `replaced`. The name
 * `<base>.log.swap` decides: once it is durable the swap happens, here or at the next start. Each step is synced before the
 * next one, because a crash may keep any of the renames in between and lose the others.
 *
 * `replaced` can be read all the time through files that are open; returns their new names, for the removal later.
 */
export async function swapFiles(
  { disk, directory }: SwapPlace,
  replaced: readonly Segment[],
): Promise<string[]> {
  const [{ baseOffset }] = replaced
  const names = new Set(await disk.list(directory))
  const place = { disk, directory }
  const suffixes = SEGMENT_SUFFIXES.filter((suffix) =>
    names.has(offsetFileName(baseOffset, suffix + CLEANED_SUFFIX)),
  )
  await moveIndexes(place, { baseOffset, suffixes }, CLEANED_SUFFIX, SWAP_SUFFIX)
  try {
    return await commitSwap(place, replaced, { baseOffset, suffixes, names })
  } catch (cause) {
    // Also for want of room: only the next start can bring it to its end.
    const message = `a swap of segments stopped half-way: ${errorMessage(cause)}`
    throw Object.assign(new Error(message, { cause }), { code: 'EIO' })
  }
}

interface NewSegment {
  readonly baseOffset: number
  /** Of the files that it has. */
  readonly suffixes: readonly string[]
}

async function commitSwap(
  place: SwapPlace,
  replaced: readonly Segment[],
  { baseOffset, suffixes, names }: NewSegment & { readonly names: ReadonlySet<string> },
): Promise<string[]> {
  const { disk, directory } = place
  await moveLog(place, baseOffset, CLEANED_SUFFIX, SWAP_SUFFIX)

  const old = replaced.flatMap((segment) =>
    SEGMENT_SUFFIXES.map((suffix) => offsetFileName(segment.baseOffset, suffix)),
  )
  const present = old.filter((name) => names.has(name))
  for (const segment of replaced) segment.openIndexes()
  for (const name of present) {
    await disk.rename(path.join(directory, name), path.join(directory, name + DELETED_SUFFIX))
  }
  await removeSnapshots(place, replaced.slice(1))
  await disk.syncDirectory(directory)

  await moveIndexes(place, { baseOffset, suffixes }, SWAP_SUFFIX, '')
  await moveLog(place, baseOffset, SWAP_SUFFIX, '')
  return present.map((name) => path.join(directory, name + DELETED_SUFFIX))
}

/** Before the log: once that has its new name, the indexes that belong to it have theirs. */
async function moveIndexes(
  { disk, directory }: SwapPlace,
  { baseOffset, suffixes }: NewSegment,
  from: string,
  to: string,
): Promise<void> {
  const at = (suffix: string) => path.join(directory, offsetFileName(baseOffset, suffix))
  for (const suffix of suffixes) {
    if (suffix !== LOG_SUFFIX) await disk.rename(at(suffix + from), at(suffix + to))
  }
  await disk.syncDirectory(directory)
}

async function moveLog(
  { disk, directory }: SwapPlace,
  baseOffset: number,
  from: string,
  to: string,
): Promise<void> {
  const at = (suffix: string) => path.join(directory, offsetFileName(baseOffset, suffix))
  await disk.rename(at(LOG_SUFFIX + from), at(LOG_SUFFIX + to))
  await disk.syncDirectory(directory)
}

/** Removes what was written of a segment that was not swapped in. */
export async function removeCleaned(
  { disk, directory }: SwapPlace,
  baseOffset: number,
): Promise<void> {
  for (const suffix of SEGMENT_SUFFIXES) {
    const at = (behind: string) => path.join(directory, offsetFileName(baseOffset, suffix + behind))
    await disk.remove(at(CLEANED_SUFFIX))
    // A log of this name is a swap that a start must bring to its end.
    if (suffix !== LOG_SUFFIX) await disk.remove(at(SWAP_SUFFIX))
  }
}

/** Where no segment begins any more no snapshot of producers is needed. */
async function removeSnapshots(
  { disk, directory }: SwapPlace,
  segments: readonly Segment[],
): Promise<void> {
  for (const { baseOffset } of segments) {
    await disk.remove(path.join(directory, offsetFileName(baseOffset, SNAPSHOT_SUFFIX)))
  }
}

/**
 * COMPACT-2: brings swaps to their end that a crash interrupted, and removes what never became one. To be called before
 * anything in the directory is opened; it may itself be interrupted anywhere.
 */
export async function finishSwaps(place: SwapPlace): Promise<void> {
  const { disk, directory } = place
  const names = await disk.list(directory)
  const isOf = (suffix: string) => (name: string) => name.endsWith(suffix)
  for (const name of names.filter(isOf(CLEANED_SUFFIX))) {
    await disk.remove(path.join(directory, name))
  }
  const swaps = names
    .map((name) => offsetOfFileName(name, LOG_SUFFIX + SWAP_SUFFIX))
    .filter((offset) => offset >= 0)
  for (const baseOffset of swaps) await finishSwap(place, names, baseOffset)
  for (const name of names.filter(isOf(SWAP_SUFFIX))) {
    // Indexes without their log are of a swap that had not begun.
    if (!swaps.includes(swapBase(name))) await disk.remove(path.join(directory, name))
  }
}

async function finishSwap(
  place: SwapPlace,
  names: readonly string[],
  baseOffset: number,
): Promise<void> {
  const { disk, directory } = place
  const endOffset = findEnd(place, baseOffset)
  for (const name of names) {
    const offset = segmentOffset(name)
    // COMPACT-4: the new segment ends where the last of the old ones did, so these are all of them and no other.
    const isReplaced = offset > baseOffset && offset < endOffset
    if (isReplaced) await disk.remove(path.join(directory, name))
  }
  await disk.syncDirectory(directory)
  const suffixes = SEGMENT_SUFFIXES.filter((suffix) =>
    names.includes(offsetFileName(baseOffset, suffix + SWAP_SUFFIX)),
  )
  await moveIndexes(place, { baseOffset, suffixes }, SWAP_SUFFIX, '')
  await moveLog(place, baseOffset, SWAP_SUFFIX, '')
}

/** One more than the last offset in a segment that waits for its swap. */
function findEnd({ disk, directory }: SwapPlace, baseOffset: number): number {
  const name = offsetFileName(baseOffset, LOG_SUFFIX + SWAP_SUFFIX)
  const file = disk.open(path.join(directory, name), 'read')
  try {
    let endOffset = baseOffset
    const scan = { fromPosition: 0, sizeBytes: file.size(), minOffset: baseOffset }
    scanSegment(file, { ...scan, verifyCrc: false }, (buffer, at) => {
      endOffset = batch.nextOffset(buffer, at)
    })
    return endOffset
  } finally {
    file.close()
  }
}

/** The offset that a file of a segment in the log is named after, -1 for any other file. */
function segmentOffset(name: string): number {
  return Math.max(...SEGMENT_SUFFIXES.map((suffix) => offsetOfFileName(name, suffix)))
}

function swapBase(name: string): number {
  const bases = SEGMENT_SUFFIXES.map((suffix) => offsetOfFileName(name, suffix + SWAP_SUFFIX))
  return Math.max(...bases)
}
