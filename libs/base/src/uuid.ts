import type { Random } from './random'

/** "No uuid" on the wire: sixteen zero bytes. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'
const RESERVED_PREFIX = '-' // Kafka's tools take a leading dash for an option, so its ids never have one

/** A version-4 uuid in Kafka's text form: 22 characters of unpadded base64url. */
export function newUuid(random: Random): string {
  for (;;) {
    const bytes = random.bytes(16)
    bytes[6] = (bytes[6] & 0x0f) | 0x40
    bytes[8] = (bytes[8] & 0x3f) | 0x80
    const text = bytes.toString('base64url')
    if (!text.startsWith(RESERVED_PREFIX)) return text
  }
}
