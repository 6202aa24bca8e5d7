import { errorCode, errorMessage } from '@millrace/base'
import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { CodecName } from './codec'
import { badCompression, tooLarge } from './failure'

/**
 * Each further chunk of output is a call and a copy, so a chunk is sized for data that shrank to a
 * quarter.
 */
const EXPECTED_EXPANSION = 4
const MIN_CHUNK_BYTES = 4 * 1024
const MAX_CHUNK_BYTES = 1024 * 1024

type Unpack = (data: Buffer, options: { maxOutputLength: number; chunkSize: number }) => Buffer

export function compressGzip(data: Buffer, level?: number): Buffer {
  return gzipSync(data, { level, chunkSize: chunkBytes(data.length) })
}

export function decompressGzip(data: Buffer, maxBytes: number): Buffer {
  return unpack('gzip', gunzipSync, data, maxBytes)
}

export function compressZstd(data: Buffer, level?: number): Buffer {
  const params = level === undefined ? undefined : { [constants.ZSTD_c_compressionLevel]: level }
  return zstdCompressSync(data, { params, chunkSize: chunkBytes(data.length) })
}

export function decompressZstd(data: Buffer, maxBytes: number): Buffer {
  return unpack('zstd', zstdDecompressSync, data, maxBytes)
}

function unpack(codec: CodecName, run: Unpack, data: Buffer, maxBytes: number): Buffer {
  try {
    return run(data, {
      maxOutputLength: Math.max(maxBytes, 1), // zlib takes no 0
      chunkSize: chunkBytes(data.length * EXPECTED_EXPANSION),
    })
  } catch (cause) {
    if (errorCode(cause) === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes)
    throw badCompression(codec, data, errorMessage(cause), cause)
  }
}

function chunkBytes(expectedBytes: number): number {
  return Math.min(Math.max(expectedBytes, MIN_CHUNK_BYTES), MAX_CHUNK_BYTES)
}
