/** Which topics a group of the consumer protocol reads. */
import { createHash } from 'node:crypto'
import type { TopicsView } from '../../topics-view'
import type { ConsumerGroup } from './consumer-group'
import type { ConsumerMember } from './member'

/** So many bytes of a hash are a number that is exact. */
const HASH_BYTES = 6

/** By name and by pattern. A pattern that was not looked up yet stands for no topic. */
export function topicNamesOf(member: ConsumerMember, group: ConsumerGroup): ReadonlySet<string> {
  const pattern = group.patterns.get(member.subscribedTopicRegex)
  if (!pattern) return member.subscribedTopicNames
  return member.subscribedTopicNames.size === 0
    ? pattern.topics
    : new Set([...member.subscribedTopicNames, ...pattern.topics])
}

/** Of those that exist. */
export function topicIdsOf(
  member: ConsumerMember,
  group: ConsumerGroup,
  topics: TopicsView,
): ReadonlySet<string> {
  const ids = new Set<string>()
  for (const name of topicNamesOf(member, group)) {
    const id = topics.topicId(name)
    if (id !== null) ids.add(id)
  }
  return ids
}

export function subscribedTopics(group: ConsumerGroup): Set<string> {
  const names = new Set<string>()
  for (const member of group.members.values()) {
    for (const name of topicNamesOf(member, group)) names.add(name)
  }
  return names
}

/**
 * Changes when any of the topics comes, goes, is made anew or gets more partitions. Kafka has another function: a group that
 * moves between the two is rebalanced once.
 */
export function metadataHash(group: ConsumerGroup, topics: TopicsView): number {
  const names = [...subscribedTopics(group)].sort()
  if (names.length === 0) return 0
  const hash = createHash('sha256')
  for (const name of names) {
    hash.update(`${name} ${topics.topicId(name) ?? ''} ${topics.partitionCount(name)}\n`)
  }
  return hash.digest().readUIntBE(0, HASH_BYTES)
}
