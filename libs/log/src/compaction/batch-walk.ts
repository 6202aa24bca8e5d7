import type { DiskFile } from '@millrace/base'
import { batch, BATCH_HEADER_BYTES, checkStoredBatch } from '@millrace/record'
import { logErrors } from '../errors'
import type { Pacer } from './pacer'
import type { Throttle } from './throttle'

/** What a long piece of work needs to be a good neighbour. */
export interface CleaningControl {
  readonly pacer: Pacer
  readonly throttle: Throttle
  readonly signal: AbortSignal
  /** @throws PlatformError LOG_CLEANING_ABORTED if the log is not what it was, or nobody wants its cleaning any more. */
  check(): void
}

export interface WalkOptions {
  readonly file: DiskFile
  /** Bytes of the file that belong to the segment. */
  readonly sizeBytes: number
  readonly fromPosition: number
  /** How much is in memory at a time; a larger batch gets a buffer of its own. */
  readonly chunkBytes: number
}

export interface BatchVisitor {
  /** `buffer` is used again after the chunk. Ends the walk by returning false. */
  onBatch(buffer: Buffer, at: number, position: number): Promise<boolean | void>
  /** All batches of the chunk were seen: nothing of it may be needed after this. */
  onChunkEnd?(): Promise<void>
}

/**
 * Walks the batches of a segment that does not change, in slices and with asynchronous reads. COMPACT-5: a batch is checked
 * before it is visited, so that damage is never copied under a new checksum.
 * @throws PlatformError LOG_CORRUPT_BATCH, LOG_CLEANING_ABORTED
 */
export async function walkBatches(
  options: WalkOptions,
  control: CleaningControl,
  visitor: BatchVisitor,
): Promise<void> {
  const { file, sizeBytes, chunkBytes } = options
  let position = options.fromPosition
  let chunk: Buffer = Buffer.allocUnsafeSlow(Math.min(chunkBytes, sizeBytes - position))
  while (position < sizeBytes) {
    control.check()
    const wanted = Math.min(chunk.length, sizeBytes - position)
    await control.throttle.take(wanted, control.signal)
    const filled = await file.readLater(chunk, 0, wanted, position)
    control.check()
    const walked = await walkChunk(chunk.subarray(0, filled), position, control, visitor)
    await visitor.onChunkEnd?.()
    if (walked < 0) return
    if (walked > 0) position += walked
    else chunk = largerChunk(chunk.subarray(0, filled), file, position, sizeBytes)
  }
}

/** Returns how many bytes of whole batches there were, -1 if the visitor wants no more. */
async function walkChunk(
  chunk: Buffer,
  position: number,
  { pacer }: CleaningControl,
  visitor: BatchVisitor,
): Promise<number> {
  let at = 0
  while (chunk.length - at >= BATCH_HEADER_BYTES) {
    const sizeBytes = batch.sizeBytes(chunk, at)
    if (sizeBytes >= BATCH_HEADER_BYTES && sizeBytes > chunk.length - at) break
    if (pacer.isOver) await pacer.nextSlice()
    checkStoredBatch(chunk, at)
    if ((await visitor.onBatch(chunk, at, position + at)) === false) return -1
    at += sizeBytes
  }
  return at
}

/** A buffer that the first batch fits in, which the whole of `chunk` was too small for. */
function largerChunk(chunk: Buffer, file: DiskFile, position: number, sizeBytes: number): Buffer {
  const isHeaderThere = chunk.length >= BATCH_HEADER_BYTES
  const needed = isHeaderThere ? batch.sizeBytes(chunk, 0) : BATCH_HEADER_BYTES
  if (needed > chunk.length && needed <= sizeBytes - position) return Buffer.allocUnsafeSlow(needed)
  const reason = 'the file stops in the middle of it'
  throw logErrors.create('LOG_CORRUPT_BATCH', { position, where: file.path, reason })
}
