import { VarintReader, writeUnsignedVarint } from '@millrace/base'
import { copyLiteral, copyMatch } from './copy'

// A raw snappy block is the unpacked size as a varint and then elements. The low two bits of an
// element's tag: literal, or a copy of earlier output whose distance takes 11 bits, 16 bits or 32
// bits.
const LITERAL = 0
const COPY_11 = 1
const COPY_16 = 2

const MAX_SHORT_LITERAL_BYTES = 60
const MAX_COPY_BYTES = 64
const MAX_COPY_11_BYTES = 11
const MAX_COPY_11_DISTANCE = 2047

const MIN_MATCH_BYTES = 4
/**
 * Near the end of the input nothing is searched, so that four bytes can be read anywhere before.
 */
const MARGIN_BYTES = 15
/** Positions are 16 bit within a part, and so are the distances of its copies. */
const PART_BYTES = 64 * 1024
const MAX_HASH_BITS = 14
const HASH_MULTIPLIER = 0x1e35a7bd
/** After this many misses (as a power of two) the search begins to skip ahead. */
const SKIP_SHIFT = 5

/** Three bytes of a copy stand for at most 64: nothing valid grows more than this. */
const MAX_EXPANSION = 22

/** The block is not what the format allows. */
export const SNAPPY_MALFORMED = -1

const positions = new Uint16Array(1 << MAX_HASH_BITS)
const reader = new VarintReader()

/** The most bytes `encodeSnappyBlock` writes for an input of this size. */
export function maxSnappyBytes(inputBytes: number): number {
  return 32 + inputBytes + Math.ceil(inputBytes / 6)
}

/**
 * Packs `start` to before `end` of `input` into `output` at `outAt`; returns the position after it.
 */
export function encodeSnappyBlock(
  input: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  outAt: number,
): number {
  outAt = writeUnsignedVarint(output, outAt, end - start)
  for (let partStart = start; partStart < end; partStart += PART_BYTES) {
    outAt = encodePart(input, partStart, Math.min(partStart + PART_BYTES, end), output, outAt)
  }
  return outAt
}

/**
 * Unpacked size that the block announces, -1 if it announces none or one that so few bytes cannot
 * unpack to.
 */
export function snappyBlockSize(input: Uint8Array, start: number, end: number): number {
  reader.open(input, start, end)
  const sizeBytes = reader.unsignedVarint()
  return reader.isOverrun || sizeBytes > (end - start) * MAX_EXPANSION ? -1 : sizeBytes
}

/**
 * Unpacks the block at `start` to before `end` of `input` into `output` at `outAt`, where the size
 * it announces fits.
 * @returns the position after the last byte written, or SNAPPY_MALFORMED
 */
export function decodeSnappyBlock(
  input: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  outAt: number,
): number {
  const sizeBytes = snappyBlockSize(input, start, end)
  if (sizeBytes === -1) return SNAPPY_MALFORMED
  const outStart = outAt
  const outLimit = outAt + sizeBytes
  let at = reader.position // the size may be written longer than it need be
  while (at < end) {
    const tag = input[at++]
    let bytes = (tag >>> 2) + 1
    if ((tag & 3) === LITERAL) {
      if (bytes > MAX_SHORT_LITERAL_BYTES) {
        const lengthBytes = bytes - MAX_SHORT_LITERAL_BYTES
        if (lengthBytes > end - at) return SNAPPY_MALFORMED
        bytes = readUintLe(input, at, lengthBytes) + 1
        at += lengthBytes
      }
      if (bytes > end - at || bytes > outLimit - outAt) return SNAPPY_MALFORMED
      copyLiteral(input, at, output, outAt, bytes)
      at += bytes
    } else {
      const distanceBytes = (tag & 3) === COPY_11 ? 1 : (tag & 3) === COPY_16 ? 2 : 4
      if (distanceBytes > end - at) return SNAPPY_MALFORMED
      let distance = readUintLe(input, at, distanceBytes)
      at += distanceBytes
      if (distanceBytes === 1) {
        bytes = ((tag >>> 2) & 7) + MIN_MATCH_BYTES
        distance |= (tag >>> 5) << 8
      }
      if (distance === 0 || distance > outAt - outStart || bytes > outLimit - outAt)
        return SNAPPY_MALFORMED
      copyMatch(output, outAt, distance, bytes)
    }
    outAt += bytes
  }
  return outAt === outLimit ? outAt : SNAPPY_MALFORMED
}

function encodePart(
  input: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  outAt: number,
): number {
  let literalStart = start
  if (end - start > MARGIN_BYTES) {
    const hashShift = prepareTable(end - start)
    const searchLimit = end - MARGIN_BYTES
    let at = start + 1
    let misses = 1 << SKIP_SHIFT
    while (at < searchLimit) {
      const word = readInt32(input, at)
      const slot = Math.imul(word, HASH_MULTIPLIER) >>> hashShift
      const candidate = start + positions[slot]
      positions[slot] = at - start
      if (candidate >= at || readInt32(input, candidate) !== word) {
        at += misses++ >>> SKIP_SHIFT
        continue
      }
      misses = 1 << SKIP_SHIFT
      const matchStart = at
      at = matchLimit(input, candidate + MIN_MATCH_BYTES, at + MIN_MATCH_BYTES, end)
      outAt = writeLiteral(input, literalStart, matchStart, output, outAt)
      outAt = writeCopy(output, outAt, matchStart - candidate, at - matchStart)
      literalStart = at
    }
  }
  return writeLiteral(input, literalStart, end, output, outAt)
}

/**
 * A small input gets a small table, as clearing it would cost more than the search. Returns the
 * shift of the hash.
 */
function prepareTable(inputBytes: number): number {
  const bits = Math.min(Math.max(32 - Math.clz32(inputBytes - 1), 8), MAX_HASH_BITS)
  positions.fill(0, 0, 1 << bits)
  return 32 - bits
}

function matchLimit(input: Uint8Array, from: number, at: number, end: number): number {
  while (at < end && input[from] === input[at]) {
    from++
    at++
  }
  return at
}

function writeLiteral(
  input: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  outAt: number,
): number {
  const bytes = end - start
  if (bytes === 0) return outAt
  const last = bytes - 1
  if (bytes <= MAX_SHORT_LITERAL_BYTES) {
    output[outAt++] = last << 2
  } else if (last < 0x100) {
    output[outAt++] = MAX_SHORT_LITERAL_BYTES << 2
    output[outAt++] = last
  } else {
    output[outAt++] = (MAX_SHORT_LITERAL_BYTES + 1) << 2 // a part has at most 2^16 bytes
    output[outAt++] = last
    output[outAt++] = last >>> 8
  }
  copyLiteral(input, start, output, outAt, bytes)
  return outAt + bytes
}

function writeCopy(output: Uint8Array, outAt: number, distance: number, bytes: number): number {
  // What remains after the long copies must be at least a match's length, or the short form could
  // not say it.
  while (bytes >= MAX_COPY_BYTES + MIN_MATCH_BYTES) {
    outAt = writeCopy16(output, outAt, distance, MAX_COPY_BYTES)
    bytes -= MAX_COPY_BYTES
  }
  if (bytes > MAX_COPY_BYTES) {
    outAt = writeCopy16(output, outAt, distance, MAX_COPY_BYTES - MIN_MATCH_BYTES)
    bytes -= MAX_COPY_BYTES - MIN_MATCH_BYTES
  }
  if (bytes > MAX_COPY_11_BYTES || distance > MAX_COPY_11_DISTANCE) {
    return writeCopy16(output, outAt, distance, bytes)
  }
  output[outAt] = COPY_11 | ((bytes - MIN_MATCH_BYTES) << 2) | ((distance >>> 8) << 5)
  output[outAt + 1] = distance
  return outAt + 2
}

function writeCopy16(output: Uint8Array, outAt: number, distance: number, bytes: number): number {
  output[outAt] = COPY_16 | ((bytes - 1) << 2)
  output[outAt + 1] = distance
  output[outAt + 2] = distance >>> 8
  return outAt + 3
}

function readUintLe(input: Uint8Array, at: number, bytes: number): number {
  let value = 0
  for (let index = 0; index < bytes; index++) value |= input[at + index] << (8 * index)
  return value >>> 0
}

/** Little-endian. */
function readInt32(input: Uint8Array, at: number): number {
  return input[at] | (input[at + 1] << 8) | (input[at + 2] << 16) | (input[at + 3] << 24)
}
