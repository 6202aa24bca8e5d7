import { recordErrors } from '../errors'
import { Codec, isKnownCodec } from './codec'
import { compressLz4, decompressLz4 } from './lz4'
import { compressSnappy, decompressSnappy } from './snappy'
import { compressGzip, compressZstd, decompressGzip, decompressZstd } from './zlib'

interface Compression {
  compress(data: Buffer, level: number | undefined): Buffer
  decompress(data: Buffer, maxBytes: number): Buffer
}

const byCodec: Readonly<Record<Codec, Compression>> = {
  [Codec.none]: { compress: (data) => data, decompress: (data) => data },
  [Codec.gzip]: { compress: compressGzip, decompress: decompressGzip },
  [Codec.snappy]: { compress: compressSnappy, decompress: decompressSnappy },
  [Codec.lz4]: { compress: compressLz4, decompress: decompressLz4 },
  [Codec.zstd]: { compress: compressZstd, decompress: decompressZstd },
}

/**
 * Packs records as Kafka's clients expect them for the codec. Codec none gives `data` itself back.
 * `level` is the codec's own scale and is ignored by snappy and lz4.
 * @throws PlatformError RECORD_UNKNOWN_CODEC, RECORD_CODEC_UNAVAILABLE
 */
export function compress(codec: number, data: Buffer, level?: number): Buffer {
  return compressionOf(codec).compress(data, level)
}

/**
 * Unpacks the records of a batch into a fresh buffer (codec none: `data` itself).
 * @throws PlatformError RECORD_UNKNOWN_CODEC, RECORD_BAD_COMPRESSION, RECORD_TOO_LARGE if there are
 * more than `maxBytes`
 */
export function decompress(codec: number, data: Buffer, maxBytes: number): Buffer {
  return compressionOf(codec).decompress(data, maxBytes)
}

function compressionOf(codec: number): Compression {
  if (!isKnownCodec(codec)) throw recordErrors.create('RECORD_UNKNOWN_CODEC', { codec })
  return byCodec[codec]
}
