/**
 * Up to here a loop is faster than a call into native code; measured on runs as lz4 and snappy have
 * them.
 */
const MAX_LOOPED_BYTES = 32

/** Copies between buffers. Both ranges must lie inside their buffers. */
export function copyLiteral(
  from: Uint8Array,
  fromAt: number,
  to: Uint8Array,
  toAt: number,
  bytes: number,
): void {
  if (bytes > MAX_LOOPED_BYTES) {
    to.set(from.subarray(fromAt, fromAt + bytes), toAt)
    return
  }
  for (let index = 0; index < bytes; index++) to[toAt + index] = from[fromAt + index]
}

/**
 * Repeats what lies `distance` bytes before `at`; where the ranges overlap, the pattern goes on.
 */
export function copyMatch(buffer: Uint8Array, at: number, distance: number, bytes: number): void {
  if (bytes > MAX_LOOPED_BYTES && distance >= bytes) {
    buffer.copyWithin(at, at - distance, at - distance + bytes)
    return
  }
  if (bytes > MAX_LOOPED_BYTES && distance === 1) {
    buffer.fill(buffer[at - 1], at, at + bytes)
    return
  }
  const limit = at + bytes
  for (let from = at - distance; at < limit; at++, from++) buffer[at] = buffer[from]
}
