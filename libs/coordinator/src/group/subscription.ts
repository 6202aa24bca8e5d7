import type { ClassicGroup } from './classic/classic-group'
import { metadataOf } from './classic/member'
import { decodeSubscribedTopics } from './consumer-protocol'

/** The topics that the members of a classic group read, or null if that cannot be told. */
export function subscribedTopics(group: ClassicGroup): ReadonlySet<string> | null {
  if (group.protocolType !== 'consumer' || group.protocolName === null) return null
  const topics = new Set<string>()
  for (const member of group.members) {
    const ofMember = decodeSubscribedTopics(metadataOf(member, group.protocolName))
    if (ofMember === null) return null
    for (const topic of ofMember) topics.add(topic)
  }
  return topics
}
