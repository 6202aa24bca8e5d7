import type { AssignableGroup, Assignment, Assignor } from './assignor'
import { assignHeterogeneous } from './uniform-heterogeneous'

/** Spreads partitions evenly, and moves as few as that takes. */
export const uniformAssignor: Assignor = {
  name: 'uniform',
  assign: (group) => (group.isHomogeneous ? assignHomogeneous(group) : assignHeterogeneous(group)),
}

/**
 * All members can have every partition, so all have the same number, or one more. Members keep what they have up to that;
 * those that have one more already are the first to keep it.
 */
function assignHomogeneous(group: AssignableGroup): Assignment {
  const { members } = group
  const assignment: Assignment = new Map(members.map(({ id }) => [id, new Map()]))
  if (members.length === 0) return assignment
  const pool = new Pool(members[0].topicIds, group)
  const quota = Math.floor(pool.size / members.length)
  let extraCount = pool.size % members.length
  const isShort: { id: string; has: number }[] = []
  for (const { id, assigned } of members) {
    const kept = assignment.get(id)!
    const limit = quota + (extraCount > 0 ? 1 : 0)
    let count = 0
    for (const [topicId, partitions] of assigned) {
      for (const partition of partitions) {
        if (count === limit) break
        if (!pool.take(topicId, partition)) continue
        add(kept, topicId, partition)
        count++
      }
    }
    if (count > quota) extraCount--
    else isShort.push({ id, has: count })
  }
  const free = pool.rest()
  for (const { id, has } of isShort) {
    const hasExtra = extraCount > 0
    if (hasExtra) extraCount--
    for (let count = has; count < quota + (hasExtra ? 1 : 0); count++) {
      const [topicId, partition] = free.next().value!
      add(assignment.get(id)!, topicId, partition)
    }
  }
  return assignment
}

/** The partitions that nobody has been given yet. */
class Pool {
  readonly #topics = new Map<string, Set<number>>()
  #size = 0

  constructor(topicIds: ReadonlySet<string>, group: AssignableGroup) {
    for (const topicId of topicIds) {
      const count = group.partitionCount(topicId)
      this.#topics.set(topicId, new Set(Array.from({ length: count }, (_, index) => index)))
      this.#size += count
    }
  }

  /** How many there were at first. */
  get size(): number {
    return this.#size
  }

  /** False if there is no such partition, or it was taken. */
  take(topicId: string, partition: number): boolean {
    return this.#topics.get(topicId)?.delete(partition) ?? false
  }

  *rest(): IterableIterator<[topicId: string, partition: number]> {
    for (const [topicId, partitions] of this.#topics) {
      for (const partition of partitions) yield [topicId, partition]
    }
  }
}

function add(to: Map<string, Set<number>>, topicId: string, partition: number): void {
  const partitions = to.get(topicId)
  if (partitions) partitions.add(partition)
  else to.set(topicId, new Set([partition]))
}
