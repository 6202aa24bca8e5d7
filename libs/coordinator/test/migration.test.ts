import { ErrorCode } from '@millrace/wire'
import { ClassicConsumer } from './support/classic-world'
import { TestConsumer } from './support/consumer-world'
import { anAssignment } from './support/embedded-protocol'
import { aGroupWorld, type GroupWorld } from './support/group-world'

const NONE = ErrorCode.NONE
const ON_T = { subscribedTopicNames: ['t'] }

async function aWorld(properties: Record<string, string> = {}): Promise<GroupWorld> {
  const world = await aGroupWorld({
    'group.consumer.assignment.interval.ms': '0',
    'group.initial.rebalance.delay.ms': '0',
    ...properties,
  })
  world.topics.set('t', 4)
  return world
}

/** A classic group of one, which reads all of `t`. */
async function aClassicGroup(world: GroupWorld, instanceId: string | null = null) {
  const consumer = new ClassicConsumer({ instanceId })
  const joining = consumer.join(world)
  await world.clock.advance(0)
  await world.clock.advance(0)
  expect(await joining).toBe(NONE)
  const all = new Map([[consumer.memberId, anAssignment({ t: [0, 1, 2, 3] })]])
  expect(await consumer.sync(world, all)).toBe(NONE)
  return consumer
}

const listed = (world: GroupWorld) =>
  world.coordinator
    .listGroups({ statesFilter: [], typesFilter: [] })
    .groups.map(({ groupType, groupState }) => `${groupType} ${groupState}`)

async function settle(world: GroupWorld, classic: ClassicConsumer, consumer: TestConsumer) {
  for (let round = 0; round < 6; round++) {
    await classic.goOn(world)
    expect(await consumer.beat(world)).toBe(NONE)
  }
}

const partitions = (consumer: TestConsumer) =>
  [...consumer.owned].map((name) => Number(name.split('/')[1])).sort((a, b) => a - b)

describe('an empty group', () => {
  it('becomes one of the protocol of whoever comes', async () => {
    const world = await aWorld()
    const classic = await aClassicGroup(world)
    await classic.leave(world)
    expect(listed(world)).toEqual(['classic Empty'])
    const consumer = new TestConsumer('c')
    expect(await consumer.join(world, ON_T)).toBe(NONE)
    expect(listed(world)).toEqual(['consumer Stable'])
    await consumer.leave(world)
    const reopened = await world.restart()
    expect(listed(reopened)).toEqual(['consumer Empty'])
    const next = await aClassicGroup(reopened)
    expect(next.owned).toEqual([0, 1, 2, 3])
    expect(listed(reopened)).toEqual(['classic Stable'])
    expect(listed(await reopened.restart())).toEqual(['classic Stable'])
  })
})

describe('a classic group with members', () => {
  it('GROUP-6: is upgraded by a member of the consumer protocol, and none of its partitions gets two owners', async () => {
    const world = await aWorld()
    const classic = await aClassicGroup(world)
    const consumer = new TestConsumer('c')
    expect(await consumer.join(world, ON_T)).toBe(NONE)
    expect([listed(world), partitions(consumer)]).toEqual([['consumer Reconciling'], []])
    const { members } = world.coordinator.consumerGroupDescribe(['g'])[0]
    expect(members.map(({ memberType }) => memberType)).toEqual([0, 1])
    expect(classic.heartbeat(world)).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    await classic.join(world)
    await classic.sync(world)
    expect(classic.owned).toHaveLength(2)
    await consumer.beat(world)
    expect(partitions(consumer)).toEqual([]) // the other one has not said yet that it gave them up
    await settle(world, classic, consumer)
    expect([...classic.owned, ...partitions(consumer)].sort((a, b) => a - b)).toEqual([0, 1, 2, 3])
    const reopened = await world.restart()
    expect(listed(reopened)).toEqual(['consumer Stable'])
    await settle(reopened, classic, consumer)
  })

  it.each([
    ['its protocol is none of consumers', {}, 'connect'],
    ['the policy forbids it', { 'group.consumer.migration.policy': 'DOWNGRADE' }, 'consumer'],
    ['it is too large', { 'group.consumer.max.size': '1' }, 'consumer'],
  ])('is not upgraded if %s', async (_, properties, protocolType) => {
    const world = await aWorld(properties)
    const classics = [new ClassicConsumer(), new ClassicConsumer()]
    for (const classic of classics) void classic.join(world, protocolType)
    for (let n = 0; n < 5; n++) await world.clock.advance(0)
    const consumer = new TestConsumer('c')
    expect(await consumer.join(world, ON_T)).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
    expect(listed(world)[0]).toMatch(/^classic/)
  })

  it('is not upgraded if its assignor would lose what it keeps', async () => {
    const world = await aWorld()
    const classic = await aClassicGroup(world)
    await classic.join(world)
    const kept = anAssignment({ t: [0] }, Buffer.from('mine'))
    await classic.sync(world, new Map([[classic.memberId, kept]]))
    expect(await new TestConsumer('c').join(world, ON_T)).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
  })

  it('GROUP-6: is upgraded with what its members said that they keep, if an assignment could not be stored', async () => {
    const world = await aWorld()
    const classic = await aClassicGroup(world)
    expect(await classic.join(world)).toBe(NONE) // cooperative: it keeps all four meanwhile
    world.log.failure = ErrorCode.NOT_ENOUGH_REPLICAS
    const all = new Map([[classic.memberId, anAssignment({ t: [0, 1, 2, 3] })]])
    expect(await classic.sync(world, all)).not.toBe(NONE)
    world.log.failure = 0
    const consumer = new TestConsumer('c')
    expect(await consumer.join(world, ON_T)).toBe(NONE)
    expect([classic.owned, partitions(consumer)]).toEqual([[0, 1, 2, 3], []])
    await settle(world, classic, consumer)
    expect([...classic.owned, ...partitions(consumer)].sort((a, b) => a - b)).toEqual([0, 1, 2, 3])
  })

  it('in the middle of a rebalance tells its members to join again', async () => {
    const world = await aWorld()
    const classic = new ClassicConsumer()
    void classic.join(world)
    await world.clock.advance(0)
    await world.clock.advance(0)
    const parked = new ClassicConsumer()
    const answered = parked.join(world) // waits for the other one
    await world.clock.advance(0)
    const consumer = new TestConsumer('c')
    expect(await consumer.join(world, ON_T)).toBe(NONE)
    expect(await answered).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    expect(await parked.join(world)).toBe(NONE)
    expect(await parked.sync(world)).toBe(NONE)
  })
})

describe('a group of both protocols', () => {
  async function aMixedGroup(properties: Record<string, string> = {}) {
    const world = await aWorld(properties)
    const classic = await aClassicGroup(world)
    const consumer = new TestConsumer('c')
    await consumer.join(world, ON_T)
    await settle(world, classic, consumer)
    return { world, classic, consumer }
  }

  it('is classic again, and rebalances, when the last member of the consumer protocol leaves', async () => {
    const { world, classic, consumer } = await aMixedGroup()
    await consumer.leave(world)
    expect(listed(world)).toEqual(['classic PreparingRebalance'])
    expect(classic.heartbeat(world)).toBe(ErrorCode.ILLEGAL_GENERATION)
    expect(await classic.join(world)).toBe(NONE)
    const all = new Map([[classic.memberId, anAssignment({ t: [0, 1, 2, 3] })]])
    expect(await classic.sync(world, all)).toBe(NONE)
    expect(listed(await world.restart())).toEqual(['classic Stable'])
  })

  it('goes on with that rebalance after a restart, as nobody has what the other one had', async () => {
    const { world, consumer } = await aMixedGroup()
    await consumer.leave(world)
    const reopened = await world.restart()
    expect(listed(reopened)).toEqual(['classic PreparingRebalance'])
  })

  it('GROUP-6: knows after going back and forth what a member has not given up', async () => {
    const world = await aWorld()
    const classic = await aClassicGroup(world)
    const first = new TestConsumer('c')
    await first.join(world, ON_T)
    await first.leave(world)
    expect(listed(world)).toEqual(['classic PreparingRebalance'])
    const second = new TestConsumer('d')
    expect(await second.join(world, ON_T)).toBe(NONE)
    expect([classic.owned, partitions(second)]).toEqual([[0, 1, 2, 3], []])
    await settle(world, classic, second)
    expect([...classic.owned, ...partitions(second)].sort((a, b) => a - b)).toEqual([0, 1, 2, 3])
  })

  it('stays as it is if the policy forbids to go back', async () => {
    const { world, classic, consumer } = await aMixedGroup({
      'group.consumer.migration.policy': 'upgrade',
    })
    await consumer.leave(world)
    expect(listed(world)).toEqual(['consumer Assigning'])
    const other = new ClassicConsumer()
    expect(await other.join(world)).toBe(NONE)
    for (let round = 0; round < 6; round++) {
      await classic.goOn(world)
      await other.goOn(world)
    }
    expect(await other.sync(world)).toBe(NONE)
    expect([...classic.owned, ...other.owned].sort((a, b) => a - b)).toEqual([0, 1, 2, 3])
    await classic.leave(world)
    for (let round = 0; round < 6; round++) await other.goOn(world)
    expect(other.owned).toEqual([0, 1, 2, 3])
  })

  it('takes out members of the classic protocol that do not join again in time', async () => {
    const { world, classic, consumer } = await aMixedGroup()
    const third = new TestConsumer('d')
    await third.join(world, ON_T)
    expect(classic.heartbeat(world)).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    for (let waitedMs = 0; waitedMs < 60_000; waitedMs += 20_000) {
      expect(classic.heartbeat(world)).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
      for (const each of [consumer, third]) await each.beat(world)
      await world.clock.advance(20_000)
    }
    expect(classic.heartbeat(world)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    for (let round = 0; round < 6; round++) {
      for (const each of [consumer, third]) await each.beat(world)
    }
    expect([...partitions(consumer), ...partitions(third)].sort((a, b) => a - b)).toEqual([
      0, 1, 2, 3,
    ])
  })

  it('takes them out in time also if nobody else comes', async () => {
    const { world, classic, consumer } = await aMixedGroup({
      'group.consumer.session.timeout.ms': '200000',
    })
    const third = new TestConsumer('d')
    await third.join(world, ON_T)
    for (let waitedMs = 0; waitedMs < 60_000; waitedMs += 10_000) {
      expect(classic.heartbeat(world)).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
      await world.clock.advance(10_000)
    }
    await world.clock.advance(0)
    expect(classic.heartbeat(world)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    expect(await consumer.beat(world)).toBe(NONE)
  })

  it('lets a static member change from one protocol to the other', async () => {
    const world = await aWorld()
    const classic = await aClassicGroup(world, 'i')
    const consumer = new TestConsumer('c', { instanceId: 'i' })
    expect(await consumer.join(world, ON_T)).toBe(NONE)
    expect([listed(world), partitions(consumer)]).toEqual([['consumer Stable'], [0, 1, 2, 3]])
    expect(classic.heartbeat(world)).toBe(ErrorCode.FENCED_INSTANCE_ID)
    const back = new ClassicConsumer({ instanceId: 'i' })
    expect(await back.join(world)).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    expect(listed(world)).toEqual(['classic PreparingRebalance'])
    expect(await consumer.beat(world)).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
    const joining = back.join(world)
    await world.clock.advance(0)
    expect(await joining).toBe(NONE)
  })

  it('takes no member of the classic protocol if migration is off', async () => {
    const world = await aWorld({ 'group.consumer.migration.policy': 'disabled' })
    await new TestConsumer('c').join(world, ON_T)
    expect(await new ClassicConsumer().join(world)).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  })

  it('refuses members of the classic protocol that are none of consumers', async () => {
    const world = await aWorld()
    await new TestConsumer('c').join(world, ON_T)
    const connect = new ClassicConsumer()
    expect(await connect.join(world, 'connect')).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  })
})
