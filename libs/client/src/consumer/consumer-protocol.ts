/**
 * What members of a consumer group tell each other inside JoinGroup and SyncGroup; brokers only pass it on. The bytes
 * are those of Java's ConsumerProtocol, so that our consumers and others can share a group.
 */
import { decode, encodeVersioned, field, list, message, type Infer } from '@millrace/wire'

export const CONSUMER_PROTOCOL_TYPE = 'consumer'
const NEWEST_VERSION = 3
const VERSION_BYTES = 2

/** Versions: 1 partitions owned so far; 2 generation they were owned in; 3 rack. */
const Subscription = message(
  { name: 'ConsumerProtocolSubscription', key: -1, versions: '0-3', flexible: 'none' },
  {
    topics: list('0+', 'string'),
    userData: field('bytes?', '0+', { default: null }),
    ownedPartitions: list('1+', { topic: field('string', '1+'), partitions: list('1+', 'int32') }),
    generationId: field('int32', '2+', { default: -1 }),
    rackId: field('string?', '3+', { default: null }),
  },
)
/** The layout is the same in all versions. */
const Assignment = message(
  { name: 'ConsumerProtocolAssignment', key: -1, versions: '0-3', flexible: 'none' },
  {
    assignedPartitions: list('0+', {
      topic: field('string', '0+'),
      partitions: list('0+', 'int32'),
    }),
    userData: field('bytes?', '0+', { default: null }),
  },
)
export type Subscription = Infer<typeof Subscription>

/** Partitions by topic. */
export type PartitionsByTopic = ReadonlyMap<string, readonly number[]>

export function encodeSubscription(topics: readonly string[]): Buffer {
  return encodeVersioned(Subscription, NEWEST_VERSION, { topics: [...topics].sort() })
}

/** @throws WireError if a member sent something else */
export function decodeSubscription(bytes: Buffer): Subscription {
  return decode(Subscription, versionOf(bytes), bytes, VERSION_BYTES)
}

export function encodeAssignment(partitions: PartitionsByTopic): Buffer {
  return encodeVersioned(Assignment, NEWEST_VERSION, {
    assignedPartitions: [...partitions].map(([topic, indexes]) => ({ topic, partitions: indexes })),
  })
}

/** No bytes at all mean no partitions: that is what a leader gives to a member that it does not know. */
export function decodeAssignment(bytes: Buffer): PartitionsByTopic {
  if (bytes.length === 0) return new Map()
  const { assignedPartitions } = decode(Assignment, versionOf(bytes), bytes, VERSION_BYTES)
  return new Map(assignedPartitions.map(({ topic, partitions }) => [topic, partitions]))
}

/** A later version is read as the newest we know, as Java does. */
function versionOf(bytes: Buffer): number {
  if (bytes.length < VERSION_BYTES) return 0
  return Math.min(Math.max(bytes.readInt16BE(0), 0), NEWEST_VERSION)
}
