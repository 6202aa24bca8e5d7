import { copyLiteral, copyMatch } from './copy'

const MIN_MATCH_BYTES = 4
const LENGTH_CONTINUES = 15

/** The block is not what the format allows. */
export const LZ4_MALFORMED = -1
/** The block holds more than fits below `outLimit`. */
export const LZ4_NO_ROOM = -2

/**
 * Unpacks the lz4 block at `start` to before `end` of `input` into `output` at `outAt`. Matches may
 * reach back to `windowStart` in `output` but not before it.
 * @returns the position after the last byte written, or LZ4_MALFORMED, or LZ4_NO_ROOM
 */
export function decodeLz4Block(
  input: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  outAt: number,
  outLimit: number,
  windowStart: number,
): number {
  let at = start
  while (at < end) {
    const token = input[at++]

    let literalBytes = token >>> 4
    if (literalBytes === LENGTH_CONTINUES) {
      let more = 255
      while (more === 255) {
        if (at >= end) return LZ4_MALFORMED
        more = input[at++]
        literalBytes += more
      }
    }
    if (literalBytes > end - at) return LZ4_MALFORMED
    if (literalBytes > outLimit - outAt) return LZ4_NO_ROOM
    copyLiteral(input, at, output, outAt, literalBytes)
    at += literalBytes
    outAt += literalBytes
    if (at === end) return outAt // the last sequence of a block has literals only

    if (end - at < 2) return LZ4_MALFORMED
    const distance = input[at] | (input[at + 1] << 8)
    at += 2
    if (distance === 0 || distance > outAt - windowStart) return LZ4_MALFORMED
    let matchBytes = token & LENGTH_CONTINUES
    if (matchBytes === LENGTH_CONTINUES) {
      let more = 255
      while (more === 255) {
        if (at >= end) return LZ4_MALFORMED
        more = input[at++]
        matchBytes += more
      }
    }
    matchBytes += MIN_MATCH_BYTES
    if (matchBytes > outLimit - outAt) return LZ4_NO_ROOM
    copyMatch(output, outAt, distance, matchBytes)
    outAt += matchBytes
  }
  return LZ4_MALFORMED
}
