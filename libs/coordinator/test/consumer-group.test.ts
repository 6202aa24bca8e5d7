import { ErrorCode } from '@millrace/wire'
import { TestConsumer } from './support/consumer-world'
import { aGroupWorld, type GroupWorld } from './support/group-world'

const NONE = ErrorCode.NONE
const SESSION_MS = 45_000

/** No wait between assignments, so that stories need no clock. */
function aWorld(properties: Record<string, string> = {}): Promise<GroupWorld> {
  return aGroupWorld({ 'group.consumer.assignment.interval.ms': '0', ...properties })
}

const described = (world: GroupWorld) => world.coordinator.consumerGroupDescribe(['g'])[0]
const sizes = (...consumers: TestConsumer[]) => consumers.map(({ owned }) => owned.size)
const ON_T = { subscribedTopicNames: ['t'] }

/** Lets everyone come until nothing changes any more. */
async function settle(world: GroupWorld, ...consumers: TestConsumer[]): Promise<void> {
  for (let round = 0; round < 6; round++) {
    for (const consumer of consumers) expect(await consumer.beat(world)).toBe(NONE)
  }
  expect(described(world).groupState).toBe('Stable')
}

/** A world with a topic `t` of four partitions, and members that share them. */
async function aGroupOf<const Id extends string>(
  ids: readonly Id[],
  properties: Record<string, string> = {},
): Promise<{ world: GroupWorld } & Record<Id, TestConsumer>> {
  const world = await aWorld(properties)
  world.topics.set('t', 4)
  const consumers = ids.map((id) => new TestConsumer(id))
  for (const consumer of consumers) await consumer.join(world, ON_T)
  await settle(world, ...consumers)
  return { world, ...Object.fromEntries(ids.map((id, at) => [id, consumers[at]])) } as never
}

function commit(world: GroupWorld, consumer: TestConsumer, epoch: number, partition = 0) {
  const committed = { committedOffset: 7, committedLeaderEpoch: -1, committedMetadata: '' }
  const partitions = [{ partitionIndex: partition, ...committed }]
  const request = {
    groupId: 'g',
    generationIdOrMemberEpoch: epoch,
    memberId: consumer.memberId,
    groupInstanceId: null,
    retentionTimeMs: -1,
    topics: [{ name: 't', topicId: world.topics.topicId('t')!, partitions }],
  }
  return world.coordinator
    .offsetCommit(request, { apiVersion: 9 })
    .then(({ topics }) => topics[0].partitions[0].errorCode)
}

function fetchError(world: GroupWorld, memberId: string | null, memberEpoch: number) {
  const groups = [{ groupId: 'g', memberId, memberEpoch, topics: null }]
  const request = { groupId: '', topics: [], groups, requireStable: false }
  return world.coordinator.offsetFetch(request, { apiVersion: 9 }).groups![0].errorCode
}

describe('members of a consumer group', () => {
  it('GROUP-6: get a partition only after the one who had it has given it up', async () => {
    const world = await aWorld()
    world.topics.set('t', 4)
    const [a, b] = [new TestConsumer('a'), new TestConsumer('b')]
    expect(await a.join(world, ON_T)).toBe(NONE)
    expect([a.epoch, a.owned.size]).toEqual([2, 4])
    expect(await b.join(world, ON_T)).toBe(NONE)
    expect([b.epoch, b.owned.size]).toEqual([3, 0]) // a has them all still
    const before = new Set(a.owned)
    await a.beat(world) // learns that it must give up two
    expect([a.epoch, a.owned.size]).toEqual([2, 2])
    await b.beat(world)
    expect(b.owned.size).toBe(0) // a has not said yet that it did
    await a.beat(world)
    expect(a.epoch).toBe(3)
    await b.beat(world)
    expect(b.owned.size).toBe(2)
    expect(new Set([...a.owned, ...b.owned])).toEqual(before)
    expect(described(world)).toMatchObject({ groupState: 'Stable', groupEpoch: 3 })
    expect(world.coordinator.counters.consumerRebalances).toBe(2)
  })

  it('leave what they have to the others', async () => {
    const { world, a, b } = await aGroupOf(['a', 'b'])
    expect(await b.leave(world)).toBe(NONE)
    await settle(world, a)
    expect(sizes(a)).toEqual([4])
    expect(await b.beat(world)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('that are silent for a session are taken out, and come in again with nothing', async () => {
    const { world, a, b } = await aGroupOf(['a', 'b'])
    await world.clock.advance(SESSION_MS - 1000)
    await a.beat(world)
    await world.clock.advance(2000)
    await settle(world, a)
    expect(sizes(a)).toEqual([4])
    expect(await b.beat(world)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    expect(await b.rejoin(world)).toBe(NONE)
    await settle(world, a, b)
    expect(sizes(a, b)).toEqual([2, 2])
  })

  it('that do not give up in time are taken out', async () => {
    const { world, a } = await aGroupOf(['a'])
    a.isSlow = true
    const b = new TestConsumer('b')
    await b.join(world, ON_T)
    await a.beat(world, { rebalanceTimeoutMs: 100_000 })
    for (let waitedMs = 0; waitedMs < 100_000; waitedMs += 20_000) {
      expect([await a.beat(world), await b.beat(world)]).toEqual([NONE, NONE])
      expect(sizes(a, b)).toEqual([4, 0])
      await world.clock.advance(20_000)
    }
    expect(await a.beat(world)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    await settle(world, b)
    expect(sizes(b)).toEqual([4])
  })

  it('are told how often to come, and what is asked of the group alone counts first', async () => {
    const { world, a } = await aGroupOf(['a'])
    world.groupConfigs.set('g', {
      'consumer.session.timeout.ms': '50000',
      'consumer.heartbeat.interval.ms': '6000',
    })
    expect(a.heartbeatIntervalMs).toBe(5000)
    await a.beat(world)
    expect(a.heartbeatIntervalMs).toBe(6000)
    await world.clock.advance(49_000)
    expect(await a.beat(world)).toBe(NONE)
    await world.clock.advance(51_000)
    expect(await a.beat(world)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('wait for a new assignment as long as the interval says', async () => {
    const world = await aGroupWorld({ 'group.consumer.assignment.interval.ms': '10000' })
    world.topics.set('t', 4)
    const [a, b] = [new TestConsumer('a'), new TestConsumer('b')]
    await a.join(world, ON_T)
    await b.join(world, ON_T)
    await a.beat(world)
    expect([a.epoch, b.epoch, a.owned.size]).toEqual([2, 2, 4])
    expect(described(world)).toMatchObject({ groupState: 'Assigning', groupEpoch: 3 })
    await world.clock.advance(10_000)
    await settle(world, a, b)
    expect(sizes(a, b)).toEqual([2, 2])
  })

  it('are no more than allowed', async () => {
    const { world } = await aGroupOf(['a', 'b'], { 'group.consumer.max.size': '2' })
    const c = new TestConsumer('c')
    expect(await c.join(world, ON_T)).toBe(ErrorCode.GROUP_MAX_SIZE_REACHED)
  })
})

describe('a heartbeat', () => {
  it('GROUP-5: with another epoch than that of the last answer is refused', async () => {
    const { world, a } = await aGroupOf(['a'])
    for (const memberEpoch of [a.epoch + 1, 99]) {
      expect(await a.beat(world, { memberEpoch })).toBe(ErrorCode.FENCED_MEMBER_EPOCH)
    }
    expect(await a.rejoin(world)).toBe(NONE)
    expect(sizes(a)).toEqual([4])
  })

  it('after a lost answer is taken with the epoch before, and gets the whole answer again', async () => {
    const { world, a } = await aGroupOf(['a'])
    const b = new TestConsumer('b')
    await b.join(world, ON_T)
    await a.beat(world)
    a.losesAnswer = true
    await a.beat(world) // it has given up two, and is in epoch 3 now, but does not know
    expect(a.epoch).toBe(2)
    expect(await a.beatInFull(world)).toBe(NONE)
    expect(a.epoch).toBe(3)
  })

  it('of a member of no group, or of a group that is not there, is refused', async () => {
    const world = await aWorld()
    const a = new TestConsumer('a')
    expect(await a.beat(world, { memberEpoch: 1 })).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
    expect(await a.leave(world)).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
    expect(world.coordinator.listGroups({ statesFilter: [], typesFilter: [] }).groups).toEqual([])
  })

  it.each([
    ['no member id', { memberId: '' }],
    ['a blank group', { groupId: ' ' }],
    ['a blank instance', { instanceId: '' }],
    ['no rebalance timeout', { rebalanceTimeoutMs: -1 }],
    ['no subscription', { subscribedTopicNames: null }],
    ['an epoch that means nothing', { memberEpoch: -3 }],
    ['a static leave without an instance', { memberEpoch: -2 }],
  ])('with %s is invalid', async (_, fields) => {
    const world = await aWorld()
    const error = await new TestConsumer('a').join(world, { ...ON_T, ...fields })
    expect(error).toBe(ErrorCode.INVALID_REQUEST)
  })

  it('that asks for an assignor that there is not is refused', async () => {
    const world = await aWorld({ 'group.consumer.assignors': 'range' })
    const a = new TestConsumer('a')
    const asked = (serverAssignor: string) => a.join(world, { ...ON_T, serverAssignor })
    expect(await asked('uniform')).toBe(ErrorCode.UNSUPPORTED_ASSIGNOR)
    expect(await asked('range')).toBe(NONE)
    expect(described(world).assignorName).toBe('range')
  })

  it('GROUP-1: is answered only when its records are safe, and leaves no trace if they are not', async () => {
    const { world, a } = await aGroupOf(['a'])
    const before = described(world)
    world.log.failure = ErrorCode.NOT_ENOUGH_REPLICAS
    const b = new TestConsumer('b')
    expect(await b.join(world, ON_T)).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    expect(described(world)).toEqual(before)
    world.log.failure = 0
    let open = () => {}
    world.log.gate = new Promise((resolve) => (open = resolve))
    let answer = -1
    void b.join(world, ON_T).then((error) => (answer = error))
    await world.clock.advance(0)
    expect([answer, described(world)]).toEqual([-1, before])
    open()
    await world.clock.advance(0)
    await world.clock.advance(0)
    expect(answer).toBe(NONE)
    await settle(world, a, b)
  })

  it('that changes nothing writes nothing, and takes no timer', async () => {
    const { world, a } = await aGroupOf(['a'])
    const [appends, timers] = [world.log.appendCount, world.clock.pendingCount]
    for (let n = 0; n < 100; n++) {
      expect(await a.beat(world)).toBe(NONE)
      await world.clock.advance(5000)
    }
    expect([world.log.appendCount, world.clock.pendingCount]).toEqual([appends, timers])
  })
})

describe('static members', () => {
  const aStatic = (memberId: string) => new TestConsumer(memberId, { instanceId: 'i' })

  it('GROUP-3: find what they had when they come back under a new id, without a rebalance', async () => {
    const { world, a } = await aGroupOf(['a'])
    const b = aStatic('b')
    await b.join(world, ON_T)
    await settle(world, a, b)
    const had = b.owned
    const { groupEpoch } = described(world)
    expect(await b.leave(world, -2)).toBe(NONE)
    await a.beat(world)
    expect(sizes(a)).toEqual([2])
    const next = aStatic('b2')
    expect(await next.join(world, ON_T)).toBe(NONE)
    expect(next.owned).toEqual(had)
    await settle(world, a, next)
    expect(described(world).groupEpoch).toBe(groupEpoch)
    expect(await b.beat(world)).toBe(ErrorCode.FENCED_INSTANCE_ID)
  })

  it('that are still there keep another process with their instance out', async () => {
    const { world } = await aGroupOf(['a'])
    const b = aStatic('b')
    await b.join(world, ON_T)
    expect(await aStatic('c').join(world, ON_T)).toBe(ErrorCode.UNRELEASED_INSTANCE_ID)
    expect(await aStatic('c').beat(world, { memberEpoch: 1 })).toBe(ErrorCode.FENCED_INSTANCE_ID)
    const other = new TestConsumer('d', { instanceId: 'other' })
    expect(await other.beat(world, { memberEpoch: 1 })).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('keep a pattern that they do not take back when they come back, as in Kafka', async () => {
    const world = await aWorld()
    world.topics.set('t', 4)
    world.topics.set('u', 1)
    const b = aStatic('b')
    await b.join(world, { subscribedTopicRegex: 't' })
    await b.leave(world, -2)
    const next = aStatic('b2')
    await next.join(world, { subscribedTopicNames: ['u'] })
    await settle(world, next)
    expect(sizes(next)).toEqual([5])
    await next.beat(world, { subscribedTopicRegex: '' })
    await settle(world, next)
    expect(sizes(next)).toEqual([1])
  })

  it('that do not come back within a session lose it', async () => {
    const { world, a } = await aGroupOf(['a'])
    const b = aStatic('b')
    await b.join(world, ON_T)
    await settle(world, a, b)
    await b.leave(world, -2)
    const reopened = await world.restart() // the session starts anew
    for (let waitedMs = 0; waitedMs <= SESSION_MS; waitedMs += 15_000) {
      await a.beat(reopened)
      await reopened.clock.advance(15_000)
    }
    await settle(reopened, a)
    expect(sizes(a)).toEqual([4])
  })
})

describe('topics of a consumer group', () => {
  it('that come, grow, go or are made anew change the assignment', async () => {
    const { world, a } = await aGroupOf(['a'])
    world.topics.set('t', 6)
    await settle(world, a)
    expect([sizes(a), described(world).groupEpoch]).toEqual([[6], 3])
    world.topics.delete('t')
    await settle(world, a)
    expect(sizes(a)).toEqual([0])
    const id = world.topics.set('t', 1)
    await settle(world, a)
    expect([...a.owned]).toEqual([`${id}/0`])
    world.topics.set('other', 3)
    await settle(world, a)
    expect(described(world).groupEpoch).toBe(5)
  })

  it('are those that a pattern matches, looked up again when topics come', async () => {
    const world = await aWorld()
    for (const name of ['ab', 'abc', 'b']) world.topics.set(name, 1)
    const a = new TestConsumer('a')
    expect(await a.join(world, { subscribedTopicNames: null, subscribedTopicRegex: 'ab?.*' })).toBe(
      NONE,
    )
    expect(sizes(a)).toEqual([2])
    world.topics.set('abd', 1)
    await a.beat(world)
    expect(sizes(a)).toEqual([2]) // not more often than every ten seconds
    await world.clock.advance(11_000)
    await settle(world, a)
    expect(sizes(a)).toEqual([3])
    const reopened = await world.restart()
    expect(described(reopened).members[0]).toMatchObject({ subscribedTopicRegex: 'ab?.*' })
    await a.beat(reopened, { subscribedTopicRegex: '' })
    await settle(reopened, a)
    expect(sizes(a)).toEqual([0])
  })

  it('are not looked for with a pattern that is none', async () => {
    const world = await aWorld()
    const a = new TestConsumer('a')
    const error = await a.join(world, { subscribedTopicRegex: '(' })
    expect(error).toBe(ErrorCode.INVALID_REGULAR_EXPRESSION)
    expect(described(world).errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
  })

  it('that a member drops are taken from it at once', async () => {
    const { world, a } = await aGroupOf(['a'], { 'group.consumer.assignment.interval.ms': '60000' })
    await a.beat(world, { subscribedTopicNames: ['u'] })
    expect(sizes(a)).toEqual([0])
  })
})

describe('offsets of a consumer group', () => {
  it('GROUP-5: are taken with the epoch of the member, or with an older one for what it has had since', async () => {
    const { world, a } = await aGroupOf(['a'])
    const b = new TestConsumer('b')
    await b.join(world, ON_T)
    await settle(world, a, b)
    expect([a.epoch, b.epoch]).toEqual([3, 3])
    const mine = Number([...a.owned][0].split('/')[1])
    const theirs = Number([...b.owned][0].split('/')[1])
    expect(await commit(world, a, 3, mine)).toBe(NONE)
    expect(await commit(world, a, 2, mine)).toBe(NONE)
    expect(await commit(world, a, 2, theirs)).toBe(ErrorCode.STALE_MEMBER_EPOCH)
    expect(await commit(world, b, 2, theirs)).toBe(ErrorCode.STALE_MEMBER_EPOCH)
    expect(await commit(world, a, 4, mine)).toBe(ErrorCode.STALE_MEMBER_EPOCH)
    expect(await commit(world, new TestConsumer('x'), 2)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    expect(await commit(world, new TestConsumer(''), -1)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('are shown to members of the present epoch, and to tools', async () => {
    const { world, a } = await aGroupOf(['a'])
    expect(fetchError(world, null, -1)).toBe(NONE)
    expect(fetchError(world, 'a', a.epoch)).toBe(NONE)
    expect(fetchError(world, 'a', a.epoch - 1)).toBe(ErrorCode.STALE_MEMBER_EPOCH)
    expect(fetchError(world, 'x', 1)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('go with the group when nobody is left and their time is over', async () => {
    const { world, a } = await aGroupOf(['a'])
    await commit(world, a, a.epoch)
    expect(await world.coordinator.deleteGroups(['g'])).toEqual([
      { groupId: 'g', errorCode: ErrorCode.NON_EMPTY_GROUP },
    ])
    await a.leave(world)
    const filters = { statesFilter: ['empty'], typesFilter: ['Consumer'] }
    expect(world.coordinator.listGroups(filters).groups).toMatchObject([
      { groupId: 'g', protocolType: 'consumer', groupState: 'Empty', groupType: 'consumer' },
    ])
    await world.clock.advance(8 * 24 * 3_600_000)
    const all = { statesFilter: [], typesFilter: [] }
    expect(world.coordinator.listGroups(all).groups).toEqual([])
    expect((await world.restart()).coordinator.listGroups(all).groups).toEqual([])
  })

  it('go with a group that is deleted', async () => {
    const { world, a } = await aGroupOf(['a'])
    await commit(world, a, a.epoch)
    await a.leave(world)
    expect(await world.coordinator.deleteGroups(['g'])).toEqual([{ groupId: 'g', errorCode: NONE }])
    const all = { statesFilter: [], typesFilter: [] }
    expect((await world.restart()).coordinator.listGroups(all).groups).toEqual([])
  })
})

it('GROUP-4: a consumer group is the same after a restart, also in the middle of a rebalance', async () => {
  const { world, a } = await aGroupOf(['a'])
  const b = new TestConsumer('b')
  await b.join(world, ON_T)
  await a.beat(world)
  const before = described(world)
  const reopened = await world.restart()
  expect(described(reopened)).toEqual(before)
  await settle(reopened, a, b)
  expect(sizes(a, b)).toEqual([2, 2])
})

it('a consumer group is none of the classic protocol to those who ask for one', async () => {
  const { world } = await aGroupOf(['a'])
  const request = { groups: ['g'], includeAuthorizedOperations: false }
  const { groups } = world.coordinator.describeGroups(request, { apiVersion: 6 })
  expect(groups[0]).toMatchObject({ errorCode: ErrorCode.GROUP_ID_NOT_FOUND, groupState: 'Dead' })
})
