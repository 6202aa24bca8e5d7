import * as path from 'node:path'
import type { Disk } from '@millrace/base'
import {
  OFFSET_INDEX_SUFFIX,
  offsetFileName,
  TIME_INDEX_SUFFIX,
  TXN_INDEX_SUFFIX,
} from './file-names'
import { IndexEntries } from './index-entries'
import { OFFSET_ENTRY_BYTES, OffsetIndex } from './offset-index'
import { TIME_ENTRY_BYTES, TimeIndex } from './time-index'
import { TxnIndex } from './txn-index'

/** The indexes of one segment. */
export interface SegmentIndexes {
  readonly offsets: OffsetIndex
  readonly times: TimeIndex
  readonly txns: TxnIndex
}

interface IndexPlace {
  readonly directory: string
  readonly baseOffset: number
  /** Behind the names of the files while they are not part of the log. */
  readonly suffix?: string
}

/** For a new segment, or one that is scanned. Nothing is written until they are sealed. */
export function emptyIndexes(disk: Disk, place: IndexPlace): SegmentIndexes {
  const { directory, baseOffset, suffix: behind = '' } = place
  const at = (suffix: string) => path.join(directory, offsetFileName(baseOffset, suffix + behind))
  const offsets = IndexEntries.createEmpty(disk, at(OFFSET_INDEX_SUFFIX), OFFSET_ENTRY_BYTES)
  const times = IndexEntries.createEmpty(disk, at(TIME_INDEX_SUFFIX), TIME_ENTRY_BYTES)
  return {
    offsets: new OffsetIndex(offsets, baseOffset),
    times: new TimeIndex(times, baseOffset),
    txns: TxnIndex.createEmpty(disk, at(TXN_INDEX_SUFFIX)),
  }
}

/** As they are in their files; if one is not whole, those of offsets and times are empty and the segment must be scanned. */
export function storedIndexes(
  disk: Disk,
  { directory, baseOffset, hasTxnIndex }: IndexPlace & { hasTxnIndex: boolean },
): { indexes: SegmentIndexes; areWhole: boolean } {
  const at = (suffix: string) => path.join(directory, offsetFileName(baseOffset, suffix))
  const offsets = IndexEntries.openSealed(disk, at(OFFSET_INDEX_SUFFIX), OFFSET_ENTRY_BYTES)
  const times = IndexEntries.openSealed(disk, at(TIME_INDEX_SUFFIX), TIME_ENTRY_BYTES)
  const empty = emptyIndexes(disk, { directory, baseOffset })
  const txns = hasTxnIndex
    ? TxnIndex.openStored(disk, at(TXN_INDEX_SUFFIX))
    : { index: empty.txns, isWhole: true }
  const areWhole = offsets !== null && times !== null && txns.isWhole
  if (areWhole) {
    const indexes = {
      offsets: new OffsetIndex(offsets, baseOffset),
      times: new TimeIndex(times, baseOffset),
      txns: txns.index,
    }
    return { indexes, areWhole }
  }
  offsets?.close()
  times?.close()
  return { indexes: { ...empty, txns: txns.index }, areWhole }
}
