import { field, list, message, encodeVersioned } from '@millrace/wire'

const Subscription = message(
  { name: 'Subscription', key: -1, versions: '1', flexible: 'none' },
  {
    topics: list('0+', 'string'),
    userData: field('bytes?', '0+'),
    ownedPartitions: list('0+', { topic: field('string', '0+'), partitions: list('0+', 'int32') }),
  },
)

/** What a consumer of the classic protocol sends as its metadata. */
export function aSubscription(topics: readonly string[], owned: Record<string, number[]> = {}) {
  const ownedPartitions = Object.entries(owned).map(([topic, partitions]) => ({
    topic,
    partitions,
  }))
  return encodeVersioned(Subscription, 1, { topics, userData: null, ownedPartitions })
}

const Assignment = message(
  { name: 'Assignment', key: -1, versions: '1', flexible: 'none' },
  {
    assignedPartitions: list('0+', {
      topic: field('string', '0+'),
      partitions: list('0+', 'int32'),
    }),
    userData: field('bytes?', '0+'),
  },
)

/** What a leader of the classic protocol assigns. */
export function anAssignment(partitions: Record<string, number[]>, userData: Buffer | null = null) {
  const assignedPartitions = Object.entries(partitions).map(([topic, indexes]) => ({
    topic,
    partitions: indexes,
  }))
  return encodeVersioned(Assignment, 1, { assignedPartitions, userData })
}
