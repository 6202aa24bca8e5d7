/** A disk that hangs: what members of consumer groups and producers are told meanwhile, and what is there when it goes on. */
import { ErrorCode } from '@millrace/wire'
import type { ProducerIdentity } from '../src/txn/txn-coordinator'
import { TestConsumer } from './support/consumer-world'
import { aGroupWorld, type GroupWorld } from './support/group-world'
import { TxnWorld } from './support/txn-world'

const { NONE, COORDINATOR_NOT_AVAILABLE: NOT_AVAILABLE } = ErrorCode
const LIMIT_MS = 5000
const SESSION_MS = 45_000
const ON_T = { subscribedTopicNames: ['t'] }

/** From now on the disk hangs. The returned function makes it go on. */
function hang({ log }: GroupWorld): () => void {
  let goOn = () => {}
  log.gate = new Promise((resolve) => {
    goOn = () => {
      log.gate = null
      resolve()
    }
  })
  return goOn
}

async function aWorld(properties: Record<string, string> = {}): Promise<GroupWorld> {
  const world = await aGroupWorld({ 'group.consumer.assignment.interval.ms': '0', ...properties })
  world.topics.set('t', 4)
  return world
}

const described = (world: GroupWorld) => world.coordinator.consumerGroupDescribe(['g'])[0]
const errorOf = async (answer: Promise<number>, world: GroupWorld, waitMs = LIMIT_MS) => {
  await world.clock.advance(waitMs)
  return answer
}

async function settle(world: GroupWorld, ...consumers: TestConsumer[]): Promise<void> {
  for (let round = 0; round < 6; round++) {
    for (const consumer of consumers) expect(await consumer.beat(world)).toBe(NONE)
  }
  expect(described(world)).toMatchObject({ groupState: 'Stable' })
  expect(described(world).members).toHaveLength(consumers.length)
  const owned = consumers.flatMap((consumer) => [...consumer.owned])
  expect([owned.length, new Set(owned).size]).toEqual([4, 4])
}

describe('a consumer group whose disk hangs', () => {
  it('tells its members after offsets.commit.timeout.ms to come again, and takes each in once', async () => {
    const world = await aWorld()
    const [a, b] = [new TestConsumer('a'), new TestConsumer('b')]
    await a.join(world, ON_T)
    await settle(world, a)
    const goOn = hang(world)
    for (let tries = 0; tries < 12; tries++) {
      const joining = b.join(world, ON_T)
      const beating = a.beatInFull(world)
      expect(await errorOf(joining, world)).toBe(NOT_AVAILABLE)
      expect(await beating).toBe(NOT_AVAILABLE)
    }
    expect(described(world).members.map(({ memberId }) => memberId)).toEqual(['a'])
    goOn()
    await world.clock.advance(0)
    expect(described(world).members.map(({ memberId }) => memberId)).toEqual(['a', 'b'])
    // Neither knows how far the other has come, nor what the broker made of all that it was sent.
    await a.beatInFull(world)
    await b.rejoin(world)
    await settle(world, a, b)
    await settle(await world.restart(), a, b)
  })

  it('takes in nobody whose join was given up before it began', async () => {
    const world = await aWorld()
    const goOn = hang(world)
    // A client that lets the broker choose its id has another one each time.
    for (let tries = 0; tries < 12; tries++) {
      const joining = new TestConsumer(`a${tries}`).join(world, ON_T)
      expect(await errorOf(joining, world)).toBe(NOT_AVAILABLE)
    }
    goOn()
    await world.clock.advance(0)
    expect(described(world).members.map(({ memberId }) => memberId)).toEqual(['a0'])
  })

  it('counts the times of a member from the moment it is told', async () => {
    const world = await aWorld()
    const member = new TestConsumer('a')
    const goOn = hang(world)
    void member.join(world, ON_T)
    await world.clock.advance(2 * SESSION_MS)
    goOn()
    await world.clock.advance(SESSION_MS - 1)
    expect(described(world).members).toHaveLength(1)
    await world.clock.advance(1)
    expect(described(world).members).toHaveLength(0)
  })

  it('gives up members that were not heard meanwhile, and only those', async () => {
    const world = await aWorld()
    const [a, b] = [new TestConsumer('a'), new TestConsumer('b')]
    for (const consumer of [a, b]) await consumer.join(world, ON_T)
    await settle(world, a, b)
    const goOn = hang(world)
    void new TestConsumer('c').join(world, ON_T)
    void a.beatInFull(world)
    await world.clock.advance(SESSION_MS)
    goOn()
    await world.clock.advance(0)
    await world.clock.advance(0)
    expect(described(world).members.map(({ memberId }) => memberId)).toEqual(['a', 'c'])
  })

  it('lets a member give up partitions for as long as it may, from the moment it is told', async () => {
    const world = await aWorld({
      'group.consumer.session.timeout.ms': '200000',
      'group.consumer.max.session.timeout.ms': '200000',
    })
    const [a, b] = [new TestConsumer('a'), new TestConsumer('b')]
    await a.join(world, { ...ON_T, rebalanceTimeoutMs: 60_000 })
    await settle(world, a)
    a.isSlow = true
    await b.join(world, ON_T)
    const goOn = hang(world)
    void a.beat(world)
    await world.clock.advance(70_000)
    goOn()
    await world.clock.advance(59_999)
    expect(described(world).members).toHaveLength(2)
    await world.clock.advance(1)
    expect(described(world).members.map(({ memberId }) => memberId)).toEqual(['b'])
  })

  it('refuses heartbeats at once when too many wait', async () => {
    const world = await aWorld()
    const a = new TestConsumer('a')
    const goOn = hang(world)
    void a.join(world, ON_T) // is on its way
    const waiting = Array.from({ length: 10_000 }, () => a.rejoin(world))
    expect(await a.rejoin(world)).toBe(NOT_AVAILABLE)
    goOn()
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([NONE]))
    await settle(world, a)
  })
})

describe('a transaction whose disk hangs', () => {
  const ID = 'x'
  const LIMIT_MS = 30_000
  const partitions = [{ topic: 't', partition: 0 }]
  const init = (world: TxnWorld) =>
    world.coordinator.initProducerId({ transactionalId: ID, timeoutMs: 600_000, claim: null })
  const add = (world: TxnWorld, producer: ProducerIdentity) =>
    world.coordinator.addPartitions({
      transactionalId: ID,
      ...producer,
      partitions,
      clientVersion: 2,
    })
  const end = (world: TxnWorld, producer: ProducerIdentity, clientVersion = 2) =>
    world.coordinator.endTransaction({
      transactionalId: ID,
      ...producer,
      isCommit: true,
      clientVersion,
    })
  const stateOf = (world: TxnWorld) => world.coordinator.describe(ID).txn?.state

  it.each([1, 2])(
    'is ended once, however often that is asked for (protocol %d)',
    async (version) => {
      const world = await TxnWorld.open()
      const producer = await init(world)
      expect(await add(world, producer)).toBe(NONE)
      world.partitions[0].append(producer.producerId, producer.producerEpoch, 'record', 0)
      const goOn = world.hang()
      const ending = end(world, producer, version)
      expect(await end(world, producer, version)).toMatchObject({
        errorCode: ErrorCode.CONCURRENT_TRANSACTIONS,
      })
      await world.clock.advance(LIMIT_MS)
      expect((await ending).errorCode).toBe(NOT_AVAILABLE)
      expect([stateOf(world), world.partitions[0].openCount]).toEqual(['Ongoing', 1])
      // It is decided, only not known yet: nothing else may happen to it.
      const others = [await add(world, producer), (await init(world)).errorCode]
      expect(others).toEqual(Array(2).fill(ErrorCode.CONCURRENT_TRANSACTIONS))
      goOn()
      await world.clock.advance(0)
      expect((await end(world, producer, version)).errorCode).toBe(NONE)
      expect(stateOf(world)).toBe('CompleteCommit')
      expect([...world.partitions[0].committed]).toEqual(['record'])
      world.coordinator.stop()
    },
  )

  it('begins once, and can be aborted when its time is over', async () => {
    const world = await TxnWorld.open()
    const producer = await init(world)
    const goOn = world.hang()
    const adding = add(world, producer)
    await world.clock.advance(LIMIT_MS)
    expect(await adding).toBe(NOT_AVAILABLE)
    expect(await add(world, producer)).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
    await world.clock.advance(700_000)
    expect(stateOf(world)).toBe('Empty')
    goOn()
    await world.clock.advance(20_000)
    expect(stateOf(world)).toBe('CompleteAbort')
    world.coordinator.stop()
  })
})
