import type { ClassicGroup } from './classic/classic-group'
import type { ConsumerGroup } from './consumer/consumer-group'
import { subscribedTopics as topicsOfConsumerGroup } from './consumer/subscription'
import { subscribedTopics as topicsOfClassicGroup } from './subscription'

/** A group of either protocol. One that only holds offsets counts as classic. */
export type Group = ClassicGroup | ConsumerGroup

/** The topics that members read, or null if that cannot be told. */
export function subscribedTopics(group: Group): ReadonlySet<string> | null {
  return group.type === 'consumer' ? topicsOfConsumerGroup(group) : topicsOfClassicGroup(group)
}
