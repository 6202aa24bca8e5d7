/** CRC-32C (Castagnoli), the checksum of record batches, as an unsigned 32-bit number. */

const REVERSED_POLYNOMIAL = 0x82f63b78
const SLICE_COUNT = 8
/** Below this size the call into native code costs more than the sum itself. */
const NATIVE_MIN_BYTES = 150

type NativeCrc32c = (input: Uint8Array, initial?: number) => number

const table = buildTable()
const native = loadNative()

/**
 * The CRC-32C of `buffer` from `start` to before `end`, unsigned. Uses the processor's instruction
 * where the native module can be loaded, and our own tables for small inputs and everywhere else.
 */
export function crc32c(buffer: Uint8Array, start = 0, end = buffer.length): number {
  if (native === undefined || end - start < NATIVE_MIN_BYTES) {
    return crc32cByTable(buffer, start, end)
  }
  return native(buffer.subarray(start, end))
}

/** The same sum in plain JavaScript, eight bytes a step (slicing-by-8). */
export function crc32cByTable(buffer: Uint8Array, start = 0, end = buffer.length): number {
  const t = table
  const lastWhole = end - SLICE_COUNT
  let crc = -1
  let at = start
  for (; at <= lastWhole; at += SLICE_COUNT) {
    crc ^= buffer[at] | (buffer[at + 1] << 8) | (buffer[at + 2] << 16) | (buffer[at + 3] << 24)
    crc =
      t[0x700 + (crc & 0xff)] ^
      t[0x600 + ((crc >>> 8) & 0xff)] ^
      t[0x500 + ((crc >>> 16) & 0xff)] ^
      t[0x400 + (crc >>> 24)] ^
      t[0x300 + buffer[at + 4]] ^
      t[0x200 + buffer[at + 5]] ^
      t[0x100 + buffer[at + 6]] ^
      t[buffer[at + 7]]
  }
  for (; at < end; at++) crc = t[(crc ^ buffer[at]) & 0xff] ^ (crc >>> 8)
  return ~crc >>> 0
}

/** Row `s` of the table advances a byte's share of the sum by `s` further zero bytes. */
function buildTable(): Int32Array {
  const rows = new Int32Array(256 * SLICE_COUNT)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ REVERSED_POLYNOMIAL : crc >>> 1
    rows[byte] = crc
  }
  for (let index = 256; index < rows.length; index++) {
    const previous = rows[index - 256]
    rows[index] = rows[previous & 0xff] ^ (previous >>> 8)
  }
  return rows
}

/**
 * A platform without a prebuilt binary must still run, only slower, so a failed load is not an
 * error.
 */
function loadNative(): NativeCrc32c | undefined {
  try {
    return (require('@node-rs/crc32') as { crc32c: NativeCrc32c }).crc32c
  } catch {
    return undefined
  }
}
