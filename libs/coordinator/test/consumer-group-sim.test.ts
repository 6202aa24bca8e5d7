import { ErrorCode } from '@millrace/wire'
import * as fc from 'fast-check'
import { TestConsumer } from './support/consumer-world'
import { aGroupWorld, type GroupWorld } from './support/group-world'
import type { MemoryTopics } from './support/memory-topics'

type Group = ReturnType<GroupWorld['coordinator']['consumerGroupDescribe']>[number]

const MEMBER_COUNT = 5
const SESSION_MS = 45_000
const TOPICS = ['t0', 't1', 't2']
const SUBSCRIPTIONS = [
  { subscribedTopicNames: TOPICS },
  { subscribedTopicNames: ['t0', 't1'] },
  { subscribedTopicNames: ['t2'], serverAssignor: 'range' },
  { subscribedTopicRegex: 't[01]' },
]

/** One member through all its lives: each is a process of its own, with a new id. */
interface Seat {
  readonly instanceId: string | null
  lives: number
  consumer: TestConsumer | null
}

class Simulation {
  #world: GroupWorld
  readonly #seats: Seat[] = Array.from({ length: MEMBER_COUNT }, (_, at) => ({
    instanceId: at < 2 ? `i${at}` : null,
    lives: 0,
    consumer: null,
  }))

  private constructor(world: GroupWorld) {
    this.#world = world
  }

  static async open(): Promise<Simulation> {
    const world = await aGroupWorld()
    for (const [at, name] of TOPICS.entries()) world.topics.set(name, at + 1)
    return new Simulation(world)
  }

  async step([action, seat, choice]: Step): Promise<void> {
    await this.#act(action, this.#seats[seat], choice)
    await this.#world.clock.advance(0)
    this.#expectOneOwner()
  }

  /** Peace: everyone comes every five seconds, and nothing else happens. */
  async settle(): Promise<boolean> {
    this.#world.log.failure = 0
    for (const { consumer } of this.#seats) consumer?.finish()
    const rounds = (2 * SESSION_MS) / 5000 + 6
    for (let round = 0; round < rounds; round++) {
      await Promise.all(this.#seats.map((seat) => this.#beat(seat)))
      this.#expectOneOwner()
      await this.#world.clock.advance(5000)
    }
    const living = this.#seats.flatMap(({ consumer }) => consumer ?? [])
    expectSettled(this.#describe(), living, this.#world.topics)
    return true
  }

  async #act(action: Action, seat: Seat, choice: number): Promise<void> {
    const { consumer } = seat
    switch (action) {
      case 'join':
        return consumer ? this.#beat(seat) : this.#join(seat, choice)
      case 'leave':
        seat.consumer = null
        await consumer?.leave(
          this.#world,
          consumer.instanceId !== null && choice % 2 === 0 ? -2 : -1,
        )
        return
      case 'crash':
        seat.consumer = null
        return
      case 'beat':
        return this.#beat(seat)
      case 'lose':
        if (consumer) consumer.losesAnswer = true
        return this.#beat(seat)
      case 'slow':
        if (consumer) consumer.isSlow = true
        return
      case 'finish':
        return consumer?.finish()
      case 'all':
        await Promise.all(this.#seats.map((each) => this.#beat(each)))
        return
      case 'wait':
        return this.#world.clock.advance(choice * 1000)
      case 'restart':
        this.#world.log.failure = 0 // a partition that cannot be read is not served at all
        this.#world = await this.#world.restart()
        return
      case 'fail':
        this.#world.log.failure = choice % 2 === 0 ? ErrorCode.NOT_ENOUGH_REPLICAS : 0
        return
      case 'grow': {
        const { topics } = this.#world
        const name = TOPICS[choice % TOPICS.length]
        if (topics.partitionCount(name) < 6) topics.set(name, topics.partitionCount(name) + 1)
        return
      }
      case 'remake':
        this.#world.topics.delete('t1')
        if (choice % 2 === 0) this.#world.topics.set('t1', 2)
    }
  }

  async #join(seat: Seat, choice: number): Promise<void> {
    const { instanceId } = seat
    const consumer = new TestConsumer(`${this.#seats.indexOf(seat)}-${++seat.lives}`, {
      instanceId,
    })
    seat.consumer = consumer
    await consumer.join(this.#world, SUBSCRIPTIONS[choice % SUBSCRIPTIONS.length])
  }

  /** As clients do it: one that is fenced comes again with nothing, one that got no answer tells everything. */
  async #beat({ consumer }: Seat): Promise<void> {
    if (!consumer) return
    const error = await (consumer.epoch === 0
      ? consumer.rejoin(this.#world)
      : consumer.beat(this.#world))
    if (error === ErrorCode.REQUEST_TIMED_OUT && consumer.epoch > 0) {
      await consumer.beatInFull(this.#world)
    }
    const isOut = consumer.epoch > 0 && consumer.owned.size === 0 && OUT.includes(error)
    if (isOut) consumer.epoch = 0
  }

  #expectOneOwner(): void {
    expectOneOwner(
      this.#describe(),
      this.#seats.flatMap(({ consumer }) => consumer ?? []),
    )
  }

  #describe(): Group {
    return this.#world.coordinator.consumerGroupDescribe(['g'])[0]
  }
}

/** GROUP-6, as the members see it. A member that the broker gave up may find out late: it is not among the living then. */
function expectOneOwner(group: Group, consumers: readonly TestConsumer[]): void {
  const known = new Set(group.members.map(({ memberId }) => memberId))
  const owners = new Map<string, string>()
  for (const { memberId, owned } of consumers) {
    if (!known.has(memberId)) continue
    for (const name of owned) {
      expect([name, owners.get(name)]).toEqual([name, undefined])
      owners.set(name, memberId)
    }
  }
  const owned = group.members.flatMap(({ assignment }) => partitionsOf(assignment))
  expect(owned).toHaveLength(new Set(owned).size)
}

/** Who reads is told, and nothing that anybody subscribes to is read by nobody. */
function expectSettled(group: Group, living: readonly TestConsumer[], topics: MemoryTopics): void {
  expect(group.members).toHaveLength(living.length)
  if (living.length === 0) return
  expect(group).toMatchObject({ groupState: 'Stable', groupEpoch: group.assignmentEpoch })
  const owned = living.flatMap((consumer) => [...consumer.owned])
  const assigned = group.members.flatMap(({ assignment }) => partitionsOf(assignment))
  expect(new Set(owned)).toEqual(new Set(assigned))
  const wanted = new Set(
    group.members.flatMap(({ subscribedTopicNames: names, subscribedTopicRegex: regex }) => [
      ...names,
      ...(regex ? ['t0', 't1'] : []),
    ]),
  )
  const count = [...wanted].reduce((sum, name) => sum + topics.partitionCount(name), 0)
  expect(owned).toHaveLength(count)
}

const OUT: readonly number[] = [
  ErrorCode.FENCED_MEMBER_EPOCH,
  ErrorCode.UNKNOWN_MEMBER_ID,
  ErrorCode.FENCED_INSTANCE_ID,
  ErrorCode.GROUP_ID_NOT_FOUND,
]

function partitionsOf(assignment: {
  readonly topicPartitions: readonly {
    readonly topicId: string
    readonly partitions: readonly number[]
  }[]
}): string[] {
  return assignment.topicPartitions.flatMap(({ topicId, partitions }) =>
    partitions.map((partition) => `${topicId}/${partition}`),
  )
}

const WEIGHTS = {
  join: 6,
  beat: 8,
  all: 6,
  leave: 2,
  crash: 2,
  lose: 2,
  slow: 2,
  finish: 2,
  wait: 4,
  restart: 1,
  fail: 1,
  grow: 1,
  remake: 1,
} as const
type Action = keyof typeof WEIGHTS
type Step = [action: Action, seat: number, choice: number]

const aStep: fc.Arbitrary<Step> = fc.tuple(
  fc.oneof(
    ...Object.entries(WEIGHTS).map(([action, weight]) => ({
      weight,
      arbitrary: fc.constant(action as Action),
    })),
  ),
  fc.nat(MEMBER_COUNT - 1),
  fc.nat(60),
)

it('GROUP-6: whoever comes, goes, crashes or is fenced, no partition is read by two, and all settle', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(aStep, { minLength: 20, maxLength: 80 }), async (steps) => {
      const simulation = await Simulation.open()
      for (const step of steps) await simulation.step(step)
      expect(await simulation.settle()).toBe(true)
    }),
    { numRuns: 100 },
  )
})
