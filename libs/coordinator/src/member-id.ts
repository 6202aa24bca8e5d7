import type { Random } from '@millrace/base'

/** `name-` and a version-4 uuid in its long form, as Kafka makes them: tools show the client in front. */
export function newMemberId(name: string, random: Random): string {
  const hex = uuidBytes(random).toString('hex')
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)]
  return `${name}-${parts.join('-')}-${hex.slice(20)}`
}

/** A version-4 uuid in its short form, for a member of the consumer protocol that brings no id. */
export function newUuid(random: Random): string {
  return uuidBytes(random).toString('base64url')
}

function uuidBytes(random: Random): Buffer {
  const bytes = Buffer.from(random.bytes(16))
  bytes[6] = (bytes[6] & 0x0f) | 0x40
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  return bytes
}
