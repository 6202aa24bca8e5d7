import { recordErrors } from '../errors'
import { badCompression, tooLarge } from './failure'
import { decodeLz4Block, LZ4_MALFORMED, LZ4_NO_ROOM } from './lz4-block'
import { Scratch } from './scratch'
import { xxhash32 } from './xxhash32'

// Frame: magic, descriptor (FLG, BD, optional content size, one byte of its checksum), blocks, end
// mark, optional checksum of the content. All numbers are little-endian.
const MAGIC = 0x184d2204
const DESCRIPTOR_AT = 4
const MIN_DESCRIPTOR_BYTES = 2
const CONTENT_SIZE_BYTES = 8
const CHECKSUM_BYTES = 4
const SIZE_BYTES = 4

const VERSION_MASK = 0xc0
const VERSION_1 = 0x40
const INDEPENDENT_BIT = 0x20
const BLOCK_CHECKSUM_BIT = 0x10
const CONTENT_SIZE_BIT = 0x08
const CONTENT_CHECKSUM_BIT = 0x04
const RESERVED_BIT = 0x02
const DICTIONARY_BIT = 0x01
const STORED_BIT = 0x80000000

/** By the size class in BD, 4 to 7. */
const MAX_BLOCK_BYTES: Readonly<Record<number, number>> = {
  4: 64 * 1024,
  5: 256 * 1024,
  6: 1024 * 1024,
  7: 4 * 1024 * 1024,
}
/**
 * A byte of a block stands for at most 255 bytes of a match; the rest is for the sequence around
 * it.
 */
const MAX_EXPANSION = 255
const MAX_EXPANSION_SLACK_BYTES = 64

interface FrameHeader {
  readonly blocksAt: number
  readonly maxBlockBytes: number
  readonly areBlocksIndependent: boolean
  readonly hasBlockChecksums: boolean
  readonly hasContentChecksum: boolean
}

type Lz4Module = { compressFrameSync(data: Buffer): Buffer }
let lz4Module: Lz4Module | undefined

/**
 * One frame with independent blocks and a descriptor checksum, as Kafka's clients require.
 * @throws PlatformError RECORD_CODEC_UNAVAILABLE if there is no native module for the platform
 */
export function compressLz4(data: Buffer): Buffer {
  lz4Module ??= loadModule()
  return lz4Module.compressFrameSync(data)
}

/** Reads one frame; the content size some encoders announce is not relied on. */
export function decompressLz4(data: Buffer, maxBytes: number): Buffer {
  const header = readHeader(data)
  const scratch = Scratch.take()
  try {
    const usedBytes = readBlocks(data, header, scratch, maxBytes)
    return scratch.copyOut(usedBytes)
  } finally {
    scratch.release()
  }
}

function loadModule(): Lz4Module {
  try {
    return require('lz4-napi') as Lz4Module
  } catch (cause) {
    throw recordErrors.create('RECORD_CODEC_UNAVAILABLE', { codec: 'lz4' }, { cause })
  }
}

function readHeader(data: Buffer): FrameHeader {
  if (data.length < DESCRIPTOR_AT + MIN_DESCRIPTOR_BYTES + 1) throw bad(data, 'it is cut short')
  if (data.readUInt32LE(0) !== MAGIC) throw bad(data, 'it does not begin with the lz4 frame magic')
  const flags = data[DESCRIPTOR_AT]
  const sizeClass = data[DESCRIPTOR_AT + 1] >>> 4
  if ((flags & VERSION_MASK) !== VERSION_1 || flags & RESERVED_BIT) {
    throw bad(data, 'its frame version is not known')
  }
  if (flags & DICTIONARY_BIT) throw bad(data, 'it needs a dictionary')
  if (!(sizeClass in MAX_BLOCK_BYTES)) throw bad(data, 'its block size is not known')
  const checksumAt =
    DESCRIPTOR_AT + MIN_DESCRIPTOR_BYTES + (flags & CONTENT_SIZE_BIT ? CONTENT_SIZE_BYTES : 0)
  if (checksumAt >= data.length) throw bad(data, 'it is cut short')
  if (data[checksumAt] !== ((xxhash32(data, DESCRIPTOR_AT, checksumAt) >>> 8) & 0xff)) {
    throw bad(data, 'the checksum of its descriptor is wrong')
  }
  return {
    blocksAt: checksumAt + 1,
    maxBlockBytes: MAX_BLOCK_BYTES[sizeClass],
    areBlocksIndependent: (flags & INDEPENDENT_BIT) !== 0,
    hasBlockChecksums: (flags & BLOCK_CHECKSUM_BIT) !== 0,
    hasContentChecksum: (flags & CONTENT_CHECKSUM_BIT) !== 0,
  }
}

/** Returns how many bytes of the scratch are filled. */
function readBlocks(data: Buffer, header: FrameHeader, scratch: Scratch, maxBytes: number): number {
  const trailerBytes = header.hasBlockChecksums ? CHECKSUM_BYTES : 0
  let at = header.blocksAt
  let usedBytes = 0
  for (;;) {
    if (data.length - at < SIZE_BYTES) throw bad(data, 'it is cut short')
    const sizeField = data.readUInt32LE(at)
    at += SIZE_BYTES
    if (sizeField === 0) break
    const blockBytes = sizeField & ~STORED_BIT
    if (blockBytes > header.maxBlockBytes) throw bad(data, 'a block is larger than it may be')
    if (data.length - at < blockBytes + trailerBytes) throw bad(data, 'it is cut short')
    const blockLimit = at + blockBytes
    if (
      header.hasBlockChecksums &&
      data.readUInt32LE(blockLimit) !== xxhash32(data, at, blockLimit)
    ) {
      throw bad(data, 'the checksum of a block is wrong')
    }
    usedBytes =
      sizeField >= STORED_BIT
        ? copyStored(data, at, blockBytes, scratch, usedBytes, maxBytes)
        : decodeBlock(data, at, blockBytes, scratch, usedBytes, maxBytes, header)
    at = blockLimit + trailerBytes
  }
  checkContent(data, at, header, scratch.buffer, usedBytes)
  return usedBytes
}

function copyStored(
  data: Buffer,
  at: number,
  blockBytes: number,
  scratch: Scratch,
  usedBytes: number,
  maxBytes: number,
): number {
  if (usedBytes + blockBytes > maxBytes) throw tooLarge(maxBytes)
  scratch.reserve(usedBytes + blockBytes, usedBytes)
  data.copy(scratch.buffer, usedBytes, at, at + blockBytes)
  return usedBytes + blockBytes
}

function decodeBlock(
  data: Buffer,
  at: number,
  blockBytes: number,
  scratch: Scratch,
  usedBytes: number,
  maxBytes: number,
  header: FrameHeader,
): number {
  const mostBytes = Math.min(
    header.maxBlockBytes,
    blockBytes * MAX_EXPANSION + MAX_EXPANSION_SLACK_BYTES,
  )
  const limit = Math.min(usedBytes + mostBytes, maxBytes)
  scratch.reserve(limit, usedBytes)
  const windowStart = header.areBlocksIndependent ? usedBytes : 0
  const next = decodeLz4Block(
    data,
    at,
    at + blockBytes,
    scratch.buffer,
    usedBytes,
    limit,
    windowStart,
  )
  if (next === LZ4_MALFORMED) throw bad(data, 'a block is malformed')
  if (next !== LZ4_NO_ROOM) return next
  if (usedBytes + mostBytes > maxBytes) throw tooLarge(maxBytes)
  throw bad(data, 'a block unpacks to more than it may')
}

function checkContent(
  data: Buffer,
  at: number,
  header: FrameHeader,
  content: Buffer,
  usedBytes: number,
): void {
  const trailerBytes = header.hasContentChecksum ? CHECKSUM_BYTES : 0
  if (data.length - at < trailerBytes) throw bad(data, 'it is cut short')
  if (data.length - at > trailerBytes) throw bad(data, 'bytes follow its end')
  if (header.hasContentChecksum && data.readUInt32LE(at) !== xxhash32(content, 0, usedBytes)) {
    throw bad(data, 'the checksum of its content is wrong')
  }
}

function bad(data: Buffer, reason: string): Error {
  return badCompression('lz4', data, reason)
}
