import fc from 'fast-check'
import { assignEagerly, assignIncrementally, type WorkItem } from './assignor'
import type { Allocation } from './group-protocol'
import { merge } from './membership'

const items = (connectors: number, tasks: number): WorkItem[] =>
  Array.from({ length: connectors }, (_, index) => `c${index}`).flatMap((connector) => [
    { connector, task: -1 },
    ...Array.from({ length: tasks }, (_, task) => ({ connector, task })),
  ])
const ids = (allocation: Allocation) =>
  [...allocation].flatMap(([connector, tasks]) => tasks.map((task) => `${connector}/${task}`))

describe('assignors', () => {
  it('gives a lone member everything', () => {
    const [[, change]] = assignIncrementally([{ memberId: 'm', current: new Map() }], items(2, 3))
    expect(ids(change.assigned)).toHaveLength(8)
    expect(change.revoked.size).toBe(0)
  })

  it('only revokes in the round in which a second member comes, and hands over in the next (CONNECT-4)', () => {
    const all = items(1, 4)
    const owner = { memberId: 'a', current: new Map([['c0', [-1, 0, 1, 2, 3]]]) }
    const first = assignIncrementally([owner, { memberId: 'b', current: new Map() }], all)
    expect(ids(first.get('a')!.revoked)).toEqual(['c0/2', 'c0/3'])
    expect(ids(first.get('b')!.assigned)).toEqual([])
    const after = merge(owner.current, new Map(), first.get('a')!.revoked)
    const second = assignIncrementally(
      [
        { memberId: 'a', current: after },
        { memberId: 'b', current: new Map() },
      ],
      all,
    )
    expect(ids(second.get('b')!.assigned)).toEqual(['c0/2', 'c0/3'])
    expect(second.get('a')!.revoked.size).toBe(0)
  })

  it('revokes what does not exist any more', () => {
    const [[, change]] = assignIncrementally(
      [{ memberId: 'a', current: new Map([['gone', [-1, 0]]]) }],
      [],
    )
    expect(ids(change.revoked)).toEqual(['gone/-1', 'gone/0'])
  })

  it('comes to an even split in which everything runs exactly once, from any state', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.nat(4),
        fc.nat(6),
        fc.infiniteStream(fc.nat()),
        (memberCount, connectorCount, taskCount, random) => {
          const all = items(connectorCount, taskCount)
          let members = Array.from({ length: memberCount }, (_, index) => ({
            memberId: `m${index}`,
            current: new Map<string, number[]>() as Allocation,
          }))
          for (const { connector, task } of all) {
            const owner = members[random.next().value % memberCount]
            owner.current = merge(owner.current, new Map([[connector, [task]]]), new Map())
          }
          for (let round = 0; round < 2; round += 1) {
            const changes = assignIncrementally(members, all)
            members = members.map(({ memberId, current }) => {
              const { assigned, revoked } = changes.get(memberId)!
              return { memberId, current: merge(current, assigned, revoked) }
            })
            const running = members.flatMap(({ current }) => ids(current))
            expect(new Set(running).size).toBe(running.length)
          }
          expect(members.flatMap(({ current }) => ids(current))).toHaveLength(all.length)
          for (const isConnector of [true, false]) {
            const counts = members.map(
              ({ current }) =>
                ids(current).filter((id) => id.endsWith('/-1') === isConnector).length,
            )
            expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
          }
        },
      ),
    )
  })

  it('splits the same way for every order of members in the eager protocol', () => {
    const one = assignEagerly(['a', 'b'], items(2, 2))
    const other = assignEagerly(['b', 'a'], items(2, 2))
    expect(ids(one.get('a')!)).toEqual(ids(other.get('a')!))
  })
})
