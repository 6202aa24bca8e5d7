import { crc32c } from '@millrace/base'

/** Bytes before the payload: 4 magic, 4 CRC-32C of all that follows, 4 payload length. */
export const FRAME_HEADER_BYTES = 12
const CRC_AT = 4
const LENGTH_AT = 8

/** Four ASCII letters that begin a frame and name its kind and format. */
export type Magic = 'MRJ1' | 'MRS1'

export function encodeFrame(magic: Magic, payload: string): Buffer {
  const payloadBytes = Buffer.byteLength(payload)
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payloadBytes)
  frame.write(magic, 0, 'latin1')
  frame.writeUInt32BE(payloadBytes, LENGTH_AT)
  frame.write(payload, FRAME_HEADER_BYTES)
  frame.writeUInt32BE(crc32c(frame, LENGTH_AT), CRC_AT)
  return frame
}

/** The payload of the whole, undamaged frame at `position`, or null. */
export function decodeFrame(magic: Magic, buffer: Buffer, position: number): Buffer | null {
  const payloadStart = position + FRAME_HEADER_BYTES
  if (payloadStart > buffer.length) return null
  if (buffer.toString('latin1', position, position + CRC_AT) !== magic) return null
  const payloadBytes = buffer.readUInt32BE(position + LENGTH_AT)
  if (payloadBytes > buffer.length - payloadStart) return null
  const expected = buffer.readUInt32BE(position + CRC_AT)
  const next = payloadStart + payloadBytes
  if (crc32c(buffer, position + LENGTH_AT, next) !== expected) return null
  return buffer.subarray(payloadStart, next)
}

/** Position of the first undamaged frame at or after `position`, or -1. */
export function findFrame(magic: Magic, buffer: Buffer, position: number): number {
  for (
    let at = buffer.indexOf(magic, position, 'latin1');
    at !== -1;
    at = buffer.indexOf(magic, at + 1, 'latin1')
  ) {
    if (decodeFrame(magic, buffer, at) !== null) return at
  }
  return -1
}
