import { ApiKey } from '@millrace/wire'
import { type Group, groupStates, joinOf, type JoinRequest } from './group-states'
import { NOBODY } from './produce-cases'
import type { RequestOf, Scenario, Script } from './script'

type Ask = (on: Script, group: Group) => Promise<unknown>

const each = async <T>(values: readonly T[], ask: (value: T) => Promise<unknown>) => {
  for (const value of values) await ask(value)
}

/** Who asks, and in which generation: rightly, or in one of the ways to be wrong. */
const callers: Record<string, (group: Group) => Partial<Group>> = {
  'the member': () => ({}),
  'another generation': ({ generationId }) => ({ generationId: generationId + 7 }),
  'an older generation': ({ generationId }) => ({ generationId: generationId - 1 }),
  'no generation': () => ({ generationId: -1 }),
  'nobody of them': () => ({ memberId: 'somebody-else' }),
  'somebody without name': () => ({ memberId: '' }),
  'an unknown instance': () => ({ instanceId: 'unknown' }),
  'the instance of another': () => ({ instanceId: 'fixed', memberId: 'somebody-else' }),
  'somebody of no group': () => ({ groupId: '' }),
}

const heartbeat: Ask = (on, { groupId, generationId, memberId, instanceId }) =>
  each([0, 3, 4], (version) => {
    const groupInstanceId = version >= 3 ? instanceId : null
    return on.ask(ApiKey.Heartbeat, version, { groupId, generationId, memberId, groupInstanceId })
  })

const sync =
  (more: Partial<RequestOf<typeof ApiKey.SyncGroup>> = {}, versions = [0, 3, 5]): Ask =>
  (on, { groupId, generationId, memberId, instanceId }) =>
    each(versions, (version) =>
      on.ask(ApiKey.SyncGroup, version, {
        groupId,
        generationId,
        memberId,
        groupInstanceId: version >= 3 ? instanceId : null,
        protocolType: 'consumer',
        protocolName: 'range',
        assignments: [],
        ...more,
      }),
    )

const leave: Ask = (on, { groupId, memberId, instanceId }) =>
  each([3, 5, 0], (version) => {
    const members = [{ memberId, groupInstanceId: instanceId }]
    return on.ask(ApiKey.LeaveGroup, version, { groupId, memberId, members })
  })

const commit =
  (
    partition: object = {},
    { versions = [2, 6, 8, 9, 10], isNobodys = false, more = {} } = {},
  ): Ask =>
  (on, { groupId, generationId, memberId, instanceId, topic }) =>
    each(versions, (version) => {
      const { name, id } = isNobodys ? NOBODY : topic
      const partitions = [
        { partitionIndex: 0, committedOffset: 9, committedMetadata: null, ...partition },
      ]
      return on.ask(ApiKey.OffsetCommit, version, {
        groupId,
        generationIdOrMemberEpoch: generationId,
        memberId,
        groupInstanceId: version >= 7 ? instanceId : null,
        topics: [{ name, topicId: id, partitions }],
        ...more,
      })
    })

const fetchOffsets: Ask = async (on, { groupId, memberId, generationId, topic }) => {
  for (const version of [1, 2, 7, 8, 9, 10]) {
    const named = [topic, NOBODY].map(({ name, id }) => ({
      name,
      topicId: id,
      partitionIndexes: [0, 5, -1],
    }))
    for (const topics of version === 1 ? [named] : [named, null]) {
      const group = { groupId, memberId, memberEpoch: generationId, topics }
      await on.ask(ApiKey.OffsetFetch, version, { groupId, topics, groups: [group] })
    }
  }
}

const deleteOffsets: Ask = (on, { groupId, topic }) =>
  on.ask(ApiKey.OffsetDelete, 0, {
    groupId,
    topics: [topic, NOBODY].map(({ name }) => ({
      name,
      partitions: [0, 7].map((partitionIndex) => ({ partitionIndex })),
    })),
  })

const describeGroup: Ask = async (on, { groupId }) => {
  for (const id of [groupId, '']) {
    for (const version of [0, 5, 6]) await on.ask(ApiKey.DescribeGroups, version, { groups: [id] })
    await on.ask(ApiKey.ConsumerGroupDescribe, 1, {
      groupIds: [id],
      includeAuthorizedOperations: false,
    })
  }
}

const deleteGroup: Ask = async (on, { groupId }) => {
  for (const id of [groupId, ''])
    for (const version of [0, 2]) await on.ask(ApiKey.DeleteGroups, version, { groupsNames: [id] })
}

const join =
  (more: Partial<JoinRequest>, versions = [0, 3, 4, 5, 9]): Ask =>
  (on, { groupId }) =>
    each(versions, (version) => on.another().ask(ApiKey.JoinGroup, version, joinOf(groupId, more)))

/** Joins that are refused at once, whatever the group. */
const refusedJoins: Record<string, Ask> = {
  'joined without a session': join({ sessionTimeoutMs: 0 }),
  'joined with a short session': join({ sessionTimeoutMs: 5999 }),
  'joined with a long session': join({ sessionTimeoutMs: 1_800_001 }),
  'joined by nobody of them': join({ memberId: 'somebody-else' }),
  'joined for another purpose': join({ memberId: 'somebody-else', protocolType: 'connect' }),
  'joined without protocols': join({ memberId: 'somebody-else', protocols: [] }),
  'joined without id': join({}, [4, 9]),
  'joined without id for another purpose': join({ protocolType: 'connect' }, [4, 9]),
  'joined without id for no purpose': join({ protocolType: '' }, [0, 4, 9]),
  'joined without id and protocols': join({ protocols: [] }, [0, 4, 9]),
  'joined without a name of the group': join({ groupId: '' }),
  'joined by the instance of another': join(
    { groupInstanceId: 'fixed', memberId: 'somebody-else' },
    [5, 9],
  ),
}

const requests: Record<string, Ask> = {
  ...Object.fromEntries(
    Object.entries(callers).flatMap(([title, caller]): [string, Ask][] => [
      [`heartbeat: ${title}`, (on, group) => heartbeat(on, { ...group, ...caller(group) })],
      [`sync: ${title}`, (on, group) => sync()(on, { ...group, ...caller(group) })],
      [`commit: ${title}`, (on, group) => commit()(on, { ...group, ...caller(group) })],
      [`leave: ${title}`, (on, group) => leave(on, { ...group, ...caller(group) })],
    ]),
  ),
  'sync with another purpose': sync({ protocolType: 'connect' }, [5]),
  'sync with another protocol': sync({ protocolName: 'roundrobin' }, [5]),
  'sync without protocol': sync({ protocolType: null, protocolName: null }, [4, 5]),
  'leave of nobody': (on, { groupId }) =>
    on.ask(ApiKey.LeaveGroup, 4, { groupId, memberId: '', members: [] }),
  'leave of two, one of them unknown': (on, { groupId, memberId, instanceId }) =>
    on.ask(ApiKey.LeaveGroup, 5, {
      groupId,
      memberId: '',
      members: [
        { memberId: 'somebody-else', groupInstanceId: null },
        { memberId, groupInstanceId: instanceId },
        { memberId, groupInstanceId: instanceId },
      ],
    }),
  'leave of an instance alone': (on, { groupId, instanceId }) =>
    on.ask(ApiKey.LeaveGroup, 5, {
      groupId,
      memberId: '',
      members: [{ memberId: '', groupInstanceId: instanceId ?? 'unknown' }],
    }),
  'commit of too much metadata': commit({ committedMetadata: 'x'.repeat(101) }),
  'commit of metadata': commit({ committedMetadata: 'x'.repeat(100) }),
  'commit below 0': commit({ committedOffset: -1 }),
  'commit far below 0': commit({ committedOffset: -5 }),
  'commit of a partition that there is not': commit({ partitionIndex: 9 }),
  'commit of a partition below 0': commit({ partitionIndex: -1 }),
  'commit of a topic that there is not': commit({}, { isNobodys: true }),
  'commit of an epoch': commit({ committedLeaderEpoch: 77 }),
  'commit with a retention': commit({}, { versions: [2], more: { retentionTimeMs: 1 } }),
  'commit of nothing': commit({}, { more: { topics: [] } }),
  'offsets fetched': fetchOffsets,
  'offsets fetched by nobody of them': (on, group) =>
    fetchOffsets(on, { ...group, memberId: 'somebody-else' }),
  'offsets fetched in another epoch': (on, group) =>
    fetchOffsets(on, { ...group, generationId: group.generationId + 5 }),
  'offsets fetched without name of the group': (on, group) =>
    fetchOffsets(on, { ...group, groupId: '' }),
  'offsets deleted': deleteOffsets,
  'offsets deleted without name of the group': (on, group) =>
    deleteOffsets(on, { ...group, groupId: '' }),
  described: describeGroup,
  deleted: deleteGroup,
  ...refusedJoins,
}

/** It would make a group without name, which all scenarios would share. */
const LEFT_OUT = 'a group of offsets only: commit: somebody of no group'

export const groupScenarios: Scenario[] = Object.entries(groupStates)
  .flatMap(([state, prepare]) =>
    Object.entries(requests).map(([title, ask]) => ({
      title: `${state}: ${title}`,
      run: async (on: Script) => {
        const topic = await on.topic({}, 2)
        await ask(on, await prepare(on, topic))
      },
    })),
  )
  .filter(({ title }) => title !== LEFT_OUT)
