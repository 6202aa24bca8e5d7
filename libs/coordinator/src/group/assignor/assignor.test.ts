import * as fc from 'fast-check'
import { type AssignableGroup, type Assignment, assignors } from '.'

const [uniform, range] = assignors

interface MemberSpec {
  readonly id: string
  readonly topics: readonly string[]
  readonly instanceId?: string
  readonly assigned?: Record<string, readonly number[]>
}

function aGroup(topics: Record<string, number>, members: readonly MemberSpec[]): AssignableGroup {
  const first = new Set(members[0]?.topics)
  return {
    members: members.map(({ id, topics: names, instanceId = null, assigned = {} }) => ({
      id,
      instanceId,
      topicIds: new Set(names),
      assigned: new Map(Object.entries(assigned).map(([topic, parts]) => [topic, new Set(parts)])),
    })),
    isHomogeneous: members.every(
      (member) =>
        member.topics.length === first.size && member.topics.every((name) => first.has(name)),
    ),
    partitionCount: (topicId) => topics[topicId] ?? 0,
  }
}

function shown(assignment: Assignment): Record<string, Record<string, number[]>> {
  return Object.fromEntries(
    [...assignment].map(([id, parts]) => [
      id,
      Object.fromEntries(
        [...parts].map(([topic, partitions]) => [topic, [...partitions].sort((a, b) => a - b)]),
      ),
    ]),
  )
}

const sizeOf = (parts: ReadonlyMap<string, ReadonlySet<number>>) =>
  [...parts.values()].reduce((sum, { size }) => sum + size, 0)

/** Every partition of a topic that anyone subscribes to is with exactly one of its subscribers. */
function expectComplete(group: AssignableGroup, assignment: Assignment): void {
  const owners = new Map<string, string>()
  for (const { id, topicIds } of group.members) {
    for (const [topic, partitions] of assignment.get(id)!) {
      expect(topicIds.has(topic)).toBe(true)
      expect(partitions.size).toBeGreaterThan(0)
      for (const partition of partitions) {
        expect(owners.has(`${topic} ${partition}`)).toBe(false)
        owners.set(`${topic} ${partition}`, id)
      }
    }
  }
  const topics = new Set(group.members.flatMap(({ topicIds }) => [...topicIds]))
  const count = [...topics].reduce((sum, topic) => sum + group.partitionCount(topic), 0)
  expect(owners.size).toBe(count)
}

const topicNames = ['t0', 't1', 't2', 't3']
const aTopicSet = fc
  .tuple(...topicNames.map(() => fc.nat(9)))
  .map((counts) => Object.fromEntries(topicNames.map((name, at) => [name, counts[at]])))
const aSubscription = fc.subarray(topicNames)
/** Members, some with what they had before, which is all that a target assignment may be. */
const aStory = fc.record({
  topics: aTopicSet,
  later: aTopicSet,
  first: fc.array(aSubscription, { minLength: 1, maxLength: 8 }),
  isSame: fc.boolean(),
  left: fc.array(fc.nat(7), { maxLength: 4 }),
  came: fc.array(aSubscription, { maxLength: 4 }),
})

describe.each(assignors)('the $name assignor', (assignor) => {
  it('gives every partition to exactly one subscriber, whatever went before', () => {
    fc.assert(
      fc.property(aStory, ({ topics, later, first, isSame, left, came }) => {
        const subscription = (own: string[]) => (isSame ? first[0] : own)
        const before = aGroup(
          topics,
          first.map((own, at) => ({ id: `m${at}`, topics: subscription(own) })),
        )
        const assignment = assignor.assign(before)
        expectComplete(before, assignment)
        const kept = before.members
          .filter((_, at) => !left.includes(at))
          .map(({ id, topicIds }) => ({ id, topics: [...topicIds], assigned: assignment.get(id)! }))
          .map((member) => ({
            ...member,
            assigned: Object.fromEntries(
              [...member.assigned].map(([topic, parts]) => [topic, [...parts]]),
            ),
          }))
        const comers = came.map((own, at) => ({ id: `n${at}`, topics: subscription(own) }))
        const after = aGroup(later, [...kept, ...comers])
        expectComplete(after, assignor.assign(after))
      }),
      { numRuns: 500 },
    )
  })
})

describe('the uniform assignor', () => {
  it('is even within one where all subscribe to the same, and moves no more than it must', () => {
    fc.assert(
      fc.property(
        aTopicSet,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        (topics, before, after) => {
          const members = (count: number, given?: Assignment) =>
            Array.from({ length: count }, (_, at) => {
              const parts = given?.get(`m${at}`) ?? new Map<string, Set<number>>()
              const assigned = Object.fromEntries(
                [...parts].map(([topic, partitions]) => [topic, [...partitions]]),
              )
              return { id: `m${at}`, topics: topicNames, assigned }
            })
          const first = uniform.assign(aGroup(topics, members(before)))
          const second = uniform.assign(aGroup(topics, members(after, first)))
          const sizes = [...second.values()].map(sizeOf)
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
          // A member keeps all it had, up to its share; one whose share is larger loses nothing.
          const total = sizes.reduce((sum, size) => sum + size, 0)
          const share = Math.floor(total / after)
          for (let at = 0; at < Math.min(before, after); at++) {
            const [had, has] = [first.get(`m${at}`)!, second.get(`m${at}`)!]
            let keptCount = 0
            for (const [topic, partitions] of had) {
              for (const partition of partitions) {
                if (has.get(topic)?.has(partition)) keptCount++
              }
            }
            expect(keptCount).toBeGreaterThanOrEqual(Math.min(sizeOf(had), share))
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  it('is even within one for each topic where subscriptions differ', () => {
    fc.assert(
      fc.property(
        aTopicSet,
        fc.array(aSubscription, { minLength: 2, maxLength: 6 }),
        (topics, own) => {
          const group = aGroup(
            topics,
            own.map((names, at) => ({ id: `m${at}`, topics: names })),
          )
          const assignment = uniform.assign(group)
          const load = (id: string) => sizeOf(assignment.get(id)!)
          // Nobody who has a partition of a topic has two more than another of its subscribers.
          for (const { id, topicIds } of group.members) {
            for (const topic of assignment.get(id)!.keys()) {
              for (const other of group.members) {
                if (!other.topicIds.has(topic) || !topicIds.has(topic)) continue
                expect(load(id) - load(other.id)).toBeLessThanOrEqual(1)
              }
            }
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  it('lets everyone keep what they have where nothing changed', () => {
    const topics = { t0: 3, t1: 2 }
    const members = [
      { id: 'a', topics: ['t0', 't1'], assigned: { t0: [2], t1: [0] } },
      { id: 'b', topics: ['t0', 't1'], assigned: { t0: [0, 1], t1: [1] } },
    ]
    expect(shown(uniform.assign(aGroup(topics, members)))).toEqual({
      a: { t0: [2], t1: [0] },
      b: { t0: [0, 1], t1: [1] },
    })
  })
})

describe('the range assignor', () => {
  it('gives runs of partitions, the first members one more, static ones in front', () => {
    const members = [
      { id: 'b', topics: ['t0', 't1'] },
      { id: 'a', topics: ['t0', 't1'] },
      { id: 'z', topics: ['t0', 't1'], instanceId: 'i' },
    ]
    expect(shown(range.assign(aGroup({ t0: 7, t1: 4 }, members)))).toEqual({
      z: { t0: [0, 1, 2], t1: [0, 1] },
      a: { t0: [3, 4], t1: [2] },
      b: { t0: [5, 6], t1: [3] },
    })
  })

  it('looks at the subscribers of each topic only', () => {
    const members = [
      { id: 'a', topics: ['t0'] },
      { id: 'b', topics: ['t0', 't1'] },
    ]
    expect(shown(range.assign(aGroup({ t0: 3, t1: 2 }, members)))).toEqual({
      a: { t0: [0, 1] },
      b: { t0: [2], t1: [0, 1] },
    })
  })
})
