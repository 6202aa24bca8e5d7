import type { AssignableGroup, AssignableMember, Assignment, Assignor } from './assignor'

interface Topic {
  readonly partitionCount: number
  subscriberCount: number
  /** How many subscribers have their part, and the first partition of the next part. */
  servedCount: number
  nextPartition: number
}

/**
 * Gives each subscriber of a topic one run of partitions, the first ones one more where they do not come out even. Members
 * are taken in the same order for every topic, static ones first: so partitions of the same number in topics of the same
 * size and with the same subscribers go to the same member.
 */
export const rangeAssignor: Assignor = {
  name: 'range',
  assign(group) {
    const members = [...group.members].sort(byInstanceAndId)
    const topics = topicsOf(group)
    const assignment: Assignment = new Map()
    for (const { id, topicIds } of members) {
      const parts = new Map<string, Set<number>>()
      for (const topicId of topicIds) {
        const part = nextPart(topics.get(topicId)!)
        if (part.size > 0) parts.set(topicId, part)
      }
      assignment.set(id, parts)
    }
    return assignment
  },
}

function topicsOf(group: AssignableGroup): Map<string, Topic> {
  const topics = new Map<string, Topic>()
  for (const { topicIds } of group.members) {
    for (const topicId of topicIds) {
      const topic = topics.get(topicId)
      if (topic) topic.subscriberCount++
      else {
        const partitionCount = group.partitionCount(topicId)
        topics.set(topicId, {
          partitionCount,
          subscriberCount: 1,
          servedCount: 0,
          nextPartition: 0,
        })
      }
    }
  }
  return topics
}

function nextPart(topic: Topic): Set<number> {
  const { partitionCount, subscriberCount } = topic
  const hasOneMore = topic.servedCount < partitionCount % subscriberCount
  const count = Math.floor(partitionCount / subscriberCount) + (hasOneMore ? 1 : 0)
  const part = new Set<number>()
  for (let n = 0; n < count; n++) part.add(topic.nextPartition++)
  topic.servedCount++
  return part
}

function byInstanceAndId(a: AssignableMember, b: AssignableMember): number {
  if (a.instanceId !== null && b.instanceId !== null) return compare(a.instanceId, b.instanceId)
  if (a.instanceId !== null) return -1
  if (b.instanceId !== null) return 1
  return compare(a.id, b.id)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
