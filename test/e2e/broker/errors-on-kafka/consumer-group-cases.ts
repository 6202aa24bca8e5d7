import { ApiKey } from '@millrace/wire'
import { type Group, groupStates, joinOf, subscription } from './group-states'
import type { AnswerOf, RequestOf, Scenario, Script, Topic } from './script'

type Heartbeat = RequestOf<typeof ApiKey.ConsumerGroupHeartbeat>
type Answer = AnswerOf<typeof ApiKey.ConsumerGroupHeartbeat>

const UUID = '6f2c1f64-3f7c-4bd5-9f2a-0123456789ab'

function heartbeatOf(groupId: string, more: Partial<Heartbeat> = {}): Heartbeat {
  return { groupId, memberId: UUID, memberEpoch: 0, rebalanceTimeoutMs: 60_000, ...more }
}

function beat(on: Script, request: Heartbeat, version = 1): Promise<Answer> {
  return on.ask(ApiKey.ConsumerGroupHeartbeat, version, request)
}

/** How a member says that it comes; each is wrong in one thing, or in none. */
const comings: Record<string, Partial<Heartbeat>> = {
  'as it should': {},
  'without topics': { subscribedTopicNames: null },
  'with no topics': { subscribedTopicNames: [] },
  'without own partitions': { topicPartitions: null },
  'with partitions of its own': {
    topicPartitions: [{ topicId: 'bm9ib2R5IGhhcyB0aGlzIQ', partitions: [0] }],
  },
  'without time to rebalance': { rebalanceTimeoutMs: -1 },
  'with no time to rebalance': { rebalanceTimeoutMs: 0 },
  'without id': { memberId: '' },
  'with an id that is none': { memberId: 'me' },
  'with an empty instance': { instanceId: '' },
  'as an instance': { instanceId: 'fixed' },
  'with an empty rack': { rackId: '' },
  'with an unknown assignor': { serverAssignor: 'unknown' },
  'with an empty assignor': { serverAssignor: '' },
  'with the assignor range': { serverAssignor: 'range' },
  'in an epoch to come': { memberEpoch: 5 },
  'with an epoch below all': { memberEpoch: -3 },
  'as one who leaves': { memberEpoch: -1 },
  'as an instance that goes for a while': { memberEpoch: -2, instanceId: 'fixed' },
  'as nobody who goes for a while': { memberEpoch: -2 },
  'with an expression': { subscribedTopicNames: null, subscribedTopicRegex: 'a.*' },
  'with an expression and topics': { subscribedTopicRegex: 'a.*' },
  'with a wrong expression': { subscribedTopicNames: null, subscribedTopicRegex: '[' },
  'with an empty expression': { subscribedTopicNames: null, subscribedTopicRegex: '' },
  'to a group without name': { groupId: '' },
  'to a group of spaces': { groupId: '  ' },
}

const joining: Scenario[] = Object.entries(comings).map(([title, more]) => ({
  title: `comes ${title}`,
  run: async (on) => {
    for (const version of [0, 1]) {
      const groupId = `${on.name}-${version}`
      const topics = { subscribedTopicNames: ['a'], topicPartitions: [] }
      await beat(on, heartbeatOf(groupId, { ...topics, ...more }), version)
    }
  },
}))

async function joined(on: Script, topic: Topic, more: Partial<Heartbeat> = {}) {
  const request = heartbeatOf(on.name, {
    subscribedTopicNames: [topic.name],
    topicPartitions: [],
    ...more,
  })
  const answer = await on.quietly(ApiKey.ConsumerGroupHeartbeat, 1, request)
  return { epoch: answer.memberEpoch, topicPartitions: answer.assignment?.topicPartitions ?? [] }
}

type Member = Awaited<ReturnType<typeof joined>>

/** What a member says that is in the group; `epoch` is its own. */
const sayings: Record<string, (member: Member, topic: Topic) => Partial<Heartbeat>> = {
  'that it is here': ({ epoch }) => ({ memberEpoch: epoch }),
  'that it has what it got': ({ epoch, topicPartitions }) => ({
    memberEpoch: epoch,
    topicPartitions,
  }),
  'another epoch': ({ epoch }) => ({ memberEpoch: epoch + 1 }),
  'an epoch before': ({ epoch }) => ({ memberEpoch: epoch - 1, topicPartitions: [] }),
  'an epoch before, with what it got': ({ epoch, topicPartitions }) => ({
    memberEpoch: epoch - 1,
    topicPartitions,
  }),
  'that it comes again': (_member, { name }) => ({
    memberEpoch: 0,
    subscribedTopicNames: [name],
    topicPartitions: [],
  }),
  'that it comes again, and no more': () => ({ memberEpoch: 0 }),
  'that somebody unknown is here': ({ epoch }) => ({
    memberId: '11111111-2222-4333-8444-555555555555',
    memberEpoch: epoch,
  }),
  'that it is an instance': ({ epoch }) => ({ memberEpoch: epoch, instanceId: 'fixed' }),
  'that it leaves': () => ({ memberEpoch: -1 }),
  'that it goes for a while': () => ({ memberEpoch: -2 }),
  'that it goes for a while as an instance': () => ({ memberEpoch: -2, instanceId: 'fixed' }),
  'an unknown assignor': ({ epoch }) => ({ memberEpoch: epoch, serverAssignor: 'unknown' }),
  'a wrong expression': ({ epoch }) => ({ memberEpoch: epoch, subscribedTopicRegex: '(' }),
  'a partition that it never got': ({ epoch }) => ({
    memberEpoch: epoch,
    topicPartitions: [{ topicId: 'bm9ib2R5IGhhcyB0aGlzIQ', partitions: [3] }],
  }),
  'another time to rebalance': ({ epoch }) => ({ memberEpoch: epoch, rebalanceTimeoutMs: 5000 }),
}

const staying: Scenario[] = Object.entries(sayings).map(([title, say]) => ({
  title: `says ${title}`,
  run: async (on) => {
    const topic = await on.topic({}, 2)
    const member = await joined(on, topic)
    const request = heartbeatOf(on.name, { rebalanceTimeoutMs: -1, ...say(member, topic) })
    await beat(on, request)
    await beat(on, request)
  },
}))

const OTHER = '99999999-2222-4333-8444-555555555555'

const instances: Scenario[] = [
  {
    title: 'an instance comes twice',
    run: async (on) => {
      const topic = await on.topic({}, 2)
      await joined(on, topic, { instanceId: 'fixed' })
      const more = { subscribedTopicNames: [topic.name], topicPartitions: [] }
      await beat(on, heartbeatOf(on.name, { ...more, memberId: OTHER, instanceId: 'fixed' }))
      await beat(on, heartbeatOf(on.name, { ...more, instanceId: 'fixed' }))
    },
  },
  {
    title: 'an instance goes for a while and comes as another',
    run: async (on) => {
      const topic = await on.topic({}, 2)
      const { epoch } = await joined(on, topic, { instanceId: 'fixed' })
      const more = { subscribedTopicNames: [topic.name], topicPartitions: [], instanceId: 'fixed' }
      await beat(on, heartbeatOf(on.name, { memberEpoch: -2, instanceId: 'fixed' }))
      await beat(on, heartbeatOf(on.name, { memberEpoch: epoch, instanceId: 'fixed' }))
      await beat(on, heartbeatOf(on.name, { ...more, memberId: OTHER }))
      await beat(on, heartbeatOf(on.name, { memberEpoch: epoch, instanceId: 'fixed' }))
    },
  },
  {
    title: 'another says that the instance leaves',
    run: async (on) => {
      const topic = await on.topic({}, 2)
      await joined(on, topic, { instanceId: 'fixed' })
      for (const memberEpoch of [-1, -2, 1])
        await beat(on, heartbeatOf(on.name, { memberEpoch, memberId: OTHER, instanceId: 'fixed' }))
      await beat(on, heartbeatOf(on.name, { memberEpoch: -1, instanceId: 'gone' }))
    },
  },
  {
    title: 'more members than a group may have',
    run: async (on) => {
      const topic = await on.topic({}, 2)
      const more = { subscribedTopicNames: [topic.name], topicPartitions: [] }
      for (let index = 0; index < 4; index++) {
        const memberId = `0000000${index}-2222-4333-8444-555555555555`
        const request = heartbeatOf(on.name, { ...more, memberId })
        await on.ask(ApiKey.ConsumerGroupHeartbeat, 1, request, ({ errorCode, errorMessage }) => ({
          errorCode,
          errorMessage,
        }))
      }
    },
  },
]

/** A member of the newer protocol comes to each kind of group, and one of the older to a newer group. */
const mixed: Scenario[] = [
  ...Object.entries(groupStates).map(([state, prepare]) => ({
    title: `comes to ${state}`,
    run: async (on: Script) => {
      const topic = await on.topic({}, 2)
      const group = await prepare(on, topic)
      const more = { subscribedTopicNames: [topic.name], topicPartitions: [] }
      const request = heartbeatOf(group.groupId, more)
      await on.ask(ApiKey.ConsumerGroupHeartbeat, 1, request, ({ errorCode, errorMessage }) => ({
        errorCode,
        errorMessage,
      }))
    },
  })),
  {
    title: 'comes to a group of connectors',
    run: async (on) => {
      const topic = await on.topic()
      const protocols = [{ name: 'sessioned', metadata: Buffer.from('x') }]
      const request = joinOf(on.name, { protocolType: 'connect', protocols })
      await on.quietly(ApiKey.JoinGroup, 3, request)
      const more = { subscribedTopicNames: [topic.name], topicPartitions: [] }
      await beat(on, heartbeatOf(on.name, more))
    },
  },
  ...Object.entries({
    'as a consumer': {},
    'as a connector': { protocolType: 'connect' },
    'with metadata that nobody can read': {
      protocols: [{ name: 'range', metadata: Buffer.from([0, 9]) }],
    },
    'with no protocols': { protocols: [] },
    'with a short session': { sessionTimeoutMs: 10 },
    'as somebody unknown': { memberId: 'somebody-else' },
  }).map(([title, more]) => ({
    title: `an older member comes to a newer group ${title}`,
    run: async (on: Script) => {
      const topic = await on.topic({}, 2)
      await groupStates['a group of the consumer protocol'](on, topic)
      const protocols = [{ name: 'range', metadata: subscription(topic.name) }]
      await on.ask(ApiKey.JoinGroup, 3, joinOf(on.name, { protocols, ...more }))
    },
  })),
]

const describing: Scenario[] = (['a stable group', 'an empty group'] as const).map((state) => ({
  title: `heartbeats of the older kind to ${state} in the names of others`,
  run: async (on) => {
    const group: Group = await groupStates[state](on, await on.topic())
    for (const memberId of ['', UUID]) {
      const { groupId, generationId } = group
      await on.ask(ApiKey.Heartbeat, 4, { groupId, generationId, memberId })
    }
  },
}))

export const consumerGroupScenarios: Scenario[] = [
  ...joining,
  ...staying,
  ...instances,
  ...mixed,
  ...describing,
]
