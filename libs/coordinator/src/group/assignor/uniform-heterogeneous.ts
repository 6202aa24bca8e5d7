import type { AssignableGroup, Assignment } from './assignor'

/** Rounds over all topics; each halves what is uneven, roughly. Overlapping subscriptions may not come out even before. */
const ROUND_MAX_COUNT = 16
const NOBODY = -1

interface Topic {
  readonly id: string
  /** Positions of members. */
  readonly subscribers: number[]
  /** Position of the owner of each partition. */
  readonly owners: Int32Array
}

/**
 * The uniform assignment of members that differ in what they subscribe to. Members keep what they may keep; what is free goes
 * to the subscriber that has least; then partitions move from who has most to who has least while that makes it more even.
 */
export function assignHeterogeneous(group: AssignableGroup): Assignment {
  const { members } = group
  const loads = new Int32Array(members.length)
  const topics = topicsOf(group).sort(byNeed)
  keepAssigned(group, topics, loads)
  for (const topic of topics) assignFree(topic, loads)
  const movable = topics.filter(({ subscribers }) => subscribers.length > 1)
  for (let round = 0; round < ROUND_MAX_COUNT; round++) {
    let moveCount = 0
    for (const topic of movable) moveCount += balance(topic, loads)
    if (moveCount === 0) break
  }
  return assignmentOf(group, topics)
}

function topicsOf(group: AssignableGroup): Topic[] {
  const topics = new Map<string, Topic>()
  group.members.forEach(({ topicIds }, position) => {
    for (const id of topicIds) {
      const topic = topics.get(id)
      if (topic) topic.subscribers.push(position)
      else {
        const owners = new Int32Array(group.partitionCount(id)).fill(NOBODY)
        topics.set(id, { id, subscribers: [position], owners })
      }
    }
  })
  return [...topics.values()]
}

/** Topics with most partitions for each subscriber first, then those that fewer can take: the others even it out. */
function byNeed(a: Topic, b: Topic): number {
  const need = ({ owners, subscribers }: Topic) => owners.length / subscribers.length
  if (need(a) !== need(b)) return need(b) - need(a)
  if (a.subscribers.length !== b.subscribers.length) {
    return a.subscribers.length - b.subscribers.length
  }
  return a.id < b.id ? -1 : 1
}

function keepAssigned(group: AssignableGroup, topics: readonly Topic[], loads: Int32Array): void {
  const ownersOf = new Map(topics.map(({ id, owners }) => [id, owners]))
  group.members.forEach(({ assigned, topicIds }, position) => {
    for (const [topicId, partitions] of assigned) {
      const owners = topicIds.has(topicId) ? ownersOf.get(topicId) : undefined
      if (!owners) continue
      for (const partition of partitions) {
        if (partition >= owners.length || owners[partition] !== NOBODY) continue
        owners[partition] = position
        loads[position]++
      }
    }
  })
}

function assignFree({ subscribers, owners }: Topic, loads: Int32Array): void {
  for (let partition = 0; partition < owners.length; partition++) {
    if (owners[partition] !== NOBODY) continue
    const least = leastLoaded(subscribers, loads)
    owners[partition] = least
    loads[least]++
  }
}

/** Returns how many partitions moved. */
function balance({ subscribers, owners }: Topic, loads: Int32Array): number {
  const ownedBy = new Map<number, number[]>()
  owners.forEach((owner, partition) => {
    const owned = ownedBy.get(owner)
    if (owned) owned.push(partition)
    else ownedBy.set(owner, [partition])
  })
  for (let moveCount = 0; ; moveCount++) {
    const least = leastLoaded(subscribers, loads)
    const most = mostLoaded(ownedBy, loads)
    if (most === NOBODY || loads[most] - loads[least] <= 1) return moveCount
    const partition = ownedBy.get(most)!.pop()!
    owners[partition] = least
    loads[most]--
    loads[least]++
    const owned = ownedBy.get(least)
    if (owned) owned.push(partition)
    else ownedBy.set(least, [partition])
  }
}

function leastLoaded(subscribers: readonly number[], loads: Int32Array): number {
  let least = subscribers[0]
  for (const position of subscribers) if (loads[position] < loads[least]) least = position
  return least
}

/** Of those that own a partition of the topic. */
function mostLoaded(ownedBy: ReadonlyMap<number, readonly number[]>, loads: Int32Array): number {
  let most = NOBODY
  for (const [position, owned] of ownedBy) {
    if (owned.length > 0 && (most === NOBODY || loads[position] > loads[most])) most = position
  }
  return most
}

function assignmentOf({ members }: AssignableGroup, topics: readonly Topic[]): Assignment {
  const parts = members.map(() => new Map<string, Set<number>>())
  for (const { id, owners } of topics) {
    owners.forEach((owner, partition) => {
      const partitions = parts[owner].get(id)
      if (partitions) partitions.add(partition)
      else parts[owner].set(id, new Set([partition]))
    })
  }
  return new Map(members.map(({ id }, position) => [id, parts[position]]))
}
