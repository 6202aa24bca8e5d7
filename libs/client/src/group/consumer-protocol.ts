import { decodeVersioned, encodeVersioned, field, type Infer, list, message } from '@millrace/wire'
import type { TopicPartition } from '../options'

/** Of a group whose members share the partitions of topics; each such member speaks this format. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer'

/** The last version: fields are only ever added, so that members of all ages read each other. */
const VERSION = 3

/** What a member tells the leader. */
const ConsumerProtocolSubscription = message(
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
export type Subscription = Infer<typeof ConsumerProtocolSubscription>

/** What the leader tells a member. */
const ConsumerProtocolAssignment = message(
  { name: 'ConsumerProtocolAssignment', key: -1, versions: '0-3', flexible: 'none' },
  {
    assignedPartitions: list('0+', {
      topic: field('string', '0+'),
      partitions: list('0+', 'int32'),
    }),
    userData: field('bytes?', '0+'),
  },
)

/** Of an eager member, which owns nothing when it joins. */
export function encodeSubscription(topics: readonly string[]): Buffer {
  return encodeVersioned(ConsumerProtocolSubscription, VERSION, { topics, userData: null })
}

/** @throws PlatformError WIRE_* */
export function decodeSubscription(metadata: Buffer): Subscription {
  return decodeVersioned(ConsumerProtocolSubscription, metadata).value
}

export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  const byTopic = Map.groupBy(partitions, ({ topic }) => topic)
  const assignedPartitions = [...byTopic].map(([topic, group]) => ({
    topic,
    partitions: group.map(({ partition }) => partition),
  }))
  return encodeVersioned(ConsumerProtocolAssignment, VERSION, {
    assignedPartitions,
    userData: null,
  })
}

/** No bytes at all are an empty assignment. @throws PlatformError WIRE_* */
export function decodeAssignment(assignment: Buffer): TopicPartition[] {
  if (assignment.length === 0) return []
  const { assignedPartitions } = decodeVersioned(ConsumerProtocolAssignment, assignment).value
  return assignedPartitions.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition })),
  )
}
