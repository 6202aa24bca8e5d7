/** What members of protocol type `consumer` send and get in a classic group. All other types are opaque to us. */
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
  decodePrefix,
  decodeVersioned,
  encodeVersioned,
  isWireError,
} from '@millrace/wire'

const VERSION_MAX = 3
const VERSION_BYTES = 2

export type Subscription = ConsumerProtocolSubscription
export type Assignment = ConsumerProtocolAssignment

/** Null if it is of a newer version, or of a client with a format of its own. */
export function decodeSubscription(
  metadata: Buffer,
): { version: number; subscription: Subscription } | null {
  const decoded = nullIfForeign(() => decodeVersioned(ConsumerProtocolSubscription, metadata))
  return decoded && { version: decoded.version, subscription: decoded.value }
}

/**
 * The topics of a subscription of any version: like Kafka we read the part that all versions begin with, for there are clients
 * that leave out what theirs has behind it. Null if there is no such part.
 */
export function decodeSubscribedTopics(metadata: Buffer): readonly string[] | null {
  return nullIfForeign(
    () => decodePrefix(ConsumerProtocolSubscription, 0, metadata, VERSION_BYTES).topics,
  )
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
