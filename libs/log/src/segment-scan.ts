import { errorMessage, type DiskFile } from '@millrace/base'
import { batch, BATCH_HEADER_BYTES, nextBatchSize } from '@millrace/record'

/** How much of a segment is in memory at a time while it is scanned; a larger batch gets a buffer of its own. */
const SCAN_CHUNK_BYTES = 1 << 20

export interface ScanOptions {
  readonly fromPosition: number
  /** Bytes of the file that belong to the segment. */
  readonly sizeBytes: number
  /** Lower bound of the first batch: an offset that runs backwards ends the scan. */
  readonly minOffset: number
  /** Whether each batch's checksum is computed: only needed for bytes that may have been torn. */
  readonly verifyCrc: boolean
}

export interface ScanResult {
  /** Where the good batches stop: the size of the segment if nothing is wrong. */
  readonly validBytes: number
  /** One more than the last offset of the good batches; `minOffset` if there are none. */
  readonly nextOffset: number
  /** What stopped the scan, null if it reached the size or `onBatch` ended it. */
  readonly damage: string | null
}

/**
 * Walks the batches of a segment and stops at the first that is cut short or has a bad size, checksum or offset. `onBatch`
 * sees a batch only while it is called: the buffer is used again. It ends the scan, before this batch, by returning false.
 */
export function scanSegment(
  file: DiskFile,
  options: ScanOptions,
  onBatch: (buffer: Buffer, at: number, position: number) => boolean | void,
): ScanResult {
  const { sizeBytes, verifyCrc } = options
  let position = options.fromPosition
  let nextOffset = options.minOffset
  const stop = (damage: string | null) => ({ validBytes: position, nextOffset, damage })
  let chunk = Buffer.allocUnsafeSlow(Math.min(SCAN_CHUNK_BYTES, sizeBytes - position))
  while (position < sizeBytes) {
    const wanted = Math.min(chunk.length, sizeBytes - position)
    const filled = file.read(chunk, 0, wanted, position)
    if (filled < wanted) return stop('the file is shorter than it was')
    let at = 0
    while (at < filled) {
      const found = checkNext(chunk.subarray(0, filled), at, sizeBytes - position, nextOffset)
      if (typeof found === 'string') return stop(found)
      if (found > filled - at) {
        if (at === 0) chunk = Buffer.allocUnsafeSlow(found)
        break
      }
      if (verifyCrc && !batch.isCrcValid(chunk, at)) return stop('its checksum is wrong')
      if (onBatch(chunk, at, position) === false) return stop(null)
      nextOffset = batch.nextOffset(chunk, at)
      at += found
      position += found
    }
  }
  return stop(null)
}

/** How many bytes from `at` are needed to see the batch whole, or what is wrong with it. */
function checkNext(
  window: Buffer,
  at: number,
  remaining: number,
  minOffset: number,
): number | string {
  if (remaining < BATCH_HEADER_BYTES) return 'the file stops in the middle of it'
  if (window.length - at < BATCH_HEADER_BYTES) return BATCH_HEADER_BYTES
  try {
    const size =
      nextBatchSize(window, at) < 0 ? batch.sizeBytes(window, at) : nextBatchSize(window, at)
    if (size > remaining) return 'the file stops in the middle of it'
    if (batch.baseOffset(window, at) < minOffset) return 'its offset runs backwards'
    if (batch.lastOffsetDelta(window, at) < 0) return 'its last offset is before its first'
    return size
  } catch (error) {
    return errorMessage(error)
  }
}
