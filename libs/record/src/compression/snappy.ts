import { badCompression, tooLarge } from './failure'
import {
  decodeSnappyBlock,
  encodeSnappyBlock,
  maxSnappyBytes,
  SNAPPY_MALFORMED,
  snappyBlockSize,
} from './snappy-block'
import { Scratch } from './scratch'

// Java clients frame snappy in their own way: a header, then blocks with their packed size (int32)
// before them. librdkafka and others write one bare block, which can never begin like the header:
// read as a block, it copies from before its start.
const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const VERSION = 1
const LOWEST_COMPATIBLE_VERSION = 1
const HEADER_BYTES = MAGIC.length + 8
const SIZE_BYTES = 4
const BLOCK_BYTES = 32 * 1024

/** Framed as Java does it, in blocks of 32 KiB. */
export function compressSnappy(data: Buffer): Buffer {
  const blockCount = Math.ceil(data.length / BLOCK_BYTES)
  const mostBytes = HEADER_BYTES + blockCount * (SIZE_BYTES + maxSnappyBytes(BLOCK_BYTES))
  const scratch = Scratch.take()
  try {
    scratch.reserve(mostBytes, 0)
    const output = scratch.buffer
    MAGIC.copy(output)
    output.writeInt32BE(VERSION, MAGIC.length)
    output.writeInt32BE(LOWEST_COMPATIBLE_VERSION, MAGIC.length + 4)
    let outAt = HEADER_BYTES
    for (let at = 0; at < data.length; at += BLOCK_BYTES) {
      const blockAt = outAt + SIZE_BYTES
      const limit = Math.min(at + BLOCK_BYTES, data.length)
      const next = encodeSnappyBlock(data, at, limit, output, blockAt)
      output.writeInt32BE(next - blockAt, outAt)
      outAt = next
    }
    return scratch.copyOut(outAt)
  } finally {
    scratch.release()
  }
}

/** Reads framed data and a bare block. */
export function decompressSnappy(data: Buffer, maxBytes: number): Buffer {
  const isFramed =
    data.length >= MAGIC.length && data.compare(MAGIC, 0, MAGIC.length, 0, MAGIC.length) === 0
  const totalBytes = isFramed ? sizeOfFrames(data, maxBytes) : sizeOfBlock(data, 0, data.length)
  if (totalBytes > maxBytes) throw tooLarge(maxBytes)
  const output = Buffer.allocUnsafe(totalBytes)
  if (isFramed) decodeFrames(data, output)
  else decodeBlock(data, 0, data.length, output, 0)
  return output
}

/**
 * Adds up what the blocks announce, so that the output is allocated once; every frame is in bounds
 * afterwards.
 */
function sizeOfFrames(data: Buffer, maxBytes: number): number {
  if (data.length < HEADER_BYTES) throw bad(data, 'it is cut short')
  if (data.readInt32BE(MAGIC.length + 4) > VERSION) throw bad(data, 'its framing is too new')
  let totalBytes = 0
  for (let at = HEADER_BYTES; at < data.length && totalBytes <= maxBytes; ) {
    const blockAt = at + SIZE_BYTES
    if (blockAt > data.length) throw bad(data, 'it is cut short')
    const blockBytes = data.readInt32BE(at)
    if (blockBytes < 1 || blockBytes > data.length - blockAt) throw bad(data, 'it is cut short')
    at = blockAt + blockBytes
    totalBytes += sizeOfBlock(data, blockAt, at)
  }
  return totalBytes
}

function sizeOfBlock(data: Buffer, start: number, end: number): number {
  const sizeBytes = snappyBlockSize(data, start, end)
  if (sizeBytes === -1) throw bad(data, 'a block announces no possible size')
  return sizeBytes
}

function decodeFrames(data: Buffer, output: Buffer): void {
  let outAt = 0
  for (let at = HEADER_BYTES; at < data.length; ) {
    const blockAt = at + SIZE_BYTES
    at = blockAt + data.readInt32BE(at)
    outAt = decodeBlock(data, blockAt, at, output, outAt)
  }
}

/** Returns the position after the last byte written. */
function decodeBlock(
  data: Buffer,
  start: number,
  end: number,
  output: Buffer,
  outAt: number,
): number {
  const next = decodeSnappyBlock(data, start, end, output, outAt)
  if (next === SNAPPY_MALFORMED) throw bad(data, 'a block is malformed')
  return next
}

function bad(data: Buffer, reason: string): Error {
  return badCompression('snappy', data, reason)
}
