import { varintBytes, varlongBytes, writeVarint, writeVarlong } from '@millrace/base'
import { batch, BATCH_HEADER_BYTES } from './batch'
import { Codec } from './compression/codec'
import { compress } from './compression/compression'
import type { RecordCursor } from './record-cursor'

const INITIAL_BYTES = 16 * 1024
const MAX_KEPT_BYTES = 4 * 1024 * 1024
const MAX_LENGTH_BYTES = 5
const NO_TIMESTAMP = -1

/**
 * Makes the batch that is left when compaction has taken records out of one: offsets, producer, sequences, codec and
 * leader epoch are those of the original. Reusable: `start` begins the next one.
 *
 *     rewriter.start(); for (cursor.open(original, at); cursor.next(); ) if (isKept()) rewriter.keep(cursor)
 */
export class BatchRewriter {
  /** The header's bytes stay free at the front. */
  #buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES)
  #position = BATCH_HEADER_BYTES
  #recordCount = 0
  #baseTimestamp = NO_TIMESTAMP
  #maxTimestamp = NO_TIMESTAMP
  #deleteHorizonMs = NO_TIMESTAMP

  get recordCount(): number {
    return this.#recordCount
  }

  /** `deleteHorizonMs`: when tombstones and markers in the batch may go; -1 if there are none. */
  start(deleteHorizonMs = NO_TIMESTAMP): void {
    if (this.#buffer.length > MAX_KEPT_BYTES) this.#buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES)
    this.#position = BATCH_HEADER_BYTES
    this.#recordCount = 0
    this.#deleteHorizonMs = this.#baseTimestamp = deleteHorizonMs
    this.#maxTimestamp = NO_TIMESTAMP
  }

  /** Copies the cursor's record in, with the offset and the time that it has. */
  keep(cursor: RecordCursor): void {
    const { timestamp, offsetDelta } = cursor
    if (this.#recordCount === 0 && this.#deleteHorizonMs < 0) this.#baseTimestamp = timestamp
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    const content = cursor.content()
    const timestampDelta = timestamp - this.#baseTimestamp
    const bodyBytes = 1 + varlongBytes(timestampDelta) + varintBytes(offsetDelta) + content.length
    this.#makeRoom(MAX_LENGTH_BYTES + bodyBytes)
    let at = writeVarint(this.#buffer, this.#position, bodyBytes)
    this.#buffer[at++] = 0
    at = writeVarlong(this.#buffer, at, timestampDelta)
    at = writeVarint(this.#buffer, at, offsetDelta)
    content.copy(this.#buffer, at)
    this.#position = at + content.length
    this.#recordCount++
  }

  /** What was kept of the batch at `at`, as a fresh buffer that the caller owns; without records if nothing was. */
  build(original: Buffer, at: number): Buffer {
    if (this.#recordCount === 0) return buildRewritten(original, at, EMPTY_BATCH)
    const plain = this.#buffer.subarray(BATCH_HEADER_BYTES, this.#position)
    const isStamped = batch.timestampType(original, at) === 'LogAppendTime'
    return buildRewritten(original, at, {
      records: compress(batch.codec(original, at), plain),
      codec: batch.codec(original, at) as Codec,
      recordCount: this.#recordCount,
      hasDeleteHorizon: this.#deleteHorizonMs >= 0,
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: isStamped ? batch.maxTimestamp(original, at) : this.#maxTimestamp,
    })
  }

  #makeRoom(bytes: number): void {
    const needed = this.#position + bytes
    if (needed <= this.#buffer.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(grown, 0, 0, this.#position)
    this.#buffer = grown
  }
}

interface RewrittenContent {
  readonly records: Buffer
  readonly codec: Codec
  readonly recordCount: number
  readonly hasDeleteHorizon: boolean
  readonly baseTimestamp: number
  /** Absent: that of the original. */
  readonly maxTimestamp?: number
}

/** A header that stands for records which are gone: it still tells how far a producer's sequences reached. */
const EMPTY_BATCH: RewrittenContent = {
  records: Buffer.alloc(0),
  codec: Codec.none,
  recordCount: 0,
  hasDeleteHorizon: false,
  baseTimestamp: NO_TIMESTAMP,
}

function buildRewritten(original: Buffer, at: number, content: RewrittenContent): Buffer {
  const sizeBytes = BATCH_HEADER_BYTES + content.records.length
  const built = Buffer.allocUnsafe(sizeBytes)
  content.records.copy(built, BATCH_HEADER_BYTES)
  batch.writeHeader(built, 0, {
    baseOffset: batch.baseOffset(original, at),
    sizeBytes,
    leaderEpoch: batch.leaderEpoch(original, at),
    codec: content.codec,
    timestampType: batch.timestampType(original, at),
    isTransactional: batch.isTransactional(original, at),
    isControl: batch.isControl(original, at),
    hasDeleteHorizon: content.hasDeleteHorizon,
    lastOffsetDelta: batch.lastOffsetDelta(original, at),
    baseTimestamp: content.baseTimestamp,
    maxTimestamp: content.maxTimestamp ?? batch.maxTimestamp(original, at),
    producerId: batch.producerId(original, at),
    producerEpoch: batch.producerEpoch(original, at),
    baseSequence: batch.baseSequence(original, at),
    recordCount: content.recordCount,
  })
  batch.seal(built, 0)
  return built
}
