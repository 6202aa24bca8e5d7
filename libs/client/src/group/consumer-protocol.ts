import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
  decodeVersioned,
  encodeVersioned,
} from '@millrace/wire'
import type { TopicPartition } from '../options'

/** Of a group whose members share the partitions of topics; each such member speaks this format. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer'

/** The last version: fields are only ever added, so that members of all ages read each other. */
const VERSION = 3

export type Subscription = ConsumerProtocolSubscription

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
