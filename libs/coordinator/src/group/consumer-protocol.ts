/** What members of protocol type `consumer` send and get in a classic group. All other types are opaque to us. */
import {
  decodeVersioned,
  encodeVersioned,
  field,
  type Infer,
  isWireError,
  list,
  message,
} from '@millrace/wire'

const VERSION_MAX = 3

const Subscription = message(
  { name: 'ConsumerProtocolSubscription', key: -1, versions: '0-3', flexible: 'none' },
  {
    topics: list('0+', 'string'),
    userData: field('bytes?', '0+'),
    ownedPartitions: list('1+', {
      topic: field('string', '1+'),
      partitions: list('1+', 'int32'),
    }),
    generationId: field('int32', '2+', { default: -1 }),
    rackId: field('string?', '3+', { default: null }),
  },
)
export type Subscription = Infer<typeof Subscription>

const Assignment = message(
  { name: 'ConsumerProtocolAssignment', key: -1, versions: '0-3', flexible: 'none' },
  {
    assignedPartitions: list('0+', {
      topic: field('string', '0+'),
      partitions: list('0+', 'int32'),
    }),
    userData: field('bytes?', '0+'),
  },
)
export type Assignment = Infer<typeof Assignment>

/** Null if it is of a newer version, or of a client with a format of its own. */
export function decodeSubscription(
  metadata: Buffer,
): { version: number; subscription: Subscription } | null {
  const decoded = nullIfForeign(() => decodeVersioned(Subscription, metadata))
  return decoded && { version: decoded.version, subscription: decoded.value }
}

/** Null as for a subscription. */
export function decodeAssignment(assignment: Buffer): Assignment | null {
  return nullIfForeign(() => decodeVersioned(Assignment, assignment).value)
}

/** In the version of the member's subscription. */
export function encodeAssignment(
  assignedPartitions: Assignment['assignedPartitions'],
  version: number,
): Buffer {
  return encodeVersioned(Assignment, Math.min(version, VERSION_MAX), {
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
