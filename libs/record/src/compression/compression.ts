import { recordErrors } from '../errors'
import { Codec, codecName } from './codec'

/** Unpacks the records of one codec into at most `maxBytes` bytes. */
interface Compression {
  compress(data: Buffer, level: number | undefined): Buffer
  decompress(data: Buffer, maxBytes: number): Buffer
}

const byCodec: Partial<Record<Codec, Compression>> = {
  [Codec.none]: { compress: (data) => data, decompress: (data) => data },
}

/**
 * Packs records as Kafka's clients expect them for the codec. Codec none gives `data` itself back. `level` is the codec's
 * own scale and is ignored by snappy and lz4.
 * @throws PlatformError RECORD_UNKNOWN_CODEC, RECORD_CODEC_UNAVAILABLE
 */
export function compress(codec: number, data: Buffer, level?: number): Buffer {
  return compressionOf(codec).compress(data, level)
}

/**
 * Unpacks the records of a batch into a fresh buffer (codec none: `data` itself).
 * @throws PlatformError RECORD_UNKNOWN_CODEC, RECORD_BAD_COMPRESSION, RECORD_TOO_LARGE if there are more than `maxBytes`
 */
export function decompress(codec: number, data: Buffer, maxBytes: number): Buffer {
  return compressionOf(codec).decompress(data, maxBytes)
}

function compressionOf(codec: number): Compression {
  const name = codecName(codec)
  const compression = byCodec[Codec[name]]
  if (compression === undefined) {
    throw recordErrors.create('RECORD_CODEC_UNAVAILABLE', { codec: name })
  }
  return compression
}
