import fc from 'fast-check'
import { assignRanges, type RangeMember } from './range-assignor'

const member = (
  memberId: string,
  topics: readonly string[],
  groupInstanceId: string | null = null,
): RangeMember => ({ memberId, groupInstanceId, topics })

/** `t0-1 t0-2` by member. */
function assign(
  members: readonly RangeMember[],
  counts: Record<string, number>,
): Record<string, string> {
  const assigned = assignRanges(members, new Map(Object.entries(counts)))
  return Object.fromEntries(
    [...assigned].map(([id, partitions]) => [
      id,
      partitions.map(({ topic, partition }) => `${topic}-${partition}`).join(' '),
    ]),
  )
}

describe('the range assignor', () => {
  it('gives the first members one more when a topic does not divide evenly', () => {
    const members = [member('C0', ['t0', 't1']), member('C1', ['t0', 't1'])]
    expect(assign(members, { t0: 3, t1: 3 })).toEqual({
      C0: 't0-0 t0-1 t1-0 t1-1',
      C1: 't0-2 t1-2',
    })
  })

  it('orders members by id, however they joined', () => {
    const members = [member('C1', ['t0']), member('C10', ['t0']), member('C0', ['t0'])]
    expect(assign(members, { t0: 4 })).toEqual({ C0: 't0-0 t0-1', C1: 't0-2', C10: 't0-3' })
  })

  it('orders static members by instance id and before all others, whatever their member ids', () => {
    const members = [
      member('a', ['t0']),
      member('C2', ['t0'], 'instance-1'),
      member('C3', ['t0'], 'instance-0'),
    ]
    expect(assign(members, { t0: 3 })).toEqual({ C3: 't0-0', C2: 't0-1', a: 't0-2' })
  })

  it('gives partitions to subscribers of their topic only', () => {
    const members = [member('C0', ['t0']), member('C1', ['t0', 't1']), member('C2', ['missing'])]
    expect(assign(members, { t0: 2, t1: 2 })).toEqual({ C0: 't0-0', C1: 't0-1 t1-0 t1-1', C2: '' })
  })

  it('gives nothing to members that come after the last partition', () => {
    const members = [member('C0', ['t0']), member('C1', ['t0'])]
    expect(assign(members, { t0: 1 })).toEqual({ C0: 't0-0', C1: '' })
  })

  it('gives each partition to exactly one subscriber, and none more than one extra of a topic', () => {
    const topics = ['t0', 't1', 't2']
    const aMember = fc.record({
      memberId: fc.uuid(),
      groupInstanceId: fc.option(fc.uuid(), { nil: null }),
      topics: fc.uniqueArray(fc.constantFrom(...topics)),
    })
    const members = fc.uniqueArray(aMember, { selector: ({ memberId }) => memberId, minLength: 1 })
    const counts = fc.tuple(...topics.map(() => fc.integer({ min: 1, max: 20 })))
    fc.assert(
      fc.property(members, counts, (group, sizes) => {
        const partitionCounts = new Map(topics.map((topic, i) => [topic, sizes[i]]))
        const assigned = assignRanges(group, partitionCounts)
        for (const [topic, count] of partitionCounts) {
          const subscribers = group.filter((one) => one.topics.includes(topic))
          const shares = group.map(({ memberId }) =>
            assigned.get(memberId)!.filter((one) => one.topic === topic),
          )
          const all = shares.flat().map(({ partition }) => partition)
          const isRead = subscribers.length > 0
          expect(all.sort((a, b) => a - b)).toEqual(isRead ? [...Array(count).keys()] : [])
          group.forEach((one, i) => {
            const quota = one.topics.includes(topic) ? count / subscribers.length : 0
            expect(Math.abs(shares[i].length - quota)).toBeLessThan(1)
          })
        }
      }),
    )
  })
})
