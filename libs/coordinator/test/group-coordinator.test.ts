import { ErrorCode, type Infer, type OffsetCommitRequest, ZERO_UUID } from '@millrace/wire'
import * as fc from 'fast-check'
import { aGroupWorld, groupOptions, type GroupWorld } from './support/group-world'
import { ScenarioRunner } from './support/scenario-runner'

const client = { clientId: 'client', clientHost: '/127.0.0.1', apiVersion: 9 }
/** A consumer's metadata: version 0, one topic named t, no user data. */
const SUBSCRIPTION_TO_T = Buffer.from([0, 0, 0, 0, 0, 1, 0, 1, 116, 0, 0, 0, 0])
const SESSION_MS = 1_800_000
const DAY_MS = 24 * 3600 * 1000

interface CommitFields {
  group?: string
  topic?: string
  topicId?: string
  offset?: number
  retentionTimeMs?: number
  metadata?: string | null
}
function aCommit(fields: CommitFields = {}): Infer<typeof OffsetCommitRequest> {
  const partition = {
    partitionIndex: 0,
    committedOffset: fields.offset ?? 1,
    committedLeaderEpoch: 3,
    committedMetadata: fields.metadata ?? null,
  }
  return {
    groupId: fields.group ?? 'g',
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    retentionTimeMs: fields.retentionTimeMs ?? -1,
    topics: [
      { name: fields.topic ?? 't', topicId: fields.topicId ?? ZERO_UUID, partitions: [partition] },
    ],
  }
}
async function commit(world: GroupWorld, fields: CommitFields = {}): Promise<number> {
  const response = await world.coordinator.offsetCommit(aCommit(fields), client)
  return response.topics[0].partitions[0].errorCode
}
/** Offset of partition 0; null if there is none. */
function committed(world: GroupWorld, topic = 't', groupId = 'g', topicId = ZERO_UUID) {
  const topics = [{ name: topic, topicId, partitionIndexes: [0] }]
  const groups = [{ groupId, memberId: null, memberEpoch: -1, topics }]
  const request = { groupId: '', topics: [], groups, requireStable: false }
  const response = world.coordinator.offsetFetch(request, { apiVersion: 9 })
  const found = response.groups![0]
  if (found.errorCode !== 0) return { error: found.errorCode }
  const { committedOffset } = found.topics![0].partitions![0]
  return committedOffset === -1 ? null : committedOffset
}
function join(
  world: GroupWorld,
  options: { groupId?: string; memberId?: string; version?: number; metadata?: Buffer } = {},
) {
  return world.coordinator.joinGroup(
    {
      groupId: options.groupId ?? 'g',
      memberId: options.memberId ?? '',
      groupInstanceId: null,
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: 60_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: options.metadata ?? SUBSCRIPTION_TO_T }],
      reason: null,
    },
    { ...client, apiVersion: options.version ?? 3 },
  )
}
const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex')
/** A group with one member that reads topic t. */
async function aStableGroup(
  world: GroupWorld,
  options: { metadata?: Buffer } = {},
): Promise<{ memberId: string; generationId: number }> {
  const joining = join(world, options)
  await world.clock.advance(3000)
  const { memberId, generationId = -1 } = await joining
  await world.coordinator.syncGroup({
    groupId: 'g',
    generationId,
    memberId,
    groupInstanceId: null,
    protocolType: null,
    protocolName: null,
    assignments: [{ memberId, assignment: Buffer.from('all') }],
  })
  return { memberId, generationId }
}
const listed = (world: GroupWorld, filters: { states?: string[]; types?: string[] } = {}) => {
  const { states = [], types = [] } = filters
  const response = world.coordinator.listGroups({ statesFilter: states, typesFilter: types })
  return response.groups.map((group) => `${group.groupId} ${group.groupState}`)
}

describe('committed offsets', () => {
  it('GROUP-1: are answered and visible only when the log has them', async () => {
    const world = await aGroupWorld()
    let open = () => {}
    world.log.gate = new Promise((resolve) => (open = resolve))
    let answer = -1
    void commit(world, { offset: 7 }).then((error) => (answer = error))
    await world.clock.advance(1000)
    expect([answer, committed(world)]).toEqual([-1, null])
    open()
    await world.clock.advance(0)
    expect([answer, committed(world)]).toEqual([ErrorCode.NONE, 7])
  })

  it('that the log refuses are not visible, and say why', async () => {
    const world = await aGroupWorld()
    await commit(world, { offset: 1 })
    world.log.failure = ErrorCode.KAFKA_STORAGE_ERROR
    expect(await commit(world, { offset: 2 })).toBe(ErrorCode.NOT_COORDINATOR)
    world.log.failure = ErrorCode.NOT_ENOUGH_REPLICAS
    expect(await commit(world, { offset: 2 })).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    expect(committed(world)).toBe(1)
  })

  it('of many commits at once share a batch, and the last one wins', async () => {
    const world = await aGroupWorld()
    const all = Array.from({ length: 100 }, (_, offset) => commit(world, { offset }))
    expect(new Set(await Promise.all(all))).toEqual(new Set([ErrorCode.NONE]))
    expect(world.log.appendCount).toBe(2)
    expect(committed(world)).toBe(99)
    expect(committed(await world.restart())).toBe(99)
  })

  it('with too long a text are refused one by one', async () => {
    const world = await aGroupWorld({ 'offset.metadata.max.bytes': '3' })
    const request = aCommit({ metadata: 'four' })
    request.topics.push(aCommit({ topic: 'u', metadata: 'for' }).topics[0])
    const response = await world.coordinator.offsetCommit(request, client)
    expect(response.topics.map((topic) => topic.partitions[0].errorCode)).toEqual([
      ErrorCode.OFFSET_METADATA_TOO_LARGE,
      ErrorCode.NONE,
    ])
    expect([committed(world), committed(world, 'u')]).toEqual([null, 1])
  })

  it('of a topic that was deleted and made again are not those of the new one', async () => {
    const world = await aGroupWorld()
    const [former, present] = ['A'.repeat(21) + 'Q', 'A'.repeat(21) + 'g']
    await commit(world, { topicId: former })
    const reopened = await world.restart()
    expect(committed(reopened, 't', 'g', former)).toBe(1)
    expect(committed(reopened, 't', 'g', present)).toBeNull()
    expect(committed(reopened)).toBe(1)
  })

  it('of all topics and several groups come in one answer', async () => {
    const world = await aGroupWorld()
    await commit(world, { topic: 'a' })
    await commit(world, { topic: 'b', offset: 2 })
    const query = { memberId: null, memberEpoch: -1, topics: null }
    const groups = [
      { ...query, groupId: 'g' },
      { ...query, groupId: 'unknown' },
    ]
    const request = { groupId: '', topics: [], groups, requireStable: true }
    const response = world.coordinator.offsetFetch(request, { apiVersion: 8 })
    const found = response.groups!.map(({ topics }) => topics!.map((topic) => topic.name))
    expect(found).toEqual([['a', 'b'], []])
  })

  it('take the older forms of request and answer', async () => {
    const world = await aGroupWorld()
    await commit(world)
    const request = {
      groupId: 'g',
      topics: [{ name: 't', partitionIndexes: [0, 1] }],
      groups: [],
      requireStable: false,
    }
    const answer = world.coordinator.offsetFetch(request, { apiVersion: 5 })
    expect(answer.topics![0].partitions!.map((p) => p.committedOffset)).toEqual([1, -1])
    world.coordinator.onPartitionResigned(0)
    const v1 = world.coordinator.offsetFetch(request, { apiVersion: 1 })
    expect(v1.topics![0].partitions![1].errorCode).toBe(ErrorCode.NOT_COORDINATOR)
    const v2 = world.coordinator.offsetFetch(request, { apiVersion: 2 })
    expect(v2).toEqual({ errorCode: ErrorCode.NOT_COORDINATOR, topics: [] })
  })
})

describe('offsets expire', () => {
  it('a retention after their commit if there is no group, and take no memory then', async () => {
    const world = await aGroupWorld()
    await commit(world)
    await world.clock.advance(6.9 * DAY_MS)
    expect(committed(world)).toBe(1)
    await world.clock.advance(0.2 * DAY_MS)
    expect([committed(world), listed(world)]).toEqual([null, []])
    expect(world.coordinator.counters).toMatchObject({ offsetCommits: 1, offsetExpirations: 1 })
    expect(listed(await world.restart())).toEqual([])
  })

  it('a retention after their group became empty, and the group with them', async () => {
    const world = await aGroupWorld()
    const member = await aStableGroup(world)
    const request = { ...aCommit(), memberId: member.memberId, generationIdOrMemberEpoch: 1 }
    await world.coordinator.offsetCommit(request, client)
    for (let livedMs = 0; livedMs < 8 * DAY_MS; livedMs += SESSION_MS / 2) {
      await world.clock.advance(SESSION_MS / 2)
      const beat = { ...member, groupId: 'g', groupInstanceId: null }
      expect(world.coordinator.heartbeat(beat).errorCode).toBe(ErrorCode.NONE)
    }
    expect(committed(world)).toBe(1)
    await world.clock.advance(6.9 * DAY_MS)
    expect([committed(world), listed(world)]).toEqual([1, ['g Empty']])
    await world.clock.advance(0.3 * DAY_MS)
    expect([committed(world), listed(world)]).toEqual([null, []])
    expect(listed(await world.restart())).toEqual([])
  })

  it('when an old client asked for it', async () => {
    const world = await aGroupWorld()
    await commit(world, { retentionTimeMs: 3_600_000 })
    const reopened = await world.restart()
    await reopened.clock.advance(3_000_000)
    expect(committed(reopened)).toBe(1)
    await reopened.clock.advance(1_200_000)
    expect(committed(reopened)).toBeNull()
  })
})

describe('groups', () => {
  it('are listed by state and type, without regard to case', async () => {
    const world = await aGroupWorld()
    await aStableGroup(world)
    await commit(world, { group: 'simple' })
    expect(listed(world)).toEqual(['g Stable', 'simple Empty'])
    expect(listed(world, { states: ['stable'] })).toEqual(['g Stable'])
    expect(listed(world, { types: ['Classic'], states: ['EMPTY'] })).toEqual(['simple Empty'])
    expect(listed(world, { types: ['consumer'] })).toEqual([])
  })

  it('are described with what their members offer and got', async () => {
    const world = await aGroupWorld()
    const { memberId } = await aStableGroup(world)
    const request = { groups: ['g', 'unknown'], includeAuthorizedOperations: false }
    const { groups } = world.coordinator.describeGroups(request, { apiVersion: 5 })
    expect(groups[0]).toMatchObject({
      groupState: 'Stable',
      protocolType: 'consumer',
      protocolData: 'range',
    })
    expect(groups[0].members[0]).toMatchObject({ memberId, clientHost: '/127.0.0.1' })
    expect(groups[0].members[0].memberAssignment.toString()).toBe('all')
    expect(groups[1]).toMatchObject({ groupState: 'Dead', errorCode: ErrorCode.NONE })
    const [, missing] = world.coordinator.describeGroups(request, { apiVersion: 6 }).groups
    expect(missing).toMatchObject({ groupState: 'Dead', errorCode: ErrorCode.GROUP_ID_NOT_FOUND })
  })

  it('are deleted only when empty, with their offsets', async () => {
    const world = await aGroupWorld()
    await aStableGroup(world)
    await commit(world, { group: 'simple' })
    expect(await world.coordinator.deleteGroups(['g', 'simple', 'unknown', ''])).toEqual([
      { groupId: 'g', errorCode: ErrorCode.NON_EMPTY_GROUP },
      { groupId: 'simple', errorCode: ErrorCode.NONE },
      { groupId: 'unknown', errorCode: ErrorCode.GROUP_ID_NOT_FOUND },
      { groupId: '', errorCode: ErrorCode.GROUP_ID_NOT_FOUND },
    ])
    expect(listed(await world.restart())).toEqual(['g Stable'])
  })

  it('lose offsets of topics that they do not read, or that are deleted', async () => {
    const world = await aGroupWorld()
    const member = await aStableGroup(world)
    for (const topic of ['t', 'old']) {
      const request = aCommit({ topic })
      await world.coordinator.offsetCommit(
        { ...request, memberId: member.memberId, generationIdOrMemberEpoch: 1 },
        client,
      )
    }
    const partitions = ['t', 'old'].map((topic) => ({ topic, partition: 0 }))
    expect(await world.coordinator.deleteOffsets('g', partitions)).toEqual({
      errorCode: ErrorCode.NONE,
      partitionErrors: [ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC, ErrorCode.NONE],
    })
    expect([committed(world), committed(world, 'old')]).toEqual([1, null])
    expect(world.coordinator.offsetCount).toBe(1)
    expect(world.coordinator.counters).toMatchObject({
      offsetCommits: 2,
      offsetDeletions: 1,
      completedRebalances: 1,
    })
    await world.coordinator.removeOffsetsOfTopic('t')
    expect(committed(world)).toBeNull()
  })
})

describe('the topics that a member reads', () => {
  // @platformatic/kafka says version 1, and writes no owned partitions.
  it.each([
    ['that leaves out what its version has behind them', '0001 00000001 0001 74 ffffffff'],
    ['of a version that is not known yet', '0009 00000001 0001 74 ffffffff 00000000 0badf00d'],
  ])('are known of one %s: offsets of others can go', async (_, metadata) => {
    const world = await aGroupWorld()
    await aStableGroup(world, { metadata: bytes(metadata) })
    const partitions = ['t', 'old'].map((topic) => ({ topic, partition: 0 }))
    expect((await world.coordinator.deleteOffsets('g', partitions)).partitionErrors).toEqual([
      ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC,
      ErrorCode.NONE,
    ])
  })

  it.each(['', '0000', '0001 00000001'])('are not known of one that sends %j', async (metadata) => {
    const world = await aGroupWorld()
    await aStableGroup(world, { metadata: bytes(metadata) })
    const partitions = [{ topic: 'old', partition: 0 }]
    expect((await world.coordinator.deleteOffsets('g', partitions)).partitionErrors).toEqual([
      ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC,
    ])
  })
})

describe('a partition', () => {
  it('that is being loaded asks to wait, and lets heartbeats pass', async () => {
    const world = await aGroupWorld()
    await commit(world)
    world.coordinator.onPartitionResigned(0)
    let open = () => {}
    world.log.gate = new Promise((resolve) => (open = resolve))
    const loading = world.coordinator.onPartitionElected(0)
    expect(world.coordinator.loadStates).toEqual([{ state: 'loading', loadTookMs: null }])
    await world.clock.advance(250)
    const error = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
    expect((await join(world)).errorCode).toBe(error)
    expect(await commit(world)).toBe(error)
    expect(committed(world)).toEqual({ error })
    expect(world.coordinator.listGroups({ statesFilter: [], typesFilter: [] }).errorCode).toBe(
      error,
    )
    const heartbeat = { groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: null }
    expect(world.coordinator.heartbeat(heartbeat).errorCode).toBe(ErrorCode.NONE)
    open()
    await loading
    expect(world.coordinator.loadStates).toEqual([{ state: 'active', loadTookMs: 250 }])
    expect(committed(world)).toBe(1)
  })

  it('that cannot be read is not served', async () => {
    const world = await aGroupWorld()
    world.coordinator.onPartitionResigned(0)
    world.log.failure = ErrorCode.KAFKA_STORAGE_ERROR
    await world.coordinator.onPartitionElected(0)
    expect(committed(world)).toEqual({ error: ErrorCode.NOT_COORDINATOR })
    expect(world.coordinator.loadStates).toEqual([{ state: 'failed', loadTookMs: null }])
  })

  it('that is given up answers what is parked, and writes nothing more', async () => {
    const world = await aGroupWorld()
    const parked = join(world)
    let open = () => {}
    world.log.gate = new Promise((resolve) => (open = resolve))
    const writing = commit(world, { group: 'other' })
    world.coordinator.onPartitionResigned(0)
    expect((await parked).errorCode).toBe(ErrorCode.NOT_COORDINATOR)
    open()
    expect(await writing).toBe(ErrorCode.NOT_COORDINATOR)
    expect((await join(world)).errorCode).toBe(ErrorCode.NOT_COORDINATOR)
    expect(world.clock.pendingCount).toBe(1) // only the expiry
  })

  it('is chosen by the hash of Java', async () => {
    const world = await aGroupWorld({ 'offsets.topic.num.partitions': '50' })
    world.coordinator.start(50)
    // From org.apache.kafka.common.utils.Utils.abs("...".hashCode()) % 50
    expect(world.coordinator.partitionFor('my-group')).toBe(12)
    expect(world.coordinator.partitionFor('polygenelubricants')).toBe(0) // hashes to the smallest int
  })

  it('answers COORDINATOR_NOT_AVAILABLE once stopped', async () => {
    const world = await aGroupWorld()
    const parked = join(world)
    world.coordinator.stop()
    expect((await parked).errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    expect(await commit(world)).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    expect(world.clock.pendingCount).toBe(0)
  })
})

it('takes no timer per heartbeat', async () => {
  const world = await aGroupWorld()
  const member = await aStableGroup(world)
  await world.clock.advance(0)
  const before = world.clock.pendingCount
  for (let n = 0; n < 1000; n++) {
    world.coordinator.heartbeat({ ...member, groupId: 'g', groupInstanceId: null })
    await world.clock.advance(100)
  }
  expect(world.clock.pendingCount).toBe(before)
  expect(listed(world)).toEqual(['g Stable'])
})

it('keeps nothing of groups that never came to be', async () => {
  const world = await aGroupWorld()
  for (let n = 0; n < 100; n++) void join(world, { groupId: `g${n}`, version: 4 })
  expect(listed(world)).toHaveLength(100)
  await world.clock.advance(SESSION_MS)
  expect(listed(world)).toEqual([])
  expect(world.log.appendCount).toBe(0)
})

it('has the defaults of Kafka', () => {
  expect(groupOptions({ 'offsets.topic.num.partitions': '50' })).toMatchObject({
    minSessionTimeoutMs: 6000,
    maxSessionTimeoutMs: 1_800_000,
    initialRebalanceDelayMs: 3000,
    offsetsRetentionMinutes: 10_080,
    offsetsTopicPartitions: 50,
  })
})

it('GROUP-4: after any story, a restart finds the members and offsets that were there', async () => {
  const name = fc.constantFrom('A', 'B', 'C')
  const command = fc.oneof(
    { weight: 4, arbitrary: name.map((n) => `join ${n} version=3`) },
    { weight: 2, arbitrary: name.map((n) => `join ${n} version=3 instance=${n.toLowerCase()}`) },
    { weight: 4, arbitrary: name.map((n) => `sync ${n} assign=A:a,B:b,C:c`) },
    { weight: 1, arbitrary: name.map((n) => `leave ${n}`) },
    { weight: 2, arbitrary: fc.tuple(name, fc.nat(99)).map(([n, o]) => `commit ${n} offset=${o}`) },
    { weight: 2, arbitrary: fc.constantFrom('wait 500', 'wait 3000', 'wait 20000', 'wait 100000') },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
      const runner = await ScenarioRunner.open({ 'group.initial.rebalance.delay.ms': '500' })
      let state = ''
      for (const line of commands) state = await runner.run(line)
      const last = state.split('\n').at(-1)!
      const offsets = await runner.run('fetch')
      // A group in the middle of a rebalance comes back as it was before: only settled ones can be compared.
      const after = (await runner.run('restart')).split('\n').at(-1)!
      expect(after).toBe(/^= (Stable|Empty)/.test(last) ? last : after)
      expect((await runner.run('fetch')).split('\n')[0]).toBe(offsets.split('\n')[0])
    }),
    { numRuns: 200 },
  )
})
