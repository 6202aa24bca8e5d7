import { ErrorCode } from '@millrace/wire'
import { TestConsumer } from './support/consumer-world'
import { aGroupWorld, type GroupWorld } from './support/group-world'

const NONE = ErrorCode.NONE

/** No wait between assignments, so that stories need no clock. */
function aWorld(properties: Record<string, string> = {}): Promise<GroupWorld> {
  return aGroupWorld({ 'group.consumer.assignment.interval.ms': '0', ...properties })
}

function described(world: GroupWorld, groupId = 'g') {
  return world.coordinator.consumerGroupDescribe([groupId])[0]
}
const sizes = (...consumers: TestConsumer[]) => consumers.map(({ owned }) => owned.size)

/** Lets everyone come until nothing changes any more. */
async function settle(world: GroupWorld, ...consumers: TestConsumer[]): Promise<void> {
  for (let round = 0; round < 6; round++) {
    for (const consumer of consumers) expect(await consumer.beat(world)).toBe(NONE)
  }
  expect(described(world).groupState).toBe('Stable')
}

describe('a consumer group', () => {
  it('GROUP-6: takes partitions from a member before another one gets them', async () => {
    const world = await aWorld()
    world.topics.set('t', 4)
    const [a, b] = [new TestConsumer('a'), new TestConsumer('b')]
    expect(await a.join(world, { subscribedTopicNames: ['t'] })).toBe(NONE)
    expect([a.epoch, a.owned.size]).toEqual([1, 4])
    expect(await b.join(world, { subscribedTopicNames: ['t'] })).toBe(NONE)
    expect([b.epoch, b.owned.size]).toEqual([2, 0]) // a has them all still
    const before = new Set(a.owned)
    await a.beat(world) // learns that it must give up two
    expect([a.epoch, a.owned.size]).toEqual([1, 2])
    await b.beat(world)
    expect(b.owned.size).toBe(0) // a has not said yet that it did
    await a.beat(world)
    expect(a.epoch).toBe(2)
    await b.beat(world)
    expect(b.owned.size).toBe(2)
    expect(new Set([...a.owned, ...b.owned])).toEqual(before)
    expect(described(world)).toMatchObject({
      groupState: 'Stable',
      groupEpoch: 2,
      assignmentEpoch: 2,
    })
  })

  it('gives what a member leaves to the others', async () => {
    const world = await aWorld()
    world.topics.set('t', 4)
    const [a, b] = [new TestConsumer('a'), new TestConsumer('b')]
    for (const member of [a, b]) await member.join(world, { subscribedTopicNames: ['t'] })
    await settle(world, a, b)
    expect(await b.leave(world)).toBe(NONE)
    await settle(world, a)
    expect(sizes(a)).toEqual([4])
    expect(await b.beat(world)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('GROUP-4: is the same after a restart', async () => {
    const world = await aWorld()
    world.topics.set('t', 5)
    const [a, b] = [new TestConsumer('a'), new TestConsumer('b')]
    for (const member of [a, b]) await member.join(world, { subscribedTopicNames: ['t'] })
    await a.beat(world)
    const before = described(world)
    const reopened = await world.restart()
    expect(described(reopened)).toEqual(before)
    await settle(reopened, a, b)
    expect(sizes(a, b)).toEqual([3, 2])
  })
})
