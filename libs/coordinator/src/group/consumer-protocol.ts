/** What members of protocol type `consumer` send and get in a classic group. All other types are opaque to us. */
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
  decodeVersioned,
  encodeVersioned,
  isWireError,
} from '@millrace/wire'

const VERSION_MAX = 3

export type Subscription = ConsumerProtocolSubscription
export type Assignment = ConsumerProtocolAssignment

/** Null if it is of a newer version, or of a client with a format of its own. */
export function decodeSubscription(
  metadata: Buffer,
): { version: number; subscription: Subscription } | null {
  const decoded = nullIfForeign(() => decodeVersioned(ConsumerProtocolSubscription, metadata))
  return decoded && { version: decoded.version, subscription: decoded.value }
}

/** Null as for a subscription. */
export function decodeAssignment(assignment: Buffer): Assignment | null {
  return nullIfForeign(() => decodeVersioned(ConsumerProtocolAssignment, assignment).value)
}

/** In the version of the member's subscription. */
export function encodeAssignment(
  assignedPartitions: Assignment['assignedPartitions'],
  version: number,
): Buffer {
  return encodeVersioned(ConsumerProtocolAssignment, Math.min(version, VERSION_MAX), {
    assignedPartitions,
    userData: null,
  })
}

function nullIfForeign<T>(decode: () => T): T | null {
  try {
    return decode()
  } catch (error) {
    if (isWireError(error)) return null
    throw error
  }
}
