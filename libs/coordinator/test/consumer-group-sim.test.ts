import { ErrorCode } from '@millrace/wire'
import * as fc from 'fast-check'
import { ClassicClient } from './support/classic-client'
import { TestConsumer } from './support/consumer-world'
import { aGroupWorld, type GroupWorld } from './support/group-world'

/** Times as many, with PROPERTY_SEED=random: two seconds each. */
const RUNS = Number(process.env.PROPERTY_RUNS ?? 1)
const MEMBER_COUNT = 5
/** Longer than any session and rebalance, one after the other. */
const SETTLED_AFTER_MS = 300_000
const BEAT_MS = 5000
const TOPICS = ['t0', 't1', 't2']
const SUBSCRIPTIONS = [
  { subscribedTopicNames: TOPICS },
  { subscribedTopicNames: ['t0', 't1'] },
  { subscribedTopicNames: ['t2'], serverAssignor: 'range' },
  { subscribedTopicRegex: 't[01]' },
]
const CLASSIC_SUBSCRIPTIONS = [TOPICS, ['t0', 't1'], ['t2']]

type Member = TestConsumer | ClassicClient

/** Which members come: of the consumer protocol only, or also of the classic one, which all give up in the same way. */
type Mix = 'consumer' | 'eager' | 'cooperative'

/** One member through all its lives: each is a process of its own, with a new id, and in a mix perhaps of the other protocol. */
interface Seat {
  readonly instanceId: string | null
  lives: number
  consumer: Member | null
}

class Simulation {
  #world: GroupWorld
  readonly #mix: Mix
  readonly #seats: Seat[] = Array.from({ length: MEMBER_COUNT }, (_, at) => ({
    instanceId: at < 2 ? `i${at}` : null,
    lives: 0,
    consumer: null,
  }))

  private constructor(world: GroupWorld, mix: Mix) {
    this.#world = world
    this.#mix = mix
  }

  static async open(mix: Mix): Promise<Simulation> {
    const world = await aGroupWorld()
    for (const [at, name] of TOPICS.entries()) world.topics.set(name, at + 1)
    return new Simulation(world, mix)
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
    for (let waitedMs = 0; waitedMs < SETTLED_AFTER_MS; waitedMs += BEAT_MS) {
      await Promise.all(this.#seats.map((seat) => this.#beat(seat)))
      this.#expectOneOwner()
      await this.#world.clock.advance(BEAT_MS)
      this.#expectOneOwner()
    }
    expectSettled(this.#world, this.#living)
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
        if (consumer instanceof ClassicClient) consumer.crash()
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
    if (this.#mix !== 'consumer' && choice % 2 === 0) {
      // A static member that comes back into a classic group that is stable gets what it had, whatever it subscribes to, as in Kafka.
      const topics =
        instanceId === null ? CLASSIC_SUBSCRIPTIONS[choice % CLASSIC_SUBSCRIPTIONS.length] : TOPICS
      const isEager = this.#mix === 'eager'
      seat.consumer = new ClassicClient({ instanceId, topics, isEager })
      return this.#beat(seat)
    }
    const id = `${this.#seats.indexOf(seat)}-${++seat.lives}`
    const consumer = new TestConsumer(id, { instanceId })
    seat.consumer = consumer
    // Or a static member would have the pattern of its former self, as in Kafka.
    const noPattern = { subscribedTopicRegex: '' }
    const subscription = SUBSCRIPTIONS[choice % SUBSCRIPTIONS.length]
    await consumer.join(this.#world, { ...noPattern, ...subscription })
  }

  /** As clients do it: one that is fenced comes again with nothing, one that got no answer tells everything. */
  async #beat({ consumer }: Seat): Promise<void> {
    if (!consumer) return
    if (consumer instanceof ClassicClient) return void consumer.goOn(this.#world) // may be parked
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
    expectOneOwner(this.#world, this.#living)
  }

  get #living(): Member[] {
    return this.#seats.flatMap(({ consumer }) => consumer ?? [])
  }
}

/**
 * GROUP-6, as the members see it. A member that the broker gave up may find out late: it does not count until then, also if it
 * has joined again meanwhile. In a classic group, that is one that missed a generation: what it does for the one before is
 * refused (GROUP-2).
 */
function expectOneOwner(world: GroupWorld, living: readonly Member[]): void {
  const { coordinator } = world
  if (protocolOf(world) === 'classic') {
    const known = new Set(classicMembers(world).map(({ memberId }) => memberId))
    const members = living.filter((member) => member instanceof ClassicClient)
    const inGroup = members.filter(({ memberId }) => known.has(memberId))
    const generationId = Math.max(...inGroup.map((member) => member.generationId))
    expectDisjoint(inGroup.filter((member) => member.generationId === generationId))
    return
  }
  const group = coordinator.consumerGroupDescribe(['g'])[0]
  const known = new Set(group.members.map(({ memberId }) => memberId))
  for (const member of living) {
    if (member instanceof ClassicClient && !known.has(member.memberId)) member.isGivenUp = true
  }
  expectDisjoint(
    living.filter((member) => {
      const isGivenUp = member instanceof ClassicClient && member.isGivenUp
      return known.has(member.memberId) && !isGivenUp
    }),
  )
  const owned = group.members.flatMap(({ assignment }) => partitionsOf(assignment))
  expect(owned).toHaveLength(new Set(owned).size)
}

function expectDisjoint(members: readonly Member[]): void {
  const owners = new Map<string, string>()
  for (const { memberId, owned } of members) {
    for (const name of owned) {
      expect([name, owners.get(name)]).toEqual([name, undefined])
      owners.set(name, memberId)
    }
  }
}

/** Null if there is no group. */
function protocolOf({ coordinator }: GroupWorld): 'classic' | 'consumer' | null {
  const { groups } = coordinator.listGroups({ statesFilter: [], typesFilter: [] })
  return (groups[0]?.groupType as 'classic' | 'consumer' | undefined) ?? null
}

function describeClassic({ coordinator }: GroupWorld) {
  const request = { groups: ['g'], includeAuthorizedOperations: false }
  return coordinator.describeGroups(request, { apiVersion: 6 }).groups[0]
}
const classicMembers = (world: GroupWorld) => describeClassic(world).members ?? []

/**
 * Who reads is told, and nothing that anybody subscribes to is read by nobody. The broker assigns if there is a member of the
 * consumer protocol, and else one of the members does.
 */
function expectSettled(world: GroupWorld, living: readonly Member[]): void {
  const { coordinator, topics } = world
  const group = coordinator.consumerGroupDescribe(['g'])[0]
  if (living.length === 0) return expect(group.members).toHaveLength(0)
  const isClassic = living.every((member) => member instanceof ClassicClient)
  const owned = living.flatMap((member) =>
    isClassic ? (member as ClassicClient).ownedNow(world) : [...member.owned],
  )
  expect(protocolOf(world)).toBe(isClassic ? 'classic' : 'consumer')
  if (isClassic) {
    expect(describeClassic(world)).toMatchObject({ groupState: 'Stable' })
    expect(classicMembers(world)).toHaveLength(living.length)
  } else {
    expect(group).toMatchObject({ groupState: 'Stable', groupEpoch: group.assignmentEpoch })
    expect(group.members).toHaveLength(living.length)
    const assigned = group.members.flatMap(({ assignment }) => partitionsOf(assignment))
    expect(new Set(owned)).toEqual(new Set(assigned))
  }
  const wanted = new Set(living.flatMap(({ topics: names }) => names))
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

it.each(['consumer', 'eager', 'cooperative'] as const)(
  'GROUP-6: whoever comes, goes, crashes or is fenced, no partition is read by two, and all settle (%s)',
  async (mix) => {
    await fc.assert(
      fc.asyncProperty(fc.array(aStep, { minLength: 20, maxLength: 80 }), async (steps) => {
        const simulation = await Simulation.open(mix)
        for (const step of steps) await simulation.step(step)
        expect(await simulation.settle()).toBe(true)
      }),
      // To look for a shorter story takes longer than a test may.
      { numRuns: RUNS * (mix === 'consumer' ? 100 : 50), endOnFailure: true },
    )
  },
  RUNS * 30_000,
)
