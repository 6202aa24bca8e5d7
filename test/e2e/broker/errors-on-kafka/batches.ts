import { crc32 } from 'node:zlib'
import { batch, BatchBuilder, BATCH_HEADER_BYTES, Codec, compress } from '@millrace/record'

/** Every record has it, so that both servers answer with the same times. */
export const TIME_MS = 1_700_000_000_000

export interface Producer {
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
}

export interface BatchOf {
  readonly values?: readonly string[]
  readonly key?: string | null
  readonly timestamps?: readonly number[]
  readonly codec?: Codec
  readonly producer?: Producer
  readonly isTransactional?: boolean
  readonly isControl?: boolean
}

export function plainBatch(options: BatchOf = {}): Buffer {
  const { values = ['a', 'b'], key = null, timestamps = [TIME_MS] } = options
  const builder = new BatchBuilder({ codec: options.codec })
  const keyBytes = key === null ? null : Buffer.from(key)
  for (const [index, value] of values.entries())
    builder.append(timestamps[index] ?? timestamps[0], keyBytes, Buffer.from(value))
  const { producer, isTransactional, isControl } = options
  return builder.build({ ...producer, isTransactional, isControl })
}

/** A batch with other bytes under a checksum that holds. */
export function changed(bytes: Buffer, change: (bytes: Buffer) => void): Buffer {
  change(bytes)
  batch.seal(bytes, 0)
  return bytes
}

/** A batch whose records are these bytes, whatever they mean. */
export function withRecords(records: Buffer, codec: Codec = Codec.none): Buffer {
  const header = plainBatch({ codec }).subarray(0, BATCH_HEADER_BYTES)
  const body = codec === Codec.none ? records : compress(codec, records)
  const bytes = Buffer.concat([header, body])
  bytes.writeInt32BE(bytes.length - 12, 8)
  return changed(bytes, () => undefined)
}

/** The bytes of the records of a plain batch. */
export function recordsOf(options: BatchOf = {}): Buffer {
  return Buffer.from(plainBatch(options).subarray(BATCH_HEADER_BYTES))
}

/** A message of the formats before batches. */
export function oldMessage(magic: 0 | 1, attributes = 0): Buffer {
  const time = Buffer.alloc(magic === 1 ? 8 : 0)
  if (magic === 1) time.writeBigInt64BE(BigInt(TIME_MS))
  const value = Buffer.from('old')
  const size = Buffer.alloc(4)
  size.writeInt32BE(value.length)
  const noKey = Buffer.from('ffffffff', 'hex')
  const body = Buffer.concat([Buffer.from([magic, attributes]), time, noKey, size, value])
  const head = Buffer.alloc(16)
  head.writeInt32BE(body.length + 4, 8)
  head.writeUInt32BE(crc32(body), 12)
  return Buffer.concat([head, body])
}
