import { decodeVersioned, field, isWireError, list, message } from '@millrace/wire'
import type { ClassicGroup } from './classic/classic-group'
import { metadataOf } from './classic/member'

/** What a member with protocol type `consumer` sends as its metadata; all other types are opaque to us. */
const ConsumerSubscription = message(
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

/** The topics that the members of a consumer group read, or null if that cannot be told. */
export function subscribedTopics(group: ClassicGroup): ReadonlySet<string> | null {
  if (group.protocolType !== 'consumer' || group.protocolName === null) return null
  const topics = new Set<string>()
  for (const member of group.members) {
    const subscription = decodeSubscription(metadataOf(member, group.protocolName))
    if (subscription === null) return null
    for (const topic of subscription) topics.add(topic)
  }
  return topics
}

function decodeSubscription(metadata: Buffer): readonly string[] | null {
  try {
    return decodeVersioned(ConsumerSubscription, metadata).value.topics
  } catch (error) {
    if (isWireError(error)) return null // a newer version, or a client with a format of its own
    throw error
  }
}
