import { recordErrors } from '../errors'
import type { CodecName } from './codec'

export function badCompression(
  codec: CodecName,
  data: Buffer,
  reason: string,
  cause?: unknown,
): Error {
  return recordErrors.create(
    'RECORD_BAD_COMPRESSION',
    { codec, sizeBytes: data.length, reason },
    { cause },
  )
}

export function tooLarge(maxBytes: number): Error {
  return recordErrors.create('RECORD_TOO_LARGE', { maxBytes })
}
